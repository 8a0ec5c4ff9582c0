"""The rules that every backend must keep, as tests that pytest collects.

Each failure says what to do about it; a rule that cannot be tested is skipped with the reason.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, NoReturn

import pytest

from .authors.conformance_keys import KeyRules, broken
from .authors.trial import Built, Trial
from .authors.watching import can_trace, child_environment, processes_of, read_files, write_broken_tool
from .base.errors import CratewrightError, PluginError, SourceError, UnsupportedError
from .contract.backend import Capability, CodegenBackend
from .contract.declared import find_class_fault, misspelt_method
from .pipeline.remote import make_watched
from .plugins.registry import default_registry
from .values.call import BackendCall
from .values.crate_type import CrateType
from .values.options import LtoMode

__all__ = ["Conformance"]


class Conformance(KeyRules):
    """Subclass it in a test module, as `class TestShout(Conformance)`, and say what the backend is and compiles.

    Shape: `backend` is the name of one that is installed, or the class; `sources` are two sources, root-relative path
    to text, that can be linked together. The rest is optional: `files` that they include; `options` of the crate;
    `crate_types` that they can be linked to, if not all that the backend links; `bad_source`, a path and a text that
    does not compile; `dump` of a result for `behaviour`.
    """

    backend: ClassVar[str | type[CodegenBackend]]
    sources: ClassVar[Mapping[str, str]]
    files: ClassVar[Mapping[str, str]] = {}
    options: ClassVar[Mapping[str, object]] = {}
    crate_types: ClassVar[tuple[CrateType, ...]] = ()
    target: ClassVar[str] = ""
    environ: ClassVar[Mapping[str, str]] = {}
    bad_source: ClassVar[tuple[str, str] | None] = None

    def behaviour(self, artifacts: Mapping[str, bytes], directory: Path) -> object:
        """Return what a result does when it is run, to be the same with and without LTO; None if it cannot be run."""
        return None

    def with_tool(self, tool: Path) -> Mapping[str, str] | None:
        """Return settings `CRATE_...` with which the backend runs `tool` in place of its own; None if it runs none."""
        return None

    # The rules.

    def test_the_class_is_sound(self) -> None:
        """What the class declares is what the contract asks for, and each option has an effect."""
        kind = self._kind()
        fault = find_class_fault(kind)
        if fault is not None:
            broken(f"{kind.__name__}: {fault.message}", fault.expected or fault.hint)
        dead = [spec.name for spec in kind.OPTIONS if spec.name not in kind.UNIT_OPTIONS | kind.LINK_OPTIONS]
        if dead:
            broken(
                f"option '{dead[0]}' reaches neither units nor links",
                "name it in UNIT_OPTIONS if it alters what a source compiles to, else in LINK_OPTIONS",
            )
        close = misspelt_method(kind)
        if close:
            broken(f"{close[0]}() is not a method of the contract, and is never called", f"did you mean {close[1]}()?")

    def test_the_fingerprint_is_the_same_everywhere(self, tmp_path: Path) -> None:
        """Two machines with the same versions share results, so no path and no time may be in it."""
        found = {self._trial().engine(str(tmp_path / name)).fingerprint(*self._key()) for name in ("one", "two/three")}
        if len(found) > 1 or any(str(tmp_path) in text or _HOME in text for text in found):
            broken(
                f"fingerprint() depends on the directory: {' and '.join(sorted(found))}",
                "return names and versions, or programs_digest(...), and no path",
            )

    def test_the_same_twice_and_at_another_path(self, tmp_path: Path) -> None:
        """Results are the same at any path."""
        first, second = self._build(tmp_path / "one"), self._build(tmp_path / "deeper" / "two")
        self._same(first, second, "in two directories", "leave the session's root out of results, and sort sets")

    def test_the_same_in_other_processes(self, tmp_path: Path) -> None:
        """Results are the same with other hash seeds, in another second, time zone, locale, home and user."""
        digests: list[str] = []
        for number, surroundings in enumerate(_SURROUNDINGS):
            digests.append(self._elsewhere(tmp_path / str(number), surroundings))
            ended = int(time.time())
            while number == 0 and int(time.time()) == ended:
                time.sleep(0.05)
        if len(set(digests)) > 1:
            broken(
                "two processes make different results of the same sources",
                "look for a clock, the order of a set, hash(), and variables of the environment; sort, or leave out",
            )

    def test_no_path_in_results(self, tmp_path: Path) -> None:
        """The root is for opening files only."""
        built = self._build(tmp_path / "a directory that shows")
        root = str(tmp_path).encode()
        places = {**built.artifacts, **{f"module {item.name}": item.data for item in built.modules}}
        places |= {f"diagnostic {number}": repr(item).encode() for number, item in enumerate(built.diagnostics)}
        places["the symbols and attributes of its modules"] = repr(built.modules).encode()
        for name, data in places.items():
            if root in data:
                broken(
                    f"the path of the project is in {name}",
                    "give tools paths relative to the root, or map them (-ffile-prefix-map)",
                )

    def test_reports_what_it_reads(self, tmp_path: Path) -> None:
        """A file that is read and not reported can change without anything being made again."""
        trial = self._trial()
        trial.write(str(tmp_path))
        engine = trial.engine(str(tmp_path), workers=False)
        backend = engine.backend(*self._key())
        for stencil in trial.stencils(engine):
            made = make_watched(backend, BackendCall(CodegenBackend.compile_codegen_unit, stencil))
            known = {stencil.path, *(item.path for item in getattr(made.value, "observed", ()))}
            unseen = [path for path in made.opened if path not in known and not os.path.isabs(path)]
            if unseen:
                _unreported(stencil.path, unseen)

    def test_reports_what_its_programs_read(self, tmp_path: Path) -> None:
        """As for what it reads itself; programs are watched by strace."""
        strace = shutil.which("strace")
        if strace is None or not can_trace(strace):
            pytest.skip("cannot observe what programs read: strace is missing or not permitted")
        trial, root, log = self._trial(), tmp_path / "root", tmp_path / "log"
        root.mkdir()
        trial.write(str(root))
        command = [strace, "-f", "-y", "-qq", "-s", "4096", "-o", str(log), "-e", "trace=open,openat"]
        self._elsewhere(root, {}, command)
        known = {*trial.sources, *self._observed(root)}
        read = {os.path.relpath(path, root) for path in read_files(log, root)}
        unseen = sorted(path for path in read - known if not path.startswith((".", "trial.")))
        if unseen:
            _unreported("the sources", unseen)

    def test_what_it_includes_counts(self, tmp_path: Path) -> None:
        """An included file that changes is noticed, in the cache as well."""
        if not self.files:
            pytest.skip("no `files` are given that the sources include")
        trial, root = self._trial(), str(tmp_path)
        trial.build(root, cache=str(tmp_path / "cache"))
        changed = {path: data + b"\n" + data for path, data in trial.files.items()}
        try:
            again = replace(trial, files=changed).build(root, cache=str(tmp_path / "cache"))
        except CratewrightError:
            return  # what is there twice may be wrong, and was noticed
        if again.reused and not again.made:
            broken(
                f"{', '.join(trial.files)} changed, and the cache served what was made of it before",
                "return every file read, and every missing path, as `observed`, with its content_digest",
            )

    def test_the_cache_gives_back_what_was_made(self, tmp_path: Path) -> None:
        """A second build makes nothing, and comes to the same; made afresh and compared, it is the same."""
        trial, cache = self._trial(), str(tmp_path / "cache")
        first = trial.build(str(tmp_path / "one"), cache=cache)
        second = trial.build(str(tmp_path / "one"), cache=cache)
        if second.made:
            broken(f"a second build makes {second.made} of its results again", "report only files that are there still")
        self._same(first, second, "from the cache", "return everything in results, and keep no state")
        verified = replace(trial, environ={**trial.environ, "CRATE_CACHE_VERIFY": "1"})
        try:
            verified.build(str(tmp_path / "one"), cache=cache)
        except CratewrightError as error:
            broken(
                f"a fresh result differs from the one in the cache\n{error}", "look for input that is not in the key"
            )

    def test_side_by_side(self, tmp_path: Path) -> None:
        """Many workers come to what one does, and so do threads if `RUNS_PROGRAMS` says that they may."""
        trial = self._trial()
        one, many = self._build(tmp_path / "one"), self._build(tmp_path / "many", jobs=4)
        self._same(one, many, "by one worker and by four", "share only what init() and warm() loaded")
        engine = trial.engine(str(tmp_path / "threads"), workers=False)
        backend = engine.backend(*self._key())
        if not backend.runs_programs():
            return
        trial.write(str(tmp_path / "threads"))
        stencils = list(trial.stencils(engine)) * 4
        with ThreadPoolExecutor(4) as threads:
            units = list(threads.map(backend.compile_codegen_unit, stencils))
        if any(unit != units[number % len(self.sources)] for number, unit in enumerate(units)):
            broken(
                "threads that share one object come to different results",
                "return False from runs_programs(), or keep no state",
            )

    def test_makes_what_it_declares(self, tmp_path: Path) -> None:
        """Each crate type and each mode of LTO that is declared is made."""
        trial = self._trial()
        for kind in self.crate_types or trial.linked_types():
            for mode, capability in _MODES.items():
                if capability is not None and capability not in trial.backend.capabilities:
                    continue
                try:
                    self._build(tmp_path / f"{kind.value}-{mode.value}", kind, lto=mode.value)
                except (UnsupportedError, PluginError) as error:
                    broken(
                        f"it declares {kind.value} with lto='{mode.value}', but cannot make it\n{error}",
                        "remove it from supported_crate_types or capabilities",
                    )

    def test_lto_once(self, tmp_path: Path) -> None:
        """Crate types that take the same share one run of LTO."""
        trial = self._trial()
        kinds = tuple(kind for kind in self.crate_types or trial.linked_types() if kind in _OF_ONE_LIST)
        if len(kinds) < 2 or not trial.backend.capabilities & {Capability.FAT_LTO, Capability.THIN_LTO}:
            pytest.skip("does not apply: it links fewer than two crate types that could share LTO")
        fat = Capability.FAT_LTO in trial.backend.capabilities
        options = {**self.options, "lto": "fat" if fat else "thin"}
        built = replace(trial, crate_types=kinds[:2], options=options).build(str(tmp_path))
        if built.shared_lto != (False, True):
            broken(
                "LTO ran twice for one list of dependency formats", "make kept_symbols() independent of the crate type"
            )

    def test_lto_keeps_symbols_and_behaviour(self, tmp_path: Path) -> None:
        """What a link must offer is there after LTO, and what it does is the same."""
        trial, results = self._trial(), {}
        modes = [mode for mode, needed in _MODES.items() if needed is None or needed in trial.backend.capabilities]
        if len(modes) == 1:
            pytest.skip("does not apply: it declares no LTO")
        for mode in modes:
            directory = tmp_path / mode.value
            built = self._build(directory, lto=mode.value)
            if not any(built.artifacts.values()):
                broken(f"with lto='{mode.value}' it makes empty files", "keep what request.exported names")
            results[mode.value] = self.behaviour(built.artifacts, directory)
        if all(result is None for result in results.values()):
            pytest.skip("does not apply: results cannot be run: `behaviour` returns None")
        if any(result != results["off"] for result in results.values()):
            said = ", ".join(f"{mode}: {result!r}" for mode, result in results.items())
            broken(f"results behave differently: {said}", "keep what request.exported and request.beside need")

    def test_errors_name_their_place(self, tmp_path: Path) -> None:
        """A source that does not compile is a SourceError that says where."""
        if self.bad_source is None:
            pytest.skip("no `bad_source` is given")
        path, text = self.bad_source
        trial = replace(self._trial(), sources={path: text.encode()})
        try:
            trial.build(str(tmp_path))
        except SourceError as error:
            if not any(item.file == path for item in error.diagnostics):
                broken(
                    f"the error does not say where: {error.message.splitlines()[0]}",
                    f"raise SourceError.at('{path}', line, '...')",
                )
        except CratewrightError as error:
            broken(f"a mistake in a source is reported as {type(error).__name__}\n{error}", "raise a SourceError")
        else:
            broken(f"{path} compiles, and should not", "raise a SourceError for what cannot be compiled")

    @pytest.mark.parametrize("fault", ["crash", "hang", "garbage", "missing"])
    def test_a_tool_that_fails(self, fault: str, tmp_path: Path) -> None:
        """A tool that crashes, hangs or prints garbage is an error in time, and one of ours."""
        tool = tmp_path / "tool"
        settings = self.with_tool(tool)
        if settings is None:
            pytest.skip("does not apply: it runs no tool that a test could replace: `with_tool` returns None")
        write_broken_tool(tool, fault)
        trial = replace(self._trial(), environ={**self.environ, **settings, "CRATE_TIMEOUT": "2"})
        started = time.monotonic()
        try:
            trial.build(str(tmp_path / "root"))
        except PluginError as error:
            broken(f"a tool that fails ({fault}) is reported as a fault of the plugin\n{error}", "raise a ToolError")
        except CratewrightError:
            if time.monotonic() - started > 30:
                broken(f"a tool that fails ({fault}) is waited for too long", "kill it after session.timeout seconds")
        else:
            broken(f"a tool that fails ({fault}) is taken for one that succeeded", "look at its status and output")

    def test_an_interrupt_leaves_nothing(self, tmp_path: Path) -> None:
        """A build that is ended in the middle leaves no process, and the next one succeeds."""
        if not os.path.isdir("/proc/self"):
            pytest.skip("cannot list the processes that are left: /proc is missing")
        root = tmp_path / "root"
        root.mkdir()
        child = subprocess.Popen(
            [sys.executable, "-m", "cratewright.authors.trial", str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=child_environment({}),
            start_new_session=True,
            text=True,
        )
        assert child.stdin is not None
        child.stdin.write(self._trial().to_json())
        child.stdin.close()
        time.sleep(0.4)
        os.killpg(child.pid, signal.SIGINT)
        try:
            child.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            broken("a build does not end when it is interrupted", "do not catch KeyboardInterrupt in any method")
        deadline = time.monotonic() + 30
        while (left := processes_of(child.pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
        if left:
            os.killpg(child.pid, signal.SIGKILL)
            broken(
                f"an interrupted build leaves processes: {', '.join(left)}", "run tools with cratewright.run_program"
            )
        self._trial().build(str(root))

    # What the rules share.

    @classmethod
    def _kind(cls) -> type[CodegenBackend]:
        return default_registry().backend(cls.backend) if isinstance(cls.backend, str) else cls.backend

    @classmethod
    def _trial(cls) -> Trial:
        return Trial(
            backend=cls._kind(),
            sources={path: text.encode() for path, text in cls.sources.items()},
            files={path: text.encode() for path, text in cls.files.items()},
            options=cls.options,
            crate_types=cls.crate_types[:1],
            target=cls.target,
            environ=cls.environ,
        )

    @classmethod
    def _key(cls) -> tuple[str, str]:
        crate = cls._trial().crate()
        return crate.backend, crate.target

    def _build(self, root: Path, kind: CrateType | None = None, *, jobs: int = 1, **options: object) -> Built:
        root.mkdir(parents=True, exist_ok=True)
        trial = self._trial()
        trial = replace(trial, options={**trial.options, **options}, crate_types=(kind,) if kind else trial.crate_types)
        return trial.build(str(root), jobs=jobs)

    def _observed(self, root: Path) -> set[str]:
        trial = self._trial()
        engine = trial.engine(str(root), workers=False)
        backend = engine.backend(*self._key())
        units = [backend.compile_codegen_unit(stencil) for stencil in trial.stencils(engine)]
        return {os.path.normpath(item.path) for unit in units for item in unit.observed}

    def _elsewhere(self, root: Path, surroundings: Mapping[str, str], command: list[str] | None = None) -> str:
        root.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                *(command or []),
                sys.executable,
                "-m",
                "cratewright.authors.trial",
                str(root),
                *(["--here"] if command else []),
            ],
            input=self._trial().to_json(),
            capture_output=True,
            text=True,
            env=child_environment(surroundings),
            check=False,
        )
        if done.returncode:
            broken(f"a build in another process fails\n{done.stderr}", "see what it says")
        return done.stdout.strip()

    @staticmethod
    def _same(first: Built, second: Built, when: str, hint: str) -> None:
        if first.digest == second.digest:
            return
        names = sorted({*first.artifacts, *second.artifacts})
        differ = [name for name in names if first.artifacts.get(name) != second.artifacts.get(name)]
        old, new = ({item.name: item for item in built.modules} for built in (first, second))
        differ += [f"module {name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        broken(f"{', '.join(differ) or 'diagnostics'} differ {when}", hint)


_MODES: Mapping[LtoMode, Capability | None] = {
    LtoMode.OFF: None,
    LtoMode.FAT: Capability.FAT_LTO,
    LtoMode.THIN: Capability.THIN_LTO,
}
_OF_ONE_LIST = (CrateType.CDYLIB, CrateType.STATICLIB)
_HOME = os.path.expanduser("~") + "/"
_SURROUNDINGS: tuple[Mapping[str, str], ...] = (
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LANG": "C"},
    {"PYTHONHASHSEED": "2", "TZ": "Pacific/Apia", "LANG": "C.UTF-8", "HOME": "/nonexistent", "USER": "somebody"},
)


def _unreported(what: str, paths: list[str]) -> NoReturn:
    broken(
        f"{what}: {', '.join(paths)} is read, or looked for, and not reported",
        "return every file read, and every missing path, as `observed`",
    )
