"""Builds of a hundred to ten thousand shaders, in ten to a thousand crates: clean, up to date, and with one edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .builds import COMPILER, NULL, anew, edit_ways, null_ways, shaders
from .case import OURS, Case, Goal, ratio
from .measure import Cost

__all__ = ["cleans", "edits", "nulls"]

NULLS = {(500, 10): 1.3, (5_000, 100): 1.6, (10_000, 100): 2.2, (5_000, 1_000): 3.0}
GROWTH = ((100, 2), (1_000, 20), (2_500, 50))
EMPTY = "ours / empty scons"


def cleans() -> list[Case]:
    """Return clean builds: the cost per unit in few and in many crates, and the memory of ten thousand."""
    few, many = "500 units in 10 crates", "5,000 units in 1,000 crates"
    whole = shaders(10_000, 100)

    def each(costs: Mapping[str, Cost]) -> float:
        return (costs[many].cpu / 5_000) / (costs[few].cpu / 500)

    return [
        Case(
            "shaders, all to do",
            [replace(shaders(500, 10), name=few, begin=anew), replace(shaders(5_000, 1_000), name=many, begin=anew)],
            goals=[Goal("a unit of the many / of the few", each, 1.2)],
            rounds=2,
            slow=True,
        ),
        Case(
            "10,000 shaders in 100 crates, all to do, all processes together",
            [replace(whole, begin=anew, together=True)],
            goals=[Goal("MiB", lambda costs: costs[OURS].memory, 300)],
            rounds=1,
            slow=True,
        ),
    ]


def nulls() -> list[Case]:
    """Return builds with nothing to do."""
    return [
        Case(
            f"nothing to do, {n:,} shaders in {k:,} crates",
            null_ways(n, k),
            "shaders" if (n, k) != (5_000, 1_000) else "",
            n,
            [Goal(EMPTY, ratio(OURS, "empty scons"), NULLS[n, k])] if (n, k) in NULLS else [],
            headline=(n, k) == (5_000, 100),
            slow=n > 5_000 or k > 100,
        )
        for n, k in sorted({*NULLS, *GROWTH})
    ]


def edits() -> list[Case]:
    """Return a build of one edited shader among many."""

    def more(costs: Mapping[str, Cost]) -> float:
        return (costs[OURS].cpu - costs[NULL].cpu) / costs[COMPILER].cpu

    goal = Goal("(ours - nothing to do) / compiler", more, 1.5)
    ways = edit_ways(5_000, 100)
    return [Case("one of 5,000 shaders edited", ways, goals=[goal], headline=True)]
