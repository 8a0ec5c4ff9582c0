"""The cost of a command: CPU of all its processes, wall clock and memory; and the programs for comparisons."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "site_scons")]

from tests.support.paths import source_paths  # noqa: E402

sys.path[:0] = source_paths()

from cratewright.base.errors import ToolError  # noqa: E402

__all__ = [
    "LEFT",
    "ROOT",
    "Cost",
    "adopt_orphans",
    "c_program",
    "found",
    "measure",
    "scons",
    "script",
    "share_of_others",
    "stale",
    "versions",
]

LEFT = (
    *("*.spvs", "*.spv", "*.spv.json", "*.rlib", "*.rlink", "*.members"),
    *(".*.state", ".scons*", ".crate-cache", "__pycache__"),
)
"""What builds leave behind in a project that is copied or built anew."""

_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a command.

    Units: `cpu` and `wall` in seconds; `memory` in MiB, of the largest of its processes (less than this process has is
    not seen) or of all of them together.
    """

    cpu: float
    wall: float
    memory: float = 0.0


def measure(command: Sequence[str], cwd: Path, environment: Mapping[str, str], *, together: bool = False) -> Cost:
    """Run a command and return the cost of it and all its descendants; its output is in `build.log` beside it.

    Shape: with `together` the memory of all is sampled four times a second, with shared pages counted once.
    Raises: ToolError.
    """
    log = cwd / "build.log"
    before, start = _children(), time.perf_counter()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )
        with _watched(process.pid) if together else nullcontext() as most:
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    _reap_orphans()
    if status:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        rows = [("status", process.returncode), ("said", "\n".join(tail))]
        raise ToolError(f"{Path(command[0]).name} failed", context=rows)
    return Cost(_children() - before, wall, max(most or [used.ru_maxrss]) / 1024)


@contextmanager
def share_of_others() -> Iterator[Callable[[], float]]:
    """Yield a function that returns, at the end, the share of the processors used by other processes. Linux only."""
    busy, whole = _processors()
    own = sum(os.times()[:4])
    share = 0.0
    yield lambda: share
    busy, whole = (after - before for after, before in zip(_processors(), (busy, whole), strict=True))
    own = (sum(os.times()[:4]) - own) * os.sysconf("SC_CLK_TCK")
    share = max(0.0, (busy - own) / max(whole, 1))


def adopt_orphans() -> None:
    """Become the reaper of processes that outlive their build, so that they are counted. Linux only.

    Raises: ToolError.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0):
        raise ToolError("orphans cannot be counted", context=[("why", os.strerror(ctypes.get_errno()))])


def found(name: str) -> str:
    """Return the program of this name in the current environment, else on PATH, else an empty string."""
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
    """Return the versions of Python, SCons and the available ones of `programs`."""
    known = [f"Python {sys.version.split()[0]}", f"SCons {metadata.version('scons')}"]
    for name in programs:
        if path := found(name):
            done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            line = next(iter(done.stdout.splitlines()), "").strip()
            known.append(line if name.split("-")[0] in line else f"{name} {line}")
    return known


def stale() -> list[str]:
    """Return the installed plugins that differ from this checkout, which builds would use."""
    found: list[str] = []
    for package in sorted(ROOT.glob("plugins/*/src/*/__init__.py")):
        name = package.parent.name
        try:
            distribution = metadata.distribution(name.replace("_", "-"))
        except metadata.PackageNotFoundError:
            continue
        installed = Path(str(distribution.locate_file(name)))
        files = [path.relative_to(package.parent) for path in package.parent.rglob("*.py")]
        if any(_bytes(installed / file) != _bytes(package.parent / file) for file in files):
            found.append(distribution.metadata["Name"])
    return found


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """Yield a growing list of the KiB held by a process and its descendants."""
    held: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.25):
            held.append(sum(map(_held, _below(pid))))

    thread = threading.Thread(target=watch)
    thread.start()
    yield held
    over.set()
    thread.join()


def _below(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the process has ended
            for child in task.read_text().split():
                yield from _below(int(child))


def _held(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _processors() -> tuple[int, int]:
    """Return the busy ticks and the total ticks of all processors."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


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
