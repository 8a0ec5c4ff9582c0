"""A comparison: ways to do one thing, each measured in turn, round by round.

Knows nothing of what is done. A way is prepared once, in a directory of its own, and begun anew in each round.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .measure import Cost, measure

__all__ = ["Case", "Row", "Way", "run"]


def _nothing(directory: Path) -> None:
    """Prepare nothing."""


def _none(directory: Path, number: int) -> None:
    """Change nothing."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do it: the command, what writes its files, what each round begins with, what checks the result.

    Shape: `missing` says why it cannot run here, if it cannot; `first` commands are run once and not measured.
    """

    name: str
    command: Sequence[str] = ()
    write: Callable[[Path], None] = _nothing
    begin: Callable[[Path, int], None] = _none
    environ: dict[str, str] = field(default_factory=dict)
    first: Sequence[Sequence[str]] = ()
    missing: str = ""
    check: Callable[[Path], object] = _nothing


@dataclass(frozen=True, slots=True)
class Case:
    """Ways to do one thing, of which the one called `cratewright` is compared with the others.

    Shape: `size` is what a plot of several cases of one `group` has below it.
    """

    name: str
    ways: Sequence[Way]
    group: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """What a way took: the median of all rounds; none if it could not run, for a reason."""

    case: Case
    way: str
    cost: Cost | None
    rounds: int
    missing: str = ""


def run(case: Case, scratch: Path, rounds: int) -> list[Row]:
    """Measure all ways of a case.

    Raises: ToolError if a command fails.
    """
    able = [way for way in case.ways if not way.missing]
    costs: dict[str, list[Cost]] = {way.name: [] for way in able}
    places = {way.name: scratch / f"{index}" for index, way in enumerate(able)}
    for way in able:
        places[way.name].mkdir(parents=True)
        way.write(places[way.name])
        for command in way.first:
            measure(command, places[way.name], _environment(way))
    for number in range(rounds):
        for way in reversed(able) if number % 2 else able:
            way.begin(places[way.name], number)
            cost = measure(way.command, places[way.name], _environment(way))
            way.check(places[way.name])
            costs[way.name].append(cost)
            print(f"{case.name}: {way.name}: {cost.cpu:.2f} s CPU", file=sys.stderr, flush=True)
    return [
        Row(case, way.name, _median(costs[way.name]) if not way.missing else None, rounds, way.missing)
        for way in case.ways
    ]


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("cpu", "wall", "memory")))


def _environment(way: Way) -> dict[str, str]:
    # Byte code is kept, as it is for everybody.
    inherited = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **way.environ}
