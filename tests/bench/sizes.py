"""Builds with nothing to do, and with one shader edited, from ten units to thousands and from ten crates to a thousand.

Knows nothing of how a build finds out that nothing is to be done.
"""

from __future__ import annotations

from .builds import shader_ways
from .case import Case

__all__ = ["edits", "growth", "nulls"]


def nulls() -> list[Case]:
    """Return builds with nothing to do."""
    sizes = ((500, 10), (5_000, 100), (5_000, 1_000))
    return [Case(f"nothing to do, {n:,} units in {k:,} crates", shader_ways(n, k, edit=False)) for n, k in sizes]


def edits() -> list[Case]:
    """Return a build of one edited shader among many."""
    return [Case("one shader edited of 5,000 in 100 crates", shader_ways(5_000, 100, edit=True))]


def growth() -> list[Case]:
    """Return builds with nothing to do of ever more units, fifty a crate."""
    return [
        Case(f"nothing to do, {n:,} units", shader_ways(n, n // 50, edit=False), "units", n)
        for n in (100, 500, 1_000, 2_500)
    ]
