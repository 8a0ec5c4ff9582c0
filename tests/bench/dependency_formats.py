"""The time to compute the dependency formats of all crate types, at sizes that differ by a factor of ten.

    python -m tests.bench dependency-formats [SIZE ...]

Each crate has five dependencies or more. Every fifty crates form a group with one dylib that contains them all and
shares the dylibs of the groups it depends on, so that records grow no faster than the graph. These dylibs, which a
staticlib cannot link, are the conflicts. `built` is a program whose dylibs exist, `to build` one whose dylibs are still
to be linked: then each is a root of its own, and the depth of the groups is that of a heap.
"""

from __future__ import annotations

import random
import time

from cratewright.rules.dependency_format import Available, Linkage, load_order, resolve
from cratewright.rules.format_table import FormatTable, LinkableCrate
from cratewright.rules.graph import CrateGraph
from cratewright.values.crate_type import CrateType

SIZES = (1_000, 10_000, 100_000)
GROUP = 50
DEGREE = 5


def edges(size: int) -> dict[str, list[str]]:
    """Return a graph whose root `c0` reaches every crate; edges lead to higher numbers."""
    chance = random.Random(size)
    graph: dict[str, list[str]] = {}
    for number in range(size):
        end = min(size, (number // GROUP + 1) * GROUP)
        others = chance.sample(range(number + 2, end), max(0, min(DEGREE, end - number - 2)))
        following = [number + 1] if number + 1 < end else []
        graph[f"c{number}"] = [f"c{dep}" for dep in (*following, *others, *_hanging(number, size))]
    return graph


def _hanging(number: int, size: int) -> list[int]:
    """Return the heads of the two groups that a head depends on, as in a heap."""
    first = 2 * number + GROUP
    return [head for head in (first, first + GROUP) if head < size] if number % GROUP == 0 else []


def availability(order: tuple[str, ...], size: int) -> list[Available]:
    """Return the available files: every crate as an rlib, but the heads of groups as dylibs."""
    below: dict[int, tuple[int, ...]] = {}
    for head in range((size - 1) // GROUP * GROUP, -1, -GROUP):
        below[head] = tuple(other for dep in _hanging(head, size) for other in (dep, *below[dep]))
    return [_available(int(name[1:]), below, size) for name in order]


def _available(number: int, below: dict[int, tuple[int, ...]], size: int) -> Available:
    if number % GROUP:
        return Available(f"c{number}", rlib=True, dylib=False)
    inside = tuple((f"c{member}", Linkage.STATIC) for member in range(number + 1, min(size, number + GROUP)))
    beside = tuple((f"c{head}", Linkage.DYNAMIC) for head in below[number])
    return Available(f"c{number}", rlib=False, dylib=True, recorded=inside + beside)


def table(graph: CrateGraph, crates: list[Available], *, built: bool) -> float:
    """Return the seconds for the formats of one program, and of its dylibs if they are not built."""
    linkable = {
        crate.name: LinkableCrate(
            crate_types=frozenset({CrateType.DYLIB if crate.dylib else CrateType.RLIB}),
            prefer_dynamic=crate.dylib,
            recorded=crate.recorded if built else None,
        )
        for crate in crates
    }
    linkable["c0"] = LinkableCrate(crate_types=frozenset({CrateType.BIN}))
    start = time.process_time()
    FormatTable(graph, linkable).formats("c0", CrateType.BIN)
    return time.process_time() - start


def main(arguments: list[str]) -> int:
    """Print a table."""
    titles = ("crates", "edges", "recorded", "order s", "formats s", "us a crate", "conflicts", "built s", "to build s")
    print("".join(f"{title:>11}" for title in titles))
    for size in map(int, arguments) if arguments else SIZES:
        made = edges(size)
        graph = CrateGraph(made)
        start = time.process_time()
        order = load_order(graph, "c0")
        ordered = time.process_time() - start
        crates = availability(order, size)
        start = time.process_time()
        found = [resolve(kind, crates, prefer_dynamic=on) for kind in CrateType for on in (False, True)]
        formats = time.process_time() - start
        each = (ordered + formats) / size * 1e6
        conflicts = sum(len(resolution.conflicts) for resolution in found)
        counts = (size, sum(map(len, made.values())), sum(len(crate.recorded) for crate in crates))
        print(
            "".join(f"{count:>11}" for count in counts)
            + f"{ordered:>11.3f}{formats:>11.3f}{each:>11.1f}{conflicts:>11}"
            + "".join(f"{table(graph, crates, built=built):>11.3f}" for built in (True, False))
        )
    return 0
