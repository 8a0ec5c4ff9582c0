"""Warm builds: real shaders are built clean, cleaned with `scons -c`, and built again from the cache.

    python -m tests.bench cache-warm [--jobs N] [--limit N] [--rounds N]

CPU is user + system time of the whole process tree; that of an empty SConstruct is printed beside it. Linux only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from cratewright.base.errors import ToolError

from . import llama_shaders as bench
from .measure import LEFT, Cost, adopt_orphans, measure, scons


def _digests(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.rglob("*.spv"))}


def round_trip(scratch: Path, jobs: int, words: list[str], environment: dict[str, str]) -> dict[str, Cost]:
    """Return the cost of each step.

    Raises: ToolError if a build fails or a warm one has other outputs.
    """
    directory = Path(tempfile.mkdtemp(dir=scratch), "example")
    shutil.copytree(bench.EXAMPLE, directory, ignore=shutil.ignore_patterns(*LEFT))
    bench.fetch.fetch(directory)
    build = scons(*words, jobs=jobs)
    environment = {**environment, "CRATE_CACHE": str(directory.parent / "cache")}
    costs = {"clean": measure(build, directory, environment)}
    made = _digests(directory)
    measure([*build, "-c"], directory, environment)
    costs["warm"] = measure(build, directory, environment)
    if _digests(directory) != made or not made:
        raise ToolError("a warm build made something else")
    costs["nothing to do"] = measure(build, directory, environment)
    empty = directory.parent / "empty"
    empty.mkdir()
    (empty / "SConstruct").write_text("")
    costs["empty SConstruct"] = measure(scons(), empty, environment)
    return costs


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="CPU seconds of clean and of warm builds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=int, default=0, help="about this many variants, spread over all")
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args(arguments)
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="cache-warm-") as scratch:
        for _ in range(chosen.rounds):
            words = ["opt_level=0", "crate_type=cdylib", f"limit={chosen.limit}"]
            costs = round_trip(Path(scratch), chosen.jobs, words, dict(os.environ))
            shown = ", ".join(f"{name} {cost.cpu:.2f} ({cost.wall:.2f})" for name, cost in costs.items())
            print(f"{shown}; warm/clean {costs['warm'].cpu / costs['clean'].cpu:.2f}", flush=True)
    return 0
