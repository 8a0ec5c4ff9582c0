"""Targets of which SCons only prints that they are up to date."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

import SCons.Node
import SCons.Node.Python
import SCons.Script.Main

from .settled import CallRecord, reach

__all__ = ["Told", "told_in_order", "told_of", "told_targets"]

Node = Any
"""An SCons node; SCons has no types to check against."""


def told_of(asked: Sequence[Any], records: Sequence[CallRecord]) -> dict[str, int]:
    """Return what SCons prints of the targets to build that are up to date, each with the number of its call.

    Shape: `asked` as in `SettledBuild`; targets that a command line names are left out. SCons prints one line for all
    that one action makes.
    """
    _, _, targets, _ = asked
    found, done = {}, set()
    for number, place in (row for row in targets if not isinstance(row, str)):
        record = records[number]
        if (number, record.together[place]) not in done:
            done.add((number, record.together[place]))
            found[f"scons: `{record.names[place]}' is up to date."] = number
    return found


def told_in_order(
    asked: Sequence[Any], records: Sequence[CallRecord], told: Sequence[str], executed: Container[int] = ()
) -> list[tuple[int, str]] | None:
    """Return the lines of `told_of`, each after the number of its call, in the order in which SCons visits the targets:
    what a target needs comes before it. SCons itself sees to that for calls that are executed.

    Shape: `told` as in `SettledBuild`; None if it would have to tell more about the order, and does not.
    """
    lines: dict[int, list[str]] = {}
    calls = told_of(asked, records)
    for line, number in calls.items():
        lines.setdefault(number, []).append(line)
    order = {line: place for place, line in enumerate(told)}
    needs, found = [record.needs for record in records], dict[str, None]()
    done: set[int] = set()
    for line, number in calls.items():
        below = {number}
        if number not in executed:
            reach(below, needs, done)
            done |= below
        visited = [other for each in sorted(below - {number}) for other in lines.get(each, ()) if other not in found]
        if visited and not {line, *visited} <= order.keys():
            return None
        found |= dict.fromkeys(sorted([*visited, line], key=lambda each: order.get(each, 0)))
    return [(calls[line], line) for line in found]


def told_targets(
    asked: Sequence[Any], nodes: Mapping[int, Sequence[Node]], lines: Iterable[tuple[int, str]]
) -> list[Any]:
    """Return the targets to build, with what SCons prints of those whose calls are not executed.

    Shape: `asked` as the targets in `SettledBuild.asked`; `nodes` are those of the calls that are executed, by number;
    `lines` are the numbers of calls with what SCons prints of their targets, in order.
    """
    own: dict[int, list[Node]] = {}
    for number, place in (row for row in asked if not isinstance(row, str)):
        if number in nodes:
            own.setdefault(number, []).append(nodes[number][place])
    found: dict[int, Any] = {}
    for number, line in lines:
        found |= {id(node): node for node in own.get(number) or [Told([line])]}
    return [*found.values(), *(row for row in asked if isinstance(row, str))]


class Told(SCons.Node.Python.Value):  # type: ignore[misc]
    """A node with nothing to build; when SCons reaches it, it prints what is up to date."""

    def __init__(self, lines: list[str], done: Callable[[], None] = lambda: None) -> None:
        super().__init__("crates that are up to date")
        self._lines = list(lines)
        self._done = done
        self.set_state(SCons.Node.up_to_date)

    def disambiguate(self, must_exist: object = None) -> Node:
        """Print what is up to date where SCons would have printed it."""
        while self._lines:
            SCons.Script.Main.display(self._lines.pop(0))
        self._done()
        return self
