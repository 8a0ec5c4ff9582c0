"""Soak builds and caches for as long as asked: random edits, kills, damage, planted entries, mutants.

`python -m tests.soak --minutes N --seed N` repeats the same rounds for the same seed. It prints what was tried and what
failed, with the seed of each failed round, and exits with status 1 if any did. `--native SEED` instead edits and builds
projects of native crates, with zig, clang and gcc in turn, and compares each build with a clean build and with what
their sources say.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from tests.support.paths import source_paths

sys.path[:0] = source_paths()

from tests.soak.rounds import soak  # noqa: E402
from tests.soak.twins import explain  # noqa: E402


def main(arguments: list[str]) -> int:
    """Run the soak that the arguments ask for, and print its counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="builds and caches under random damage")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--twins", type=int, metavar="SEED", help="run one case of twins, and print it, minimised if it fails"
    )
    parser.add_argument("--native", type=int, metavar="SEED", help="run cases of native crates, from this seed on")
    chosen = parser.parse_args(arguments)
    if chosen.native is not None:
        return _soak_native(chosen.native, chosen.minutes * 60)
    if chosen.twins is not None:
        return explain(chosen.twins)
    counts, wrong = soak(chosen.minutes * 60, chosen.seed)
    for name, count in [*counts.items(), *wrong.items()]:
        print(f"{name + ':':<20} {count}")
    return 1 if any(wrong.values()) else 0


def _soak_native(seed: int, seconds: float) -> int:
    from tests.soak.native import native_case

    counts, wrong, until = Counter[str](), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        with tempfile.TemporaryDirectory(prefix="cratewright-native-") as scratch, redirect_stdout(StringIO()):
            try:
                native_case(seed, Path(scratch), counts)
            except AssertionError as error:
                wrong += 1
                print(error, file=sys.stderr)
        seed += 1
        counts["cases"] += 1
    print(*(f"{name + ':':<20} {count}" for name, count in {**counts, "wrong": wrong}.items()), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
