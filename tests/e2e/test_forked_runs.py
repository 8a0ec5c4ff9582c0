"""Runs of `scons` that are forked for the tests: all that a new process would show."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT
from tests.support.scons_project import IN_PLACE, SconsProject, server_of

SEEN = """
import atexit, os, signal, sys
atexit.register(lambda: print("LEFT", flush=True))
print(sys.argv[1:], os.getcwd(), sys.stdin.read(), sys.path[0], __name__, ARGUMENTS)
print(sorted(item for item in os.environ.items() if not item[0].startswith(("PYTHON", "LC_"))))
sys.stderr.write("said\\n")
env.Crate("app", ["a.stub"], crate_type="cdylib")
"""
ENDS = {
    "a build": "",
    "a status": "Exit(3)",
    "a text": "sys.exit('a text')",
    "an exception": "nothing",
    "a mistake of the user": "env.Crate('app', 'a.stub')",
    "a signal": "os.kill(os.getpid(), signal.SIGTERM)",
    "an exit at once": "os._exit(7)",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_fork_is_a_run_of_scons(scons_project: SconsProject, end: str) -> None:
    scons_project.sconstruct(SEEN + ENDS[end], a="entry a\n")
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
        # How SCons was started stands above its own frames, and a fork has none of it.
        stderr = [line for line in done.stderr.splitlines() if not line.startswith("  ")]
        shown.append((done.returncode, done.stdout, stderr, scons_project.snapshot()))
        for name in ("app.rlink", "libapp.rlib", "app.txt"):
            (scons_project.path / name).unlink(missing_ok=True)
        for state in scons_project.path.glob(".*"):
            state.unlink()
    assert shown[0] == shown[1]
    assert "KEY=1" in shown[0][1]


def test_the_server_can_do_ahead_what_it_should() -> None:
    """What fails in the server is only slow: each run would do it again."""
    places = [str(ROOT / "tests/support"), str(ROOT / "site_scons")]
    code = f"import sys; sys.path[1:1] = {places}; import warm_scons; warm_scons.warm()"
    subprocess.run([sys.executable, "-c", code], check=True)
