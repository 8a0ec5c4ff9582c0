"""The tests' forked runs of `scons` behave like runs in a new process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT
from tests.support.scons_project import IN_PLACE, SconsProject, server_of

SHOW = """
import atexit, os, signal, sys
atexit.register(lambda: print("LEFT", flush=True))
print(sys.argv[1:], os.getcwd(), sys.stdin.read(), sys.path[0], __name__, ARGUMENTS)
print(sorted(item for item in os.environ.items() if not item[0].startswith(("PYTHON", "LC_"))))
sys.stderr.write("said\\n")
env.Crate("app", ["a.stub"], crate_type="cdylib")
"""
ENDINGS = {
    "a build": "",
    "a status": "Exit(3)",
    "a text": "sys.exit('a text')",
    "an exception": "nothing",
    "a mistake of the user": "env.Crate('app', 'a.stub')",
    "a signal": "os.kill(os.getpid(), signal.SIGTERM)",
    "an exit at once": "os._exit(7)",
}


@pytest.mark.parametrize("end", ENDINGS)
def test_forked_run_equals_new_process(scons_project: SconsProject, end: str) -> None:
    scons_project.sconstruct(SHOW + ENDINGS[end], a="entry a\n")
    arguments = ["-Q", "--site-dir", str(ROOT / "site_scons"), "-k", "KEY=1"]
    environ = {**scons_project.environ, "PATH": os.environ["PATH"], "CRATE_CACHE": "off"}
    command = [sys.executable, "-m", "SCons", *arguments]
    shown = []
    for forked in (False, True):
        if forked:
            done = server_of(IN_PLACE).run(arguments, cwd=scons_project.path, environ=environ, timeout=60)
        else:
            done = subprocess.run(
                command,
                cwd=scons_project.path,
                env={**environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        # A new process also shows the frames that started SCons.
        stderr = [line for line in done.stderr.splitlines() if not line.startswith("  ")]
        shown.append((done.returncode, done.stdout, stderr, scons_project.snapshot()))
        for name in ("app.rlink", "libapp.rlib", "app.txt"):
            (scons_project.path / name).unlink(missing_ok=True)
        for state in scons_project.path.glob(".*"):
            state.unlink()
    assert shown[0] == shown[1]
    assert "KEY=1" in shown[0][1]


def test_server_can_warm_up() -> None:
    """A failure to warm up would go unnoticed: it only makes each run slower."""
    places = [str(ROOT / "tests/support"), str(ROOT / "site_scons")]
    code = f"import sys; sys.path[1:1] = {places}; import warm_scons; warm_scons.warm()"
    subprocess.run([sys.executable, "-c", code], check=True)
