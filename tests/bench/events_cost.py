"""What build events and progress cost: clean builds of 500 shaders, and builds with nothing to do, with and without.

Knows nothing of how events are written.

    python tests/bench/events_cost.py [--units N] [--rounds N]

CPU is user + system time of the whole tree of processes. Builds with and without take turns, each first every other
time. Bytecode is compiled before, and kept.
"""

from __future__ import annotations

import argparse
import compileall
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCONSTRUCT = """\
import cratewright
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3", CRATE_CACHE="off")
for name in range(10):
    Default(env.Crate(f"c{name}", Glob(f"c{name}/*.comp"), crate_type="cdylib", multimodule=True))
"""
SHADER = """\
#version 460
layout(local_size_x = 64) in;
layout(binding = 0) buffer B { float x[]; };
void main() { x[gl_GlobalInvocationID.x] = sin(x[gl_GlobalInvocationID.x] * %d.5); }
"""


def _cost(command: list[str], place: Path, environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=place, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _rounds(rounds: int) -> Iterator[tuple[bool, bool]]:
    for number in range(rounds):
        yield from ((number % 2 == 0, False), (number % 2 == 1, True))


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="CPU seconds with and without events and progress")
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    compileall.compile_dir(str(ROOT / "site_scons"), quiet=2)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    plain = [sys.executable, "-m", "SCons", "-Q", "-j2"]
    clean: dict[bool, list[float]] = {False: [], True: []}
    null: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory(prefix="events-cost-") as scratch:
        for with_events, _ in _rounds(chosen.rounds):
            place = Path(scratch, "project")
            shutil.rmtree(place, ignore_errors=True)
            for number in range(chosen.units):
                shader = place / f"c{number % 10}" / f"s{number}.comp"
                shader.parent.mkdir(parents=True, exist_ok=True)
                shader.write_text(SHADER % number)
            (place / "SConstruct").write_text(SCONSTRUCT)
            # -Q says nothing of progress.
            command = [word for word in plain if word != "-Q"] if with_events else plain
            events = {"CRATE_EVENTS": "build.jsonl"} if with_events else {}
            clean[with_events].append(_cost(command, place, {**environment, **events}))
            null[with_events].append(
                statistics.mean(_cost(command, place, {**environment, **events}) for _ in range(4))
            )
    for name, found in (("clean", clean), ("nothing to do", null)):
        off, on = statistics.median(found[False]), statistics.median(found[True])
        print(f"{name}: {off:.3f} s without, {on:.3f} s with: {(on / off - 1) * 100:+.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
