"""How builds grow beyond the machines available: a recorded build, a model of it, and the model's forecasts.

    python -m tests.bench simulate --check
    python -m tests.bench simulate --output DIRECTORY

A build whose compilers sleep is recorded with one worker by `CRATE_EVENTS`: once compiled, and once taken from a server
on the same machine. `--check` repeats it with more workers and from a distant server, and compares the model with that.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from .measure import adopt_orphans
from .model import Cache, Recorded, Stage, forecast, limits
from .remote_cache import relay
from .scaling import BACKEND

from cratewright.cache.usage import read_usage  # isort: skip
from tests.support.cache_server import serving  # isort: skip

CRATES, UNITS, SECONDS = 24, 4, 0.25
TOLERANCE, ROUNDS = 0.2, 3
SCONSTRUCT = """\
import sys; sys.path.insert(0, "modules")
import cratewright, sleeping
cratewright.register(sleeping)
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="sleeping")
for crate in range({crates}):
    deps = [f"c{{crate - 1}}"] if crate % 4 == 3 else []
    Default(env.Crate(f"c{{crate}}", [f"s/{{crate}}.{{n}}.stub" for n in range({units})],
                      crate_type=["rlib", "cdylib"], lto="thin", deps=deps))
"""


def read(made: Path, found: Path, entry: float, cpu: tuple[float, float] | None = None) -> Recorded:
    """Return a recorded build, from the events of two with one worker: one computed all results, the other found all.

    With the CPU seconds of both, the time of SCons itself is CPU time, so that the load of the machine does not count.
    """
    rows, again = ([json.loads(line) for line in path.read_text().splitlines()] for path in (made, found))
    declared = [row for row in rows if row["event"] == "crate-declared"]
    numbers = {f"{row['directory']}:{row['crate']}": number for number, row in enumerate(declared)}
    names = {row["crate"]: number for number, row in enumerate(declared)}
    below = [[numbers.get(key, names.get(key, 0)) for key in row["dependencies"]] for row in declared]
    making, finding = _scons(rows), _scons(again)
    order = list(making)
    stages = []
    for place, key in enumerate(order):
        stage, name = key
        crate = names[name]
        own = [n for n, (_, other) in enumerate(order[:place]) if other == name]
        after = [n for n, (_, other) in enumerate(order) if names[other] in below[crate]] if stage != "codegen" else []
        # Later stages wait for the libraries of the crate's dependencies.
        after = [n for n in after if order[n][0] in ("codegen", "archive")]
        stages.append(Stage(crate, making[key][0], finding[key][0], making[key][1], (*own, *after)))
    started = [row["time"] for row in rows if row["event"] == "stage-started"]
    ended = [row["time"] for row in rows if row["event"] == "stage-ended"]
    declare = (declared[-1]["time"] - declared[0]["time"]) / max(1, len(declared) - 1)
    begin, end = started[0] - declare * len(declared), rows[-1]["time"] - ended[-1]
    if cpu is not None:
        ways = (sum(stage.making for stage in stages), sum(stage.finding for stage in stages))
        slower = [max(1.0, (way + started[0] + end) / seconds) for way, seconds in zip(ways, cpu, strict=True)]
        stages = [
            replace(stage, making=stage.making / slower[0], finding=stage.finding / slower[1]) for stage in stages
        ]
        begin, declare, end = begin / slower[0], declare / slower[0], end / slower[0]
    return Recorded(begin, declare, end, tuple(stages), entry)


def _scons(
    rows: Sequence[dict[str, object]],
) -> dict[tuple[str, str], tuple[float, tuple[tuple[float, ...], ...]]]:
    """Return what SCons itself took for each stage, with the pause after it, and what its units took, by step."""
    found: dict[tuple[str, str], tuple[float, tuple[tuple[float, ...], ...]]] = {}
    times = {"stage-started": 0.0}
    steps: list[list[float]] = []
    starts = [row["time"] for row in rows if row["event"] == "stage-started"] + [None]
    count = 0
    for row in rows:
        if row["event"] == "stage-started":
            times["stage-started"], steps = float(str(row["time"])), []
            count += 1
        elif row["event"] == "units-found":
            steps.append([])
        elif row["event"] == "unit-ended":
            steps[-1].append(float(str(row["seconds"])))
        elif row["event"] == "stage-ended":
            until = starts[count] if starts[count] is not None else row["time"]
            whole = float(str(until)) - times["stage-started"]
            scons = max(0.0, whole - sum(map(sum, steps)))
            found[str(row["stage"]), str(row["crate"])] = (scons, tuple(map(tuple, steps)))
    return found


def _project(directory: Path) -> None:
    (directory / "modules").mkdir(parents=True)
    (directory / "s").mkdir()
    (directory / "modules" / "sleeping.py").write_text(BACKEND.format(seconds=SECONDS))
    (directory / "SConstruct").write_text(SCONSTRUCT.format(crates=CRATES, units=UNITS))
    for crate in range(CRATES):
        for unit in range(UNITS):
            (directory / "s" / f"{crate}.{unit}.stub").write_text(f"export f{crate}_{unit} x\n")


def _build(directory: Path, jobs: int, cache: str) -> tuple[float, float]:
    """Build in a fresh directory; return the seconds from the first event to the last, and the CPU seconds."""
    shutil.rmtree(directory, ignore_errors=True)
    _project(directory)
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"CRATE_CACHE": cache, "CRATE_EVENTS": "events"}
    command = [sys.executable, "-m", "SCons", "-Q", f"-j{jobs}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=directory, env=environ, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = float(json.loads((directory / "events").read_text().splitlines()[-1])["time"])
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def _recorded(scratch: Path) -> Iterator[tuple[Recorded, str, int]]:
    """Record a build; yield it, with the URL of a server that has all its results, and the port."""
    with serving() as server:
        made = _build(scratch / "made", 1, f"{scratch / 'store'}, {server.url}")
        found = _found(scratch / "found", 1, server.url)
        used = read_usage(str(scratch / "near"))[server.url]
        events = scratch / "made" / "events", scratch / "found" / "events"
        yield read(*events, used.received / max(1, used.hits), (made[1], found[1])), server.url, server.port


def _found(directory: Path, jobs: int, url: str) -> tuple[float, float]:
    """Build a fresh checkout from a server."""
    shutil.rmtree(directory.parent / "near", ignore_errors=True)
    return _build(directory, jobs, f"{directory.parent / 'near'}, {url}")


def check(scratch: Path) -> int:
    """Compare the model with real builds; return how many forecasts are wrong.

    A build from a server computes and hardly waits, so the load of the machine matters: it is compared with a record of
    the same minute, and the median of several pairs counts.
    """
    missed = 0

    def row(what: str, pairs: Sequence[tuple[float, float]]) -> None:
        nonlocal missed
        expected, real = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
        wrong = abs(expected / real - 1) > TOLERANCE
        missed += wrong
        print(f"{what:<44}{expected:>9.2f}{real:>9.2f}{expected / real:>7.2f}{'  missed' if wrong else ''}", flush=True)

    print(f"{'':<44}{'model':>9}{'real':>9}{'ratio':>7}")
    with _recorded(scratch) as (recorded, url, port):
        made, found = scratch / "made" / "events", scratch / "found" / "events"
        slow = read(made, found, recorded.entry)
        for jobs in (1, 2, 4, 8):
            real = _build(scratch / "real", jobs, "off")[0]
            row(f"seconds, all made, {jobs} at a time", [(forecast(slow, workers=jobs).wall, real)])
        for milliseconds, jobs in ((20, 1), (20, 2), (200, 1), (200, 2)):
            cache = Cache(latency=milliseconds / 1000)
            through = url.replace(str(port), str(relay("127.0.0.1", port, cache.latency)))
            pairs = []
            for _ in range(ROUNDS):
                _found(scratch / "found", 1, url)
                expected = forecast(read(made, found, recorded.entry), workers=jobs, cache=cache)
                pairs.append((expected.wall, _found(scratch / "real", jobs, through)[0]))
            row(f"seconds, all found, {milliseconds} ms away, {jobs} at a time", pairs)
        used = read_usage(str(scratch / "near"))[through]
        row("bytes received", [(expected.received, float(used.received))])
    return missed


def main(arguments: list[str]) -> int:
    """Check the model, or print and plot its forecasts."""
    parser = argparse.ArgumentParser(description="what builds would take with more crates, workers and clients")
    parser.add_argument("--check", action="store_true", help="hold the model against real builds; takes two minutes")
    parser.add_argument("--output", type=Path, metavar="DIRECTORY", help="draw curves there")
    chosen = parser.parse_args(arguments)
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="simulate-") as place:
        if chosen.check:
            return min(1, check(Path(place)))
        with _recorded(Path(place)) as (recorded, _, _):
            return curves(recorded, chosen.output)


SIZES = (10, 30, 100, 300, 1000, 3000, 10_000)
WAYS: Sequence[tuple[str, int, Cache | None, int, bool]] = (
    ("all made, 2 workers", 2, None, 1, True),
    ("all made, 64 workers", 64, None, 1, True),
    ("9 of 10 found, 20 ms away, 8 workers", 8, Cache(0.02, 12e6, 0.9), 1, True),
    ("all found, 20 ms away, 1 worker", 1, Cache(0.02, 12e6), 1, True),
    ("the same, nothing fetched ahead", 1, Cache(0.02, 12e6), 1, False),
    ("20 clients, all found, 20 ms away, 8 workers", 8, Cache(0.02, 1e6), 20, True),
)


def curves(recorded: Recorded, output: Path | None) -> int:
    """Print the forecasts for builds of many crates with their limits; plot them if `output` is given."""
    drawn: dict[str, list[tuple[int, float]]] = {}
    print(f"| what | crates | wall s | received MB | sent MB | limited by |\n|{'---|' * 6}")
    for what, workers, cache, clients, ahead in WAYS:
        for crates in SIZES:
            if crates * clients > 20_000:
                continue
            grown = recorded.grown(crates)
            expected = forecast(grown, workers=workers, cache=cache, clients=clients, ahead=ahead)
            parts = limits(grown, workers, cache, clients)
            most = max(parts, key=lambda name: parts[name])
            limit = most if parts[most] > expected.wall / 2 else "latency"
            drawn.setdefault(what, []).append((crates, expected.wall))
            sizes = f"{expected.received / 1e6:.1f} | {expected.sent / 1e6:.1f}"
            print(f"| {what} | {crates} | {expected.wall:.1f} | {sizes} | {limit} |", flush=True)
    if output is not None:
        _draw(drawn, output)
    return 0


def _draw(drawn: dict[str, list[tuple[int, float]]], output: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "cratewright", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    for what, points in drawn.items():
        axes.plot([size for size, _ in points], [wall for _, wall in points], marker="o", markersize=3, label=what)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("crates")
    axes.set_ylabel("wall seconds")
    axes.legend(frameon=False)
    figure.tight_layout()
    output.mkdir(parents=True, exist_ok=True)
    figure.savefig(output / "simulated.svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
