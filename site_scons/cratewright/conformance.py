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
from typing import NoReturn

import pytest

from .authors.conformance_builds import broken
from .authors.conformance_keys import KeyRules
from .authors.conformance_lto import LtoRules
from .authors.watching import can_trace, child_environment, processes_of, read_files, write_broken_tool
from .base.errors import CratewrightError, PluginError, SourceError
from .contract.backend import CodegenBackend
from .contract.declared import find_class_fault
from .contract.methods import misspelt_method
from .pipeline.in_worker import make_watched
from .values.call import BackendCall


class Conformance(KeyRules, LtoRules):
    """Subclass this in a test module, as `class TestShout(Conformance)`, with the backend and what it compiles.

    Shape: `backend` is the name of one that is installed, or the class; `sources` are two sources, root-relative path
    to text, that can be linked together. The rest is optional: `files` that they include; `options` of the crate;
    `crate_types` that they can be linked to, if not all that the backend links; `bad_source`, a path and a text that
    does not compile; `dump` of a result for `behaviour`.
    """

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
        """The same for programs that it runs, observed by strace."""
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
        """A change of an included file makes a cached result invalid."""
        if not self.files:
            pytest.skip("no `files` are given for the sources to include")
        trial, root = self._trial(), str(tmp_path)
        trial.build(root, cache=str(tmp_path / "cache"))
        changed = {path: data + b"\n" + data for path, data in trial.files.items()}
        try:
            again = replace(trial, files=changed).build(root, cache=str(tmp_path / "cache"))
        except CratewrightError:
            return  # duplicated content may be an error; then the change was noticed
        if again.reused and not again.made:
            broken(
                f"{', '.join(trial.files)} changed, but the cache returned the old result",
                "return every file read, and every missing path, as `observed`, with its content_digest",
            )

    def test_the_cache_gives_back_what_was_made(self, tmp_path: Path) -> None:
        """A second build takes all from the cache, with equal results; so are fresh ones."""
        trial, cache = self._trial(), str(tmp_path / "cache")
        first = trial.build(str(tmp_path / "one"), cache=cache)
        second = trial.build(str(tmp_path / "one"), cache=cache)
        if second.made:
            broken(f"a second build makes {second.made} of its results again", "report only files that still exist")
        self._same(first, second, "from the cache", "return everything in results, and keep no state")
        verified = replace(trial, environ={**trial.environ, "CRATE_CACHE_VERIFY": "1"})
        try:
            verified.build(str(tmp_path / "one"), cache=cache)
        except CratewrightError as error:
            broken(
                f"a fresh result differs from the one in the cache\n{error}", "look for input that is not in the key"
            )

    def test_side_by_side(self, tmp_path: Path) -> None:
        """Many workers give the same results as one, and so do threads if `RUNS_PROGRAMS` allows them."""
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
                "threads that share one object give different results",
                "return False from runs_programs(), or keep no state",
            )

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
                broken(
                    f"a tool that fails ({fault}) holds up the build too long", "kill it after session.timeout seconds"
                )
        else:
            broken(f"a tool that fails ({fault}) is taken for a success", "check its status and output")

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
