"""What may happen to builds and their stores, for as long as is asked: edits, kills, damage, planted entries, mutants.

`python -m tests.soak --minutes N --seed N`; the same seed does the same, as far as it gets. Prints what was tried and
what went wrong; exit status 1 if anything did, with the seed of the round.
"""

from __future__ import annotations

import argparse
import sys

from tests.support.paths import source_paths

sys.path[:0] = source_paths()

from tests.soak.rounds import soak  # noqa: E402
from tests.soak.twins import explain  # noqa: E402


def main(arguments: list[str]) -> int:
    """Soak and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="builds and stores under random harm")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--twins", type=int, metavar="SEED", help="one case of twins: what it does, fewer steps that fail"
    )
    chosen = parser.parse_args(arguments)
    if chosen.twins is not None:
        return explain(chosen.twins)
    counts, wrong = soak(chosen.minutes * 60, chosen.seed)
    for name, count in [*counts.items(), *wrong.items()]:
        print(f"{name + ':':<20} {count}")
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
