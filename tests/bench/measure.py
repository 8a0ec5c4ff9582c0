"""What a command took: CPU of all that it started, wall clock, memory; and which programs there are to compare with.

Knows nothing of what is built.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "site_scons")]

from tests.support.paths import source_paths  # noqa: E402

sys.path[:0] = source_paths()

from cratewright.base.errors import ToolError  # noqa: E402

__all__ = ["LEFT", "ROOT", "Cost", "adopt_orphans", "c_program", "found", "measure", "scons", "script", "versions"]

LEFT = ("*.spvs", "*.spv", "*.spv.json", "*.rlib", "*.rlink", "*.members", ".scons*", ".crate-cache", "__pycache__")
"""What builds leave behind in a project that is copied or built anew."""

_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """What one command took.

    Units: `cpu` and `wall` in seconds; `memory` in MiB, of the largest of its processes; less than this process has is
    not seen.
    """

    cpu: float
    wall: float
    memory: float = 0.0


def measure(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command and return what it and all its descendants took; what it says is in `build.log` beside it.

    Raises: ToolError.
    """
    log = cwd / "build.log"
    before, start = _children(), time.perf_counter()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    _reap_orphans()
    if status:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        rows = [("status", process.returncode), ("said", "\n".join(tail))]
        raise ToolError(f"{Path(command[0]).name} failed", context=rows)
    return Cost(_children() - before, wall, used.ru_maxrss / 1024)


def adopt_orphans() -> None:
    """See to it that a process that outlives its build is reaped, and counted, here. Linux only.

    Raises: ToolError.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0):
        raise ToolError("orphans cannot be counted", context=[("why", os.strerror(ctypes.get_errno()))])


def found(name: str) -> str:
    """Return the program of this name in the current environment, else on PATH; empty if there is none."""
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    return shutil.which(name, path=places) or ""


def script(name: str) -> str:
    """Return the program of this name.

    Raises: ToolError.
    """
    path = found(name)
    if not path:
        raise ToolError(f"'{name}' is not installed", hint=f"pip install {name}")
    return path


def scons(*words: str, jobs: int = 2) -> list[str]:
    """Return the command of SCons with this checkout's crates."""
    return [sys.executable, "-m", "SCons", "-Q", f"-j{jobs}", f"--site-dir={ROOT / 'site_scons'}", *words]


def c_program(source: Path, program: Path) -> None:
    """Compile a baseline that is one C file.

    Raises: ToolError.
    """
    compiler = found("cc")
    if not compiler:
        raise ToolError("the baseline takes a C compiler", hint="install gcc")
    subprocess.run([compiler, "-O1", "-o", program, source, "-ldl"], check=True)


def versions(programs: Sequence[str]) -> list[str]:
    """Return what runs here: Python, SCons, and those of some programs that are there."""
    known = [f"Python {sys.version.split()[0]}", f"SCons {metadata.version('scons')}"]
    for name in programs:
        if path := found(name):
            done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            line = next(iter(done.stdout.splitlines()), "").strip()
            known.append(line if name.split("-")[0] in line else f"{name} {line}")
    return known


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap_orphans(patience: float = 10.0) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() > deadline:
                raise ToolError("the build left a process running, so its time is not known")
            time.sleep(0.02)
