"""Whole backend calls on another machine: same results as local calls, or a fallback to local calls.

No server runs: the other machine is a directory.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cratewright.base.errors import PluginError, SourceError
from cratewright.cache.entry import result_bytes
from cratewright.contract.backend import CodegenBackend
from cratewright.contract.edge import open_backend
from cratewright.contract.session import Session
from cratewright.pipeline.job import Job
from cratewright.pipeline.remote_calls.messages import REPORT, Answer, Report, encode_report, pack_calls
from cratewright.pipeline.remote_calls.sender import Sender
from cratewright.system.elsewhere import Ran, set_runner
from cratewright.system.fs import FileDigests
from cratewright.values.call import BackendCall
from cratewright.values.module import CompiledUnit, ModuleCodegen
from cratewright.values.options import Options
from cratewright.values.stencil import UnitStencil
from tests.support.other_machine import OtherMachine

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = """\
import os

from cratewright import SourceError, ToolError
from cratewright.testing import StubBackend


class Far(StubBackend):
    "The stub, which reads what it does not tell of if it is told to."

    NAME = "far"
    names = True

    def is_portable(self, call):
        return True

    def included_names(self, text):
        return super().included_names(text) if b"include plain" in text else ()

    def compile_codegen_unit(self, stencil):
        os.close(os.open(self.session.root, os.O_RDONLY))  # neither a file nor a missing path
        if b"hidden" in stencil.source:
            with open(os.path.join(self.session.root, "hidden.txt")) as file:
                file.read()
        if b"broken" in stencil.source:
            raise ToolError("the tool is broken")
        return super().compile_codegen_unit(stencil)
"""


class RemoteProject:
    """A project, another machine, and the sender that connects them."""

    def __init__(self, root: Path, python: str = sys.executable, fingerprint: str = "stub 1") -> None:
        (root / "code").mkdir(parents=True)
        (root / "code" / "far_plugin.py").write_text(PLUGIN)
        self.root = root / "project"
        self.root.mkdir()
        self.machine = OtherMachine(root / "there")
        self.backend = open_backend(
            importlib.import_module("far_plugin").Far, Session(root=str(self.root), target="text")
        )
        digests = FileDigests(str(self.root))
        session = self.backend.session
        self.sender = Sender(self.backend, str(self.root), session, python, fingerprint, digests.digest)
        set_runner(self.machine.run)

    def write(self, **files: str) -> None:
        """Write files; in a name `__` stands for `/`, and the last `_` for `.`."""
        for name, text in files.items():
            path = self.root / ".".join(name.replace("__", "/").rsplit("_", 1))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def job(self, path: str, *reads: str, directories: tuple[str, ...] = ("inc",)) -> Job[CompiledUnit]:
        """Return the job that compiles a file."""
        options = Options((("defines", ()), ("include_dirs", directories)))
        source = (self.root / path).read_bytes()
        stencil = UnitStencil(
            backend="far", fingerprint="stub 1", target="text", path=path, source=source, options=options
        )
        return Job(BackendCall(CodegenBackend.compile_codegen_unit, stencil), path, reads=reads)

    def check_same_results(self, *jobs: Job[CompiledUnit]) -> None:
        """Check that remote calls give the same results as local ones."""
        for job, outcome in zip(jobs, self.sender.make(jobs), strict=True):
            assert outcome is not None and outcome.get() == job.call.of(self.backend)

    def sent(self) -> list[list[str]]:
        """Return the project files sent with each run."""
        return [sorted(path[8:] for path in files if path.startswith("project/")) for files in self.machine.staged]


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteProject]:
    """Return a project and another machine."""
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    sys.modules.pop("far_plugin", None)
    (tmp_path / "code").mkdir()
    (tmp_path / "code").rmdir()
    importlib.invalidate_caches()
    yield RemoteProject(tmp_path)
    set_runner(None)
    sys.modules.pop("far_plugin", None)


def test_only_files_that_are_read_are_sent(remote: RemoteProject) -> None:
    remote.write(
        a_stub="include plain.inc\nexport a\n", b_stub="export b\nwarning careful\n", inc__plain_inc="import c\n"
    )
    remote.write(inc__other_inc="", secret_txt="")
    remote.check_same_results(remote.job("a.stub"), remote.job("b.stub"))
    assert remote.sent() == [["a.stub", "b.stub", "inc/plain.inc"]]


def test_missing_files_are_sent_with_the_next_run(remote: RemoteProject) -> None:
    """Files found only through nested includes; in the next build, reads of the last one are known."""
    remote.write(a_stub="include one.inc\n", sub__b_stub="include ../two.inc\n", c_stub="export c\n")
    remote.write(inc__one_inc="include two.inc\n", inc__two_inc="export two\n", two_inc="export near\n")
    remote.check_same_results(remote.job("a.stub"), remote.job("sub/b.stub"), remote.job("c.stub"))
    first, second, third, *more = remote.sent()
    assert first == ["a.stub", "c.stub", "sub/b.stub"] and second == ["a.stub", "inc/one.inc", "sub/b.stub", "two.inc"]
    assert third == ["a.stub", "inc/one.inc", "inc/two.inc"] and not more
    remote.machine.staged.clear()
    remote.check_same_results(remote.job("a.stub", "one.inc", "inc/one.inc", "two.inc", "inc/two.inc"))
    assert len(remote.sent()) == 1


def test_remote_error_equals_the_local_one(remote: RemoteProject) -> None:
    remote.write(a_stub="include plain.inc\n", b_stub="include nowhere.inc\n", inc__plain_inc="error wrong\n")
    for name in ("a.stub", "b.stub"):
        remote.machine.staged.clear()
        job = remote.job(name)
        (outcome,) = remote.sender.make([job])
        assert outcome is not None and isinstance(outcome.error, SourceError)
        with pytest.raises(SourceError) as here:
            job.call.of(remote.backend)
        assert str(outcome.error) == str(here.value) and len(remote.sent()) == 1


def test_unreported_read_is_an_error(remote: RemoteProject) -> None:
    remote.write(a_stub="# hidden\nexport a\n", hidden_txt="x")
    (outcome,) = remote.sender.make([remote.job("a.stub")])
    assert outcome is not None and isinstance(outcome.error, PluginError) and "reads hidden.txt" in str(outcome.error)


@pytest.mark.parametrize("text", ["# broken\n", "crash\n"])
def test_possible_fault_of_the_machine_falls_back_to_a_local_call(
    remote: RemoteProject, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    remote.write(a_stub=text)
    for _ in range(4):
        assert remote.sender.make([remote.job("a.stub")]) == [None]
    assert len(remote.sent()) == (4 if "broken" in text else 3)
    assert capfd.readouterr().err.count("on this machine alone") == ("crash" in text)


def test_files_outside_the_project_fall_back_to_a_local_call(remote: RemoteProject, tmp_path: Path) -> None:
    remote.write(inc__plain_inc="export x\n", real__y_inc="export y\n", a_stub="include plain.inc\n")
    (tmp_path / "far.inc").write_text("export far\n")
    os.symlink("real", remote.root / "linked")
    remote.write(b_stub="include linked/y.inc\n", c_stub="include ../far.inc\n", d_stub="include plain.inc\n")
    jobs = [remote.job("b.stub"), remote.job("c.stub"), remote.job("d.stub", directories=(str(remote.root / "inc"),))]
    assert remote.sender.make(jobs) == [None, None, None]
    remote.check_same_results(remote.job("a.stub"))


def test_machine_with_other_tools_is_not_used(remote: RemoteProject, capfd: pytest.CaptureFixture[str]) -> None:
    remote.write(a_stub="export a\n")
    job = remote.job("a.stub")
    remote.sender.fingerprint = "stub 2"
    assert remote.sender.make([job]) == remote.sender.make([job]) == [None] and len(remote.sent()) == 1
    assert "its tools differ there" in capfd.readouterr().err


def test_code_installed_on_the_machine(remote: RemoteProject, capfd: pytest.CaptureFixture[str]) -> None:
    """No code is sent; a machine with other code, or without it, is not used."""
    remote.write(a_stub="export a\n")
    remote.sender.installed = "digest"
    job = remote.job("a.stub")
    assert [remote.sender.make([job]) for _ in range(4)] == [[None]] * 4 and len(remote.machine.staged) == 1
    assert not any(path.startswith("code/") for files in remote.machine.staged for path in files)
    assert "far_plugin" in capfd.readouterr().err
    report = Report("stub 1", (Answer(result=result_bytes(UNIT)),), code="another digest")
    remote.machine.altered = lambda ran: Ran(0, b"", b"", {REPORT: encode_report(report)})
    remote.sender.left, remote.sender._failures = "", 0
    assert [remote.sender.make([job]) for _ in range(2)] == [[None]] * 2 and len(remote.machine.staged) == 2
    assert "another version of cratewright or of the backend is installed there" in capfd.readouterr().err


UNIT = CompiledUnit(modules=(ModuleCodegen(name="", data=b"x"),))


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"\xff junk",
        encode_report(Report("stub 1", ())),
        encode_report(Report("stub 1", (Answer(result=b"junk"),))),
        encode_report(Report("stub 1", (Answer(result=result_bytes(UNIT.modules[0])),))),
        encode_report(Report("stub 1", (Answer(result=result_bytes(replace(UNIT, modules=()))),))),
    ],
)
def test_invalid_report_falls_back_to_a_local_call(remote: RemoteProject, report: bytes) -> None:
    remote.write(a_stub="export a\n")
    set_runner(lambda portable: Ran(0, b"", b"", {REPORT: report}))
    assert remote.sender.make([remote.job("a.stub")]) == [None]


def test_equal_calls_have_equal_bytes() -> None:
    def call(text: str) -> BackendCall[Any]:
        options = Options((("defines", ()), ("include_dirs", (text, "".join([text])))))
        stencil = UnitStencil(backend="x", fingerprint="", target="", path=text, source=b"", options=options)
        return BackendCall(CodegenBackend.compile_codegen_unit, stencil)

    session = Session(root="", target="")
    assert pack_calls("m:C", session, [call("name")]) == pack_calls("m:C", session, [call("".join(["na", "me"]))])
