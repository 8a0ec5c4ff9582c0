"""Targets of which SCons only prints that they are up to date."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

import SCons.Node
import SCons.Node.Alias
import SCons.Node.FS
import SCons.Node.Python
import SCons.Script.Main

from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import is_made_for_crate
from .outdated_calls import add_reachable
from .record import CallRecord

__all__ = ["UpToDateNode", "lines_in_order", "other_target", "targets_with_lines", "up_to_date_lines"]


def up_to_date_lines(requested: Sequence[Any], records: Sequence[CallRecord]) -> dict[str, int]:
    """Return what SCons prints of the targets to build that are up to date, each with the number of its call.

    Shape: `requested` as in `LastBuild`; targets that a command line names are left out. SCons prints one line for all
    that one action makes.
    """
    _, _, targets, _ = requested
    found, done = {}, set()
    for number, place in (row for row in targets if type(row) is list):
        record = records[number]
        if (number, record.together[place]) not in done:
            done.add((number, record.together[place]))
            found[f"scons: `{record.names[place]}' is up to date."] = number
    return found


def lines_in_order(
    requested: Sequence[Any], records: Sequence[CallRecord], printed: Sequence[str], executed: Container[int] = ()
) -> list[tuple[int, str]] | None:
    """Return the lines of `up_to_date_lines`, each after the number of its call, in the order in which SCons visits the
    targets: what a target needs comes before it. SCons itself sees to that for calls that are executed.

    Shape: `printed` as in `LastBuild`; None if it would have to tell more about the order, and does not.
    """
    calls, rank = up_to_date_lines(requested, records), {line: place for place, line in enumerate(printed)}
    if not calls.keys() <= rank.keys():
        return list(zip(calls.values(), calls, strict=True)) if _are_in_order(list(calls.values()), records) else None
    todo, found = sorted(calls, key=lambda line: -rank[line]), dict[str, None]()
    for line, number in calls.items():
        # All that SCons visited before, it has come to by now, or comes to for this one.
        while number not in executed and todo and rank[todo[-1]] < rank[line]:
            found[todo.pop()] = None
        found[line] = None
    return [(calls[line], line) for line in found]


def _are_in_order(numbers: Sequence[int], records: Sequence[CallRecord]) -> bool:
    """Return whether calls come after all of these that they need."""
    needs, todo, done = [record.needs for record in records], set(numbers), set[int]()
    for number in numbers:
        todo.discard(number)
        below = {number}
        add_reachable(below, needs, done)
        if not below.isdisjoint(todo):
            return False
        done |= below
    return True


def other_target(node: Node) -> dict[str, str] | None:
    """Return what stands for a target in `LastBuild.requested` that no crate makes; None for one of a crate."""
    if is_pending_node(node) or is_made_for_crate(node):
        return None
    kinds = (SCons.Node.FS.Base, SCons.Node.Alias.Alias)
    return {"other": str(getattr(node, "abspath", node))} if isinstance(node, kinds) else None


def targets_with_lines(
    requested: Sequence[Any],
    nodes: Mapping[int, Sequence[Node]],
    lines: Iterable[tuple[int, str]],
    given: Sequence[Any],
) -> list[Any]:
    """Return the targets to build, with what SCons prints of those whose calls are not executed.

    Shape: `requested` as the targets in `LastBuild.requested`; `nodes` are those of the calls that are executed, by
    number; `lines` are the numbers of calls with what SCons prints of their targets, in order; `given` are the targets
    themselves, as SCons has them.
    """
    own: dict[int, list[Node]] = {}
    for number, place in (row for row in requested if type(row) is list):
        if number in nodes:
            own.setdefault(number, []).append(nodes[number][place])
    found: dict[int, Any] = {}
    for number, line in lines:
        found |= {id(node): node for node in own.get(number) or [UpToDateNode([line])]}
    return [*found.values(), *(node for row, node in zip(requested, given, strict=True) if type(row) is not list)]


class UpToDateNode(SCons.Node.Python.Value):  # type: ignore[misc]
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
