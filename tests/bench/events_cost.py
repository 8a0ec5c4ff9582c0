"""The cost of build events and progress: clean builds of 500 shaders, and builds with nothing to do, with and without.

    python -m tests.bench events-cost [--units N] [--rounds N]

CPU is user + system time of the whole process tree. All builds print to a terminal, where progress is drawn most
often. They run in turn, in another order in each round, and each is compared with the plain one of its round. Bytecode
is compiled before, and kept. On a busy machine such pairs differ by more than events cost, so the events of a build are
also written and displayed separately, and that cost is printed beside a plain build.
"""

from __future__ import annotations

import argparse
import compileall
import os
import pty
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from .measure import ROOT

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
# The arguments of scons, and the destination of events. SCons's -Q disables progress.
WAYS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "plain": (("-Q",), {}),
    "events": (("-Q",), {"CRATE_EVENTS": "build.jsonl"}),
    "progress": ((), {}),
    "both": ((), {"CRATE_EVENTS": "build.jsonl"}),
}


def _drain(terminal: int) -> None:
    with suppress(OSError):
        while os.read(terminal, 1 << 16):
            pass


def _cost(command: list[str], place: Path, environment: dict[str, str]) -> float:
    ours, theirs = pty.openpty()
    reader = threading.Thread(target=_drain, args=(ours,), daemon=True)  # a failed build ends the benchmark
    reader.start()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=place, env=environment, stdout=theirs, stderr=theirs, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.close(theirs)
    reader.join()
    os.close(ours)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _project(place: Path, units: int) -> None:
    shutil.rmtree(place, ignore_errors=True)
    for number in range(units):
        shader = place / f"c{number % 10}" / f"s{number}.comp"
        shader.parent.mkdir(parents=True, exist_ok=True)
        shader.write_text(SHADER % number)
    (place / "SConstruct").write_text(SCONSTRUCT)


_REPLAY = """
import dataclasses, json, sys, time
from cratewright.system import events
from cratewright.system.event_file import EventFile
from cratewright.scons.reporting import console
kinds = {name: kind for kind in events.get_args(events.Event) for name in [events.event_row(kind(
    *[None] * len(dataclasses.fields(kind))), 0.0)["event"]]}
events_read = []
for line in open("build.jsonl"):
    row = json.loads(line)
    del row["time"]
    events_read.append(kinds[row.pop("event")](**row))
console._option = lambda name: False
def least(listener):
    found = []
    for _ in range(9):
        hear, start = listener(), time.thread_time()
        for event in events_read:
            hear(event)
        found.append(time.thread_time() - start)
    return min(found)
events_cost = least(lambda: EventFile("again.jsonl"))
progress_cost = least(lambda: console.Console(sys.stdout, sys.stderr))
print(len(events_read), events_cost, progress_cost, file=open("replayed", "w"))
"""


def _replay(place: Path, environment: dict[str, str]) -> tuple[int, float, float]:
    """Return the number of events, and the CPU seconds of writing and of displaying them."""
    _cost([sys.executable, "-c", _REPLAY], place, environment)
    count, written, shown = (place / "replayed").read_text().split()
    return int(count), float(written), float(shown)


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="CPU seconds with and without events and progress")
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args(arguments)
    compileall.compile_dir(str(ROOT / "site_scons"), quiet=2)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    clean: dict[str, list[float]] = {way: [] for way in WAYS}
    null: dict[str, list[float]] = {way: [] for way in WAYS}
    names = list(WAYS)
    with tempfile.TemporaryDirectory(prefix="events-cost-") as scratch:
        place = Path(scratch, "project")
        for number in range(chosen.rounds):
            turn = number % len(names)
            for way in [*names[turn:], *names[:turn]]:
                words, more = WAYS[way]
                command = [sys.executable, "-m", "SCons", "-j2", *words]
                _project(place, chosen.units)
                clean[way].append(_cost(command, place, {**environment, **more}))
                if way == "both":
                    replayed = _replay(place, environment)
                null[way].append(statistics.mean(_cost(command, place, {**environment, **more}) for _ in range(3)))
    for kind, found in (("clean", clean), ("nothing to do", null)):
        print(f"{kind}: {statistics.median(found['plain']):.3f} s plain")
        for way in names[1:]:
            ratios = [(with_it / plain - 1) * 100 for plain, with_it in zip(found["plain"], found[way], strict=True)]
            shown = " ".join(f"{ratio:+.1f}" for ratio in sorted(ratios))
            least = (min(found[way]) / min(found["plain"]) - 1) * 100
            print(f"  {way}: {statistics.median(ratios):+.2f} % (median of {shown}; least against least {least:+.2f})")
        if kind == "clean":
            count, written, shown = replayed
            plain = min(found["plain"])
            print(
                f"  {count} events: written in {written * 1000:.1f} ms, {written / plain:.2%} of the least plain build"
            )
            print(f"  progress: shown in {shown * 1000:.1f} ms, {shown / plain:.2%}")
    return 0
