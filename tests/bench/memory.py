"""What a build holds in memory as it grows: SCons and all its workers together, clean and with nothing to do.

Knows nothing of what holds it. `python -m tests.bench memory [units...]`: stub sources in crates of fifty.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .measure import adopt_orphans, scons

__all__ = ["main"]

EACH = 50
SCONSTRUCT = """\
import cratewright
from cratewright.testing import StubBackend
class Plugin:
    @cratewright.hookimpl
    def cratewright_register_backend(self):
        return StubBackend
cratewright.register(Plugin())
DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="stub", CRATE_CACHE="off")
for crate in range({crates}):
    Default(env.Crate(f"c{{crate}}", [f"c{{crate}}/{{unit}}.stub" for unit in range({each})]))
"""


def main(arguments: list[str]) -> int:
    """Print a table of memory and CPU over units."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench memory", description=__doc__)
    parser.add_argument("units", nargs="*", type=int, default=[1_000, 10_000], metavar="UNITS")
    chosen = parser.parse_args(arguments)
    adopt_orphans()
    print("| units | | MiB, all together | MiB, the largest process | CPU s |\n|---|---|---|---|---|")
    for units in chosen.units:
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            _write(Path(scratch), units)
            for what in ("clean", "nothing to do"):
                together, largest, cpu = _run(Path(scratch))
                print(f"| {units} | {what} | {together:.0f} | {largest:.0f} | {cpu:.1f} |", flush=True)
    return 0


def _write(directory: Path, units: int) -> None:
    crates = -(-units // EACH)
    (directory / "SConstruct").write_text(SCONSTRUCT.format(crates=crates, each=EACH), encoding="utf-8")
    for crate in range(crates):
        (directory / f"c{crate}").mkdir()
        for unit in range(EACH):
            (directory / f"c{crate}" / f"{unit}.stub").write_text(f"export f{crate}_{unit} x\n", encoding="utf-8")


def _run(directory: Path) -> tuple[float, float, float]:
    """Return what a build holds at most, looked at every quarter of a second: pages that are shared count once."""
    before = os.times()
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(scons(), cwd=directory, env=environ, stdout=subprocess.DEVNULL)
    together = largest = 0
    while process.poll() is None:
        held = [_held(pid) for pid in _below(process.pid)]
        together, largest = max(together, sum(held)), max(largest, *held)
        time.sleep(0.25)
    if process.returncode:
        raise SystemExit(f"the build failed: {process.returncode}")
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return together / 1024, largest / 1024, cpu


def _below(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:  # it has ended
            continue
        for child in children:
            yield from _below(int(child))


def _held(pid: int) -> int:
    """Return the KiB that a process holds, its part of what it shares with others."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
