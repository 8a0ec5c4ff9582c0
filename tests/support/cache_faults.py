"""Faults of a store that builds use: kills, corruption and a full disk. Results must stay right.

Tests run a few of each, `tests/bench/cache_faults.py` many.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .engine_build import build_here
from .paths import ROOT
from .random_tree import RandomTree, outputs_of
from .scons_project import SconsProject

__all__ = ["corrupt_and_build", "fill_and_build", "kill_and_build"]


def kill_and_build(directory: Path, *, kills: int, builds: int, seed: int = 1) -> str:
    """Kill concurrent builds that share a store at random moments, then complete them; return a summary.

    Raises: AssertionError if a later build fails, hangs, or differs from a clean one.
    """
    rng, tree = random.Random(seed), RandomTree(seed, "stub")
    projects = [SconsProject(directory / f"checkout{number}") for number in range(builds)]
    before: list[dict[str, str]] = [{} for _ in projects]
    done = 0
    while done < kills:
        tree.edit()
        tree.restore()
        running: list[subprocess.Popen[bytes]] = []
        for number, project in enumerate(projects):
            project.environ["CRATE_CACHE"] = str(directory / "store")
            before[number] = tree.write(project.path, before[number])
            running.append(_start(project))
        for process in rng.sample(running, len(running)):
            time.sleep(rng.random() * 0.5 / builds + 0.05)
            done += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
        if rng.random() < 0.2:
            _check(rng.choice(projects), tree, directory / "clean")
    for project in projects:
        _check(project, tree, directory / "clean")
    left = _left_behind(directory)
    assert not left, f"processes outlived their build: {left}"
    return f"{done} builds killed, {builds} at a time on one store; every result right afterwards"


def _start(project: SconsProject) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "SCons", "-Q", "-j2", "--site-dir", str(ROOT / "site_scons")]
    return subprocess.Popen(
        command,
        cwd=project.path,
        env=project._environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _check(project: SconsProject, tree: RandomTree, clean: Path) -> None:
    fresh = SconsProject(clean)
    fresh.environ["CRATE_CACHE"] = "off"
    fresh.write(tree.files())
    fresh.scons()
    project.scons()
    assert outputs_of(project.path) == outputs_of(fresh.path), "a build after a kill differs from a clean one"
    shutil.rmtree(clean)


def _left_behind(directory: Path, patience: float = 60.0) -> list[str]:
    """Return the command lines of processes that still run below a directory; on Linux only."""
    deadline = time.monotonic() + patience
    while True:
        found: list[str] = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if Path(os.readlink(entry / "cwd")).is_relative_to(directory):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def corrupt_and_build(directory: Path, *, times: int, seed: int = 1) -> str:
    """Damage the files of a store at random, build, and repeat; return a summary.

    Raises: AssertionError if a build fails or differs from one without a cache.
    """
    rng, tree = random.Random(seed), RandomTree(seed, "stub")
    root, store = directory / "tree", directory / "store"
    before: dict[str, str] = {}
    for number in range(times):
        if number % 10 == 0:
            tree.edit()
            tree.restore()
            before = tree.write(root, before)
            expected = build_here(root, {"CRATE_CACHE": "off"}, before["SConstruct"])
        for _ in range(1 + number % 2):
            found = build_here(root, {"CRATE_CACHE": str(store)}, before["SConstruct"])
            assert found == expected, f"corruption {number}: {found}"
        files = sorted(path for path in store.iterdir() if path.is_file())
        for file in rng.sample(files, rng.randrange(1, len(files) + 1)):
            rng.choice(_DAMAGES)(file, rng)
    assert build_here(root, {"CRATE_CACHE": str(store)}, before["SConstruct"]) == expected
    return f"{times} corruptions of the store's files; every result right"


def _flip(file: Path, rng: random.Random) -> None:
    data = bytearray(file.read_bytes())
    for _ in range(rng.choice([1, 10, max(1, len(data) // 500)])):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


def _truncate(file: Path, rng: random.Random) -> None:
    file.write_bytes(file.read_bytes()[: rng.randrange(file.stat().st_size + 1)])


def _blank(file: Path, rng: random.Random) -> None:
    data = bytearray(file.read_bytes())
    at = rng.randrange(len(data) // 4096 + 1) * 4096
    data[at : at + 4096] = bytes(len(data[at : at + 4096]))
    file.write_bytes(data)


def _swap(file: Path, rng: random.Random) -> None:
    """Swap two intact pages."""
    data = bytearray(file.read_bytes())
    pages = len(data) // 4096
    if pages > 1:
        one, other = (rng.randrange(pages) * 4096 for _ in range(2))
        first, second = data[one : one + 4096], data[other : other + 4096]
        data[one : one + 4096], data[other : other + 4096] = second, first
    file.write_bytes(data)


def _append(file: Path, rng: random.Random) -> None:
    file.write_bytes(file.read_bytes() + rng.randbytes(rng.randrange(5000)))


def _remove(file: Path, rng: random.Random) -> None:
    file.unlink()


_DAMAGES: Sequence[Callable[[Path, random.Random], None]] = (
    _flip,
    _flip,
    _flip,
    _truncate,
    _blank,
    _swap,
    _append,
    _remove,
)


def fill_and_build(directory: Path, store: Path, *, times: int, seed: int = 1) -> str:
    """Build with a store on a disk that is filled before every other build; return a summary.

    Raises: AssertionError if a build fails or differs from one without a cache.
    """
    rng, tree = random.Random(seed), RandomTree(seed, "stub")
    root, ballast = directory / "tree", store / "ballast"
    before: dict[str, str] = {}
    full = 0
    for number in range(times):
        tree.edit()
        tree.restore()
        before = tree.write(root, before)
        if number % 2 == 0:
            disk = os.statvfs(store)
            _fill(ballast, max(0, disk.f_bavail * disk.f_frsize - rng.choice([0, 4096, 20_000, 60_000])))
        elif ballast.exists():
            ballast.unlink()
        expected = build_here(root, {"CRATE_CACHE": "off"}, before["SConstruct"])
        assert build_here(root, {"CRATE_CACHE": str(store)}, before["SConstruct"]) == expected
        assert build_here(root, {"CRATE_CACHE": str(store)}, before["SConstruct"]) == expected
        full += os.statvfs(store).f_bavail < 2
    return f"{times} builds, {full} of them with not a page left on the store's disk; every result right"


def _fill(ballast: Path, size: int) -> None:
    with ballast.open("ab", buffering=0) as file:
        while size > 0:
            try:
                size -= file.write(bytes(min(size, 4096)))
            except OSError:
                return
