"""A comparison: ways to do one thing, each measured in turn, round by round, and what they are to come to.

Knows nothing of what is done. A way is prepared once, in a directory of its own, and begun anew in each round.
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
    """One way to do it: the command, what writes its files, what each round begins with, what checks the result.

    Shape: ways of one `place`, in any case of a run, share a directory, which the first of them writes. `first`
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
    """A figure of what the ways of a case took, by name, and what it is to be at most, or with `least` at least.

    Shape: `figure` is asked for each round, and the median counts.
    """

    text: str
    figure: Callable[[Mapping[str, Cost]], float]
    limit: float
    least: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """Ways to do one thing, of which the one called `cratewright` is compared with the others.

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
    """What a way took, in each round; nothing if it could not run, for a reason."""

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
    """A goal, and what it came to; NaN if a way that it compares could not run."""

    text: str
    figure: float
    limit: float
    least: bool

    @property
    def met(self) -> bool:
        """Whether it is met."""
        return self.figure >= self.limit if self.least else self.figure <= self.limit


@dataclass(frozen=True, slots=True)
class Measured:
    """A case after it was measured.

    Units: `others` is the share of the machine's processors, of 1, that other work had meanwhile.
    """

    name: str
    group: str
    size: int
    headline: bool
    others: float
    ways: tuple[Took, ...]
    goals: tuple[Reached, ...]


def ratio(way: str, other: str, figure: str = "cpu") -> Callable[[Mapping[str, Cost]], float]:
    """Return what divides a figure of one way by that of another."""
    return lambda costs: float(getattr(costs[way], figure) / getattr(costs[other], figure))


def run(case: Case, scratch: Path, rounds: int) -> Measured:
    """Measure all ways of a case, in directories below one that cases may share.

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
    """Return the name of a directory without what separates the directories of a cache, or words."""
    return re.sub(r"[^\w.-]+", "-", name)


def _reached(goal: Goal, costs: Mapping[str, Sequence[Cost]]) -> Reached:
    """Hold the rounds of all ways against a goal: those of ways with fewer rounds come over and over."""
    most = max(map(len, costs.values()), default=0)
    turns = [{way: took[number % len(took)] for way, took in costs.items() if took} for number in range(most)]
    try:
        figure = statistics.median(goal.figure(turn) for turn in turns)
    except (KeyError, ZeroDivisionError, statistics.StatisticsError):
        figure = float("nan")
    return Reached(goal.text, figure, goal.limit, goal.least)


def environment_of(way: Way) -> dict[str, str]:
    """Return the variables of a way's process: byte code is kept, as it is for everybody."""
    inherited = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **way.environ}
