"""The conformance suite: the stub passes, and a backend that breaks a rule is told which and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from _pytest.outcomes import Failed

from cratewright.contract.backend import CodegenBackend
from cratewright.testing import Conformance, StubBackend, Trial
from cratewright.values.crate_type import CrateType
from cratewright.values.module import ModuleCodegen
from cratewright.values.request import ModuleConfig
from tests.support import broken_backends as broken
from tests.support.bounds import HANG


class TestStub(Conformance):
    """The suite for the stub."""

    backend: ClassVar[str | type[CodegenBackend]] = StubBackend
    sources: ClassVar[Mapping[str, str]] = {
        "a.stub": "include x.inc\nentry main @f\nimport f\n",
        "more/b.stub": "export f body\n",
    }
    files: ClassVar[Mapping[str, str]] = {"x.inc": "export x\n"}
    bad_source = ("bad.stub", "entry a\nerror this is wrong\n")
    crate_types = (CrateType.CDYLIB, CrateType.STATICLIB)

    def behaviour(self, artifacts: Mapping[str, bytes], directory: Path) -> object:
        """Return the names of the entry points."""
        words = {line.split()[1] for data in artifacts.values() for line in data.splitlines() if line[:5] == b"entry"}
        return sorted(words)


BROKEN = [
    (broken.UsesClock, "test_the_same_in_other_processes", "two processes make different", "a clock"),
    (
        broken.DependsOnSetOrder,
        "test_the_same_in_other_processes",
        "two processes make different",
        "the order of a set",
    ),
    (broken.DependsOnPlace, "test_the_fingerprint_is_the_same_everywhere", "depends on the directory", "no path"),
    (broken.ShowsThePath, "test_no_path_in_results", "the path of the project is in", "relative to the root"),
    (
        broken.ShowsThePath,
        "test_the_same_twice_and_at_another_path",
        "differ in two directories",
        "leave the session's",
    ),
    (broken.ReadsUnreported, "test_reports_what_it_reads", "x.inc is read, or looked for, and not", "as `observed`"),
    (
        broken.ProgramReadsUnreported,
        "test_reports_what_its_programs_read",
        "secret.txt is read, or looked for",
        "every missing path",
    ),
    (
        broken.IncludesUnreported,
        "test_what_it_includes_counts",
        "x.inc changed, but the cache returned",
        "return every file read",
    ),
    # Found by workers, or by threads if one worker did everything before the others had started.
    (broken.CountsCalls, "test_side_by_side", "differ", ""),
    (broken.PromisesTooMuch, "test_makes_what_it_declares", "it declares dylib with lto='off'", "remove it from"),
    (broken.DeadOption, "test_the_class_is_sound", "option 'dead' reaches neither", "name it in UNIT_OPTIONS"),
    (broken.FormsWithoutOptions, "test_every_option_counts", "differently with another 'debuginfo'", "into the key of"),
    (broken.Misspelt, "test_the_class_is_sound", "print_pass_timing() is not a method", "print_pass_timings()?"),
    (broken.PlacelessErrors, "test_errors_name_their_place", "does not say where", "raise SourceError.at("),
    (
        broken.DropsExports,
        "test_lto_keeps_symbols_and_behaviour",
        "results behave differently",
        "keep what request.exported",
    ),
]


@pytest.mark.parametrize(
    ("kind", "rule", "text", "hint"), BROKEN, ids=[f"{row[0].__name__}-{row[1]}" for row in BROKEN]
)
def test_broken_rule_is_reported_with_a_hint(
    kind: type[StubBackend], rule: str, text: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Suite(TestStub):
        backend = kind
        crate_types = (CrateType.CDYLIB,) if kind is not broken.PromisesTooMuch else (CrateType.DYLIB,)

    with pytest.raises(Failed) as caught:
        getattr(Suite(), rule)(tmp_path) if rule != "test_the_class_is_sound" else Suite().test_the_class_is_sound()
    message = str(caught.value)
    assert text in message and hint in message.partition("hint: ")[2], message


class Optimizes(StubBackend):
    """Marks each module, and leaves a file named after the process that did it."""

    def optimize(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Append a mark to a module."""
        Path(self.session.root, f"{module.name.replace('/', '_')}.{os.getpid()}").touch()
        return replace(module, data=module.data + b"optimized alone\n")


class OptimizesEntries(Optimizes):
    """Optimizes only modules with entry points."""

    def needs_optimizing(self, module: ModuleCodegen) -> bool:
        """Return whether a module has an entry point."""
        return bool(module.entry_points)


def test_optimize_is_called_only_for_modules_that_need_it(tmp_path: Path) -> None:
    trial = Trial(backend=OptimizesEntries, sources={"a.stub": b"export a\n", "b.stub": b"entry b\n"})
    result = trial.build(str(tmp_path / "root"), jobs=1, cache="off")
    assert [module.data.endswith(b"optimized alone\n") for module in result.modules] == [False, True]
    assert [path.name.partition(".")[0] for path in (tmp_path / "root").glob("*.stub.o.*")] == ["b"]


def test_optimize_runs_in_workers_and_is_cached(tmp_path: Path) -> None:
    trial = Trial(backend=Optimizes, sources={"a.stub": b"entry a\n", "b.stub": b"export b\n"})
    cache = str(tmp_path / "cache")
    first = trial.build(str(tmp_path / "root"), jobs=2, cache=cache)
    assert [module.data.endswith(b"optimized alone\n") for module in first.modules] == [True, True]
    pids = {path.suffix[1:] for path in (tmp_path / "root").glob("*.stub.o.*")}
    assert pids and str(os.getpid()) not in pids
    for path in (tmp_path / "root").glob("*.stub.o.*"):
        path.unlink()
    again = trial.build(str(tmp_path / "root"), jobs=2, cache=cache)
    assert again.modules == first.modules and not list((tmp_path / "root").glob("*.stub.o.*"))


@pytest.mark.parametrize("fault", ["crash", "hang", "garbage", "missing"])
def test_broken_tool_fails_as_asked(fault: str, tmp_path: Path) -> None:
    import signal

    from cratewright import CratewrightError, run_program
    from cratewright.authors.watching import write_broken_tool

    tool = tmp_path / "tool"
    write_broken_tool(tool, fault)
    try:
        done = run_program([str(tool)], what="it", timeout=0.3 if fault == "hang" else HANG)
    except (OSError, CratewrightError) as error:
        assert fault in ("missing", "hang"), error
    else:
        assert done.status == {"crash": -signal.SIGSEGV, "garbage": 0}[fault]
        assert bool(done.stdout) == (fault == "garbage")
