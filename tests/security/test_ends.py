"""A build that ends early leaves no process and no scratch directory.

A backend hangs in each method that may run a program.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bounds import HANG, ends, until
from tests.support.paths import ROOT
from tests.support.processes import left_processes
from tests.support.scons_project import SconsProject

BACKEND = """\
import os, time
import cratewright
from cratewright.system.child import run_program
from cratewright.system.scratch import scratch_directory
from cratewright.testing import StubBackend

def hang(where):
    if where == os.environ.get("HANG"):
        with scratch_directory() as directory:
            (directory / "big").write_bytes(b"x")
            # A wrapper, its compiler, and a process that the compiler started.
            run_program(["sh", "-c", "(sleep 98.765; true) & touch $0/hangs; sleep 98.765; true", os.environ["MARK"]])

class Hangs(StubBackend):
    NAME = "hangs"

    def fingerprint(self):
        hang("fingerprint")
        return super().fingerprint()

    def warm(self, stencils):
        hang("warm")

    def compile_codegen_unit(self, stencil):
        hang("compile")
        return super().compile_codegen_unit(stencil)

    def split_link(self, request):
        hang("split")
        return super().split_link(request)

    def link(self, request):
        hang("link")
        return super().link(request)

class Runs(Hangs):
    NAME = "runs"
    RUNS_PROGRAMS = True

kind = globals()[os.environ["KIND"]]

@cratewright.hookimpl
def cratewright_register_backend():
    return kind
"""
SCONSTRUCT = """\
import sys
sys.path.insert(0, ".")
import cratewright, hanging
DefaultEnvironment(tools=[]), cratewright.register(hanging)
env = Environment(tools=[cratewright.tool], CRATE_BACKEND=hanging.kind.NAME)
for n in range(2):
    env.Crate(f"a{n}", [f"a{n}.stub", "b.stub"], crate_type="cdylib")
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a project of two crates whose backend hangs in the method that `HANG` names."""
    scons_project.write(
        {
            "SConstruct": SCONSTRUCT,
            "hanging.py": BACKEND,
            "a0.stub": "entry a\n",
            "a1.stub": "entry b\n",
            "b.stub": "export b\n",
            "tmp/.keep": "",
        }
    )
    scons_project.environ |= {"TMPDIR": str(scons_project.path / "tmp"), "MARK": str(scons_project.path)}
    return scons_project


def _start(project: SconsProject, *words: str, **environ: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "SCons", *words],
        cwd=project.path,
        env={**os.environ, **project.environ, "PYTHONPATH": str(ROOT / "site_scons"), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    until(lambda: (project.path / "hangs").exists() or process.poll() is not None)
    if not (project.path / "hangs").exists():
        pytest.fail(f"the build did not hang: {process.communicate()[0].decode()}")
    return process


def _wait_until_ended(project: SconsProject, process: subprocess.Popen[bytes]) -> str:
    try:
        with ends():
            output = process.communicate(timeout=HANG)[0].decode()
    finally:
        process.kill()
    until(lambda: not left_processes(project.path))
    assert os.listdir(project.path / "tmp") == [".keep"], output
    assert "Traceback" not in output and "crashed" not in output, output
    (project.path / "hangs").unlink()
    return output


PLACES = [
    ("Hangs", "compile", signal.SIGINT, True, "-j2"),
    ("Hangs", "compile", signal.SIGTERM, False, "-j1"),
    ("Hangs", "compile", signal.SIGHUP, False, "-j2"),
    ("Hangs", "warm", signal.SIGINT, False, "-j2"),
    ("Hangs", "split", signal.SIGTERM, True, "-j1"),
    ("Runs", "link", signal.SIGINT, False, "-j1"),
    ("Runs", "link", signal.SIGHUP, True, "-j2"),
]


@pytest.mark.parametrize(("kind", "place", "number", "group", "jobs"), PLACES)
def test_signal_ends_build_at_once(
    project: SconsProject, kind: str, place: str, number: int, group: bool, jobs: str
) -> None:
    process = _start(project, jobs, KIND=kind, HANG=place)
    (os.killpg if group else os.kill)(process.pid, number)
    output = _wait_until_ended(project, process)
    assert process.returncode == 2 and "interrupted" in output
    project.environ["KIND"] = kind
    project.scons()
    assert project.exists("a0.cdylib") and project.up_to_date()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_backend_call_while_planning(project: SconsProject, number: int) -> None:
    process = _start(project, KIND="Hangs", HANG="fingerprint")
    os.kill(process.pid, number)
    _wait_until_ended(project, process)
    assert process.returncode == (2 if number == signal.SIGINT else -number)


@pytest.mark.parametrize(
    ("kind", "place"),
    [("Hangs", "compile"), ("Hangs", "warm"), ("Hangs", "fingerprint"), ("Runs", "link")],
)
def test_timeout_ends_programs_of_the_backend(project: SconsProject, kind: str, place: str) -> None:
    process = _start(project, "-j2", KIND=kind, HANG=place, CRATE_TIMEOUT="2")
    output = _wait_until_ended(project, process)
    assert process.returncode == 2 and "CRATE_TIMEOUT" in output and "2 s" in output


@pytest.mark.parametrize(
    ("kind", "place"), [("Hangs", "compile"), ("Hangs", "warm"), ("Hangs", "link"), ("Runs", "link")]
)
def test_killed_build_leaves_no_process_and_next_build_removes_scratch(
    project: SconsProject, kind: str, place: str
) -> None:
    process = _start(project, KIND=kind, HANG=place)
    process.kill()
    process.communicate(timeout=HANG)  # until every process that holds the pipe has ended
    until(lambda: not left_processes(project.path))
    assert len(os.listdir(project.path / "tmp")) == 3
    project.environ["KIND"] = "Hangs"
    project.scons()
    assert os.listdir(project.path / "tmp") == [".keep"]


def test_killed_warm_process_takes_its_programs_along(project: SconsProject) -> None:
    process = _start(project, KIND="Hangs", HANG="warm")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    zygote = next(int(child) for child in children if Path(f"/proc/{child}/comm").read_text() != "sh\n")
    os.kill(zygote, signal.SIGKILL)
    output = process.communicate(timeout=HANG)[0].decode()
    assert "the worker process ended unexpectedly" in output and "Traceback" not in output
    assert process.returncode == 2
    until(lambda: not left_processes(project.path))


def test_signal_ends_link_command(project: SconsProject) -> None:
    (project.path / "reg.py").write_text(
        "import cratewright, hanging\ncratewright.register(hanging)\n"
        "from cratewright.cli import main\nraise SystemExit(main())\n"
    )
    project.environ["KIND"] = "Hangs"
    project.scons()
    for number, status in ((signal.SIGINT, 2), (signal.SIGTERM, -signal.SIGTERM)):
        process = _run_link(project)
        os.kill(process.pid, number)
        _wait_until_ended(project, process)
        assert process.returncode == status


def _run_link(project: SconsProject) -> subprocess.Popen[bytes]:
    environ = {**os.environ, **project.environ, "PYTHONPATH": f"{ROOT / 'site_scons'}:.", "HANG": "link"}
    environ["CRATE_CACHE"] = "off"
    process = subprocess.Popen(
        [sys.executable, "reg.py", "link", "a0.rlink", "-o", "out"],
        cwd=project.path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    until(lambda: (project.path / "hangs").exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()[0]
    return process
