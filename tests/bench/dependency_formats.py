"""How long the dependency formats of all crate types take, at sizes a factor of ten apart.

Knows nothing of how they are found.

    python tests/bench/dependency_formats.py [SIZE ...]

The graphs have five dependencies a crate. Every fifty crates form a group with one dylib that contains them all and
shares the dylibs of the groups it depends on, so that what the dylibs have recorded grows no faster than the graph.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "site_scons"))

from cratewright.crate import CrateType  # noqa: E402
from cratewright.dependency_format import Available, Linkage, LinkSwitches, load_order, resolve  # noqa: E402
from cratewright.graph import CrateGraph  # noqa: E402

SIZES = (1_000, 10_000, 100_000)
GROUP = 50
DEGREE = 5
SWITCHES = (LinkSwitches(), LinkSwitches(prefer_dynamic=True))


def edges(size: int) -> dict[str, list[str]]:
    """Make a graph; `c0` is its root, and a crate depends on crates of higher numbers only."""
    chance = random.Random(size)
    graph: dict[str, list[str]] = {}
    for number in range(size):
        end = min(size, (number // GROUP + 1) * GROUP)
        deps = chance.sample(range(number + 1, end), min(DEGREE, end - number - 1))
        # The head of a group stands for it: two groups more hang on each, as in a heap.
        if number % GROUP == 0:
            heads = [
                head * GROUP for group in (2,) for head in (number // GROUP * group + 1, number // GROUP * group + 2)
            ]
            deps = [number + 1, *deps[:2], *(head for head in heads if head < size)]
        elif number + 1 < end and number + 1 not in deps:
            deps[0] = number + 1
        graph[f"c{number}"] = [f"c{dep}" for dep in deps]
    return graph


def availability(graph: dict[str, list[str]], order: tuple[str, ...]) -> list[Available]:
    """Return what there is: every crate as an rlib, but the heads of groups as dylibs."""
    size = len(graph)
    below: dict[int, tuple[int, ...]] = {}
    for head in range((size - 1) // GROUP * GROUP, -1, -GROUP):
        hanging = [
            dep for dep in (head // GROUP * 2 * GROUP + GROUP, head // GROUP * 2 * GROUP + 2 * GROUP) if dep < size
        ]
        below[head] = tuple(dict.fromkeys(other for dep in hanging for other in (dep, *below[dep])))
    return [_available(int(name[1:]), below, size) for name in order]


def _available(number: int, below: dict[int, tuple[int, ...]], size: int) -> Available:
    if number % GROUP:
        return Available(f"c{number}", rlib=True, dylib=False)
    inside = tuple((f"c{member}", Linkage.STATIC) for member in range(number + 1, min(size, number + GROUP)))
    beside = tuple((f"c{head}", Linkage.DYNAMIC) for head in below[number])
    return Available(f"c{number}", rlib=False, dylib=True, recorded=inside + beside)


def main() -> None:
    """Print a table."""
    print(f"{'crates':>8} {'edges':>8} {'recorded':>9} {'order s':>8} {'formats s':>10} {'µs a crate':>11}")
    for size in map(int, sys.argv[1:]) if len(sys.argv) > 1 else SIZES:
        made = edges(size)
        graph = CrateGraph(made)
        start = time.process_time()
        order = load_order(graph, "c0")
        ordered = time.process_time() - start
        crates = availability(made, order)
        start = time.process_time()
        found = [resolve(kind, crates, switches) for kind in CrateType for switches in SWITCHES]
        formats = time.process_time() - start
        wrong = [resolution.conflicts[0] for resolution in found if resolution.conflicts]
        count = sum(len(deps) for deps in made.values())
        recorded = sum(len(crate.recorded) for crate in crates)
        each = (ordered + formats) / size * 1e6
        print(f"{size:>8} {count:>8} {recorded:>9} {ordered:>8.3f} {formats:>10.3f} {each:>11.1f}")
        print(f"  {len(order) + 1} reached, {len(found)} lists, {len(wrong)} with conflicts")


if __name__ == "__main__":
    main()
