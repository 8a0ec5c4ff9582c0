"""A comparison: alternative ways to do one thing, measured in turn in each round, and the goals that they must meet.

A way is prepared once, in its own directory, and reset before each round.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .measure import Cost, measure, share_of_others

__all__ = ["OURS", "Case", "Goal", "Measured", "Reached", "Took", "Way", "environment_of", "ratio", "run"]

OURS = "cratewright"


def _nothing(directory: Path) -> None:
    """Prepare nothing."""


def _none(directory: Path, number: int) -> None:
    """Change nothing."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do it: the command, and functions that write its files, reset it before a round, and check the result.

    Shape: all ways with the same `place` share a directory, which the first of them writes. `first`
    commands are run once in each case and not measured. `missing` says why it cannot run here, if it cannot. `rounds`
    are the most that it takes, if it takes long. With `together` its memory is that of all its processes.
    """

    name: str
    command: Sequence[str] = ()
    write: Callable[[Path], None] = _nothing
    begin: Callable[[Path, int], None] = _none
    environ: dict[str, str] = field(default_factory=dict)
    first: Sequence[Sequence[str]] = ()
    missing: str = ""
    check: Callable[[Path], object] = _nothing
    place: str = ""
    rounds: int = 1000
    together: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure computed from the costs of all ways, and its upper limit, or with `least` its lower one.

    Shape: `figure` is called for each round, and the median counts.
    """

    text: str
    figure: Callable[[Mapping[str, Cost]], float]
    limit: float
    least: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """Ways to do one thing; the one called `cratewright` is compared with the others.

    Shape: `size` is what a plot of several cases of one `group` has below it. A `headline` case is also in the
    README. A `slow` one takes a minute or more to prepare.
    """

    name: str
    ways: Sequence[Way]
    group: str = ""
    size: int = 0
    goals: Sequence[Goal] = ()
    rounds: int = 1000
    headline: bool = False
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Took:
    """The costs of a way in each round; none if it could not run, with the reason."""

    way: str
    costs: tuple[Cost, ...]
    missing: str = ""

    @property
    def cost(self) -> Cost | None:
        """The median of all rounds, of each figure by itself."""
        names = ("cpu", "wall", "memory")
        return (
            Cost(*(statistics.median(getattr(c, name) for c in self.costs) for name in names)) if self.costs else None
        )


@dataclass(frozen=True, slots=True)
class Reached:
    """A goal and its figure, which is NaN if one of its ways could not run."""

    text: str
    figure: float
    limit: float
    least: bool

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.figure >= self.limit if self.least else self.figure <= self.limit


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured case.

    Units: `others` is the share of the machine's processors, from 0 to 1, that was used by other processes.
    """

    name: str
    group: str
    size: int
    headline: bool
    others: float
    ways: tuple[Took, ...]
    goals: tuple[Reached, ...]


def ratio(way: str, other: str, figure: str = "cpu") -> Callable[[Mapping[str, Cost]], float]:
    """Return a function that divides a figure of one way by that of another."""
    return lambda costs: float(getattr(costs[way], figure) / getattr(costs[other], figure))


def run(case: Case, scratch: Path, rounds: int) -> Measured:
    """Measure all ways of a case, in directories below `scratch`, which cases may share.

    Raises: ToolError if a command fails.
    """
    able = [way for way in case.ways if not way.missing]
    costs: dict[str, list[Cost]] = {way.name: [] for way in able}
    places = {way.name: scratch / _plain(way.place or f"{case.name} {way.name}") for way in able}
    for way in able:
        if not places[way.name].exists():
            places[way.name].mkdir(parents=True)
            way.write(places[way.name])
        for command in way.first:
            measure(command, places[way.name], environment_of(way))
    with share_of_others() as others:
        for number in range(min(rounds, case.rounds)):
            for way in reversed(able) if number % 2 else able:
                if number >= way.rounds:
                    continue
                way.begin(places[way.name], number)
                cost = measure(way.command, places[way.name], environment_of(way), together=way.together)
                way.check(places[way.name])
                costs[way.name].append(cost)
                print(f"{case.name}: {way.name}: {cost.cpu:.2f} s CPU", file=sys.stderr, flush=True)
    return Measured(
        case.name,
        case.group,
        case.size,
        case.headline,
        others(),
        tuple(Took(way.name, tuple(costs.get(way.name, ())), way.missing) for way in case.ways),
        tuple(_reached(goal, costs) for goal in case.goals),
    )


def _plain(name: str) -> str:
    """Return a directory name without characters that separate words or cache directories."""
    return re.sub(r"[^\w.-]+", "-", name)


def _reached(goal: Goal, costs: Mapping[str, Sequence[Cost]]) -> Reached:
    """Compare the rounds of all ways with a goal; rounds of ways that have fewer are repeated."""
    most = max(map(len, costs.values()), default=0)
    turns = [{way: took[number % len(took)] for way, took in costs.items() if took} for number in range(most)]
    try:
        figure = statistics.median(goal.figure(turn) for turn in turns)
    except (KeyError, ZeroDivisionError, statistics.StatisticsError):
        figure = float("nan")
    return Reached(goal.text, figure, goal.limit, goal.least)


def environment_of(way: Way) -> dict[str, str]:
    """Return the environment of a way; bytecode is written, as for users."""
    inherited = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **way.environ}
