"""What SCons prints of targets that are up to date, in its own order, while only some of them are declared."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from ..nodes.node import Node
from .call import Call
from .partial_build import add_reachable
from .record import CallRecord
from .requested_targets import Requested
from .up_to_date import UpToDateNode


def up_to_date_lines(requested: Requested, records: Sequence[CallRecord]) -> dict[str, int]:
    """Return what SCons prints of the targets to build that are up to date, each with the number of its call.

    Shape: targets that a command line names are left out. SCons prints one line for all that one action makes.
    """
    lines, done = {}, set()
    for number, index in (target for target in requested.build if type(target) is list):
        record = records[number]
        action = (number, record.first_of_action[index])
        if action not in done:
            done.add(action)
            lines[f"scons: `{record.names[index]}' is up to date."] = number
    return lines


def lines_in_order(
    requested: Requested, records: Sequence[CallRecord], printed: Sequence[str], executed: Container[int] = ()
) -> list[tuple[int, str]] | None:
    """Return the lines of `up_to_date_lines`, each after the number of its call, as SCons visits the targets.

    What a target needs comes before it. SCons itself sees to that for calls that are executed.

    Shape: `printed` as in `LastBuild`; None if it does not determine the order.
    """
    calls, rank = up_to_date_lines(requested, records), {line: number for number, line in enumerate(printed)}
    if not calls.keys() <= rank.keys():
        return list(zip(calls.values(), calls, strict=True)) if _are_in_order(list(calls.values()), records) else None
    todo, lines = sorted(calls, key=lambda line: -rank[line]), dict[str, None]()
    for line, number in calls.items():
        # Whatever SCons visited earlier last time, it has visited by now, or visits for this target.
        while number not in executed and todo and rank[todo[-1]] < rank[line]:
            lines[todo.pop()] = None
        lines[line] = None
    return [(calls[line], line) for line in lines]


def _are_in_order(numbers: Sequence[int], records: Sequence[CallRecord]) -> bool:
    """Return whether each call comes after all of these that it needs."""
    needs, todo, done = [record.needs for record in records], set(numbers), set[int]()
    for number in numbers:
        todo.discard(number)
        needed = {number}
        add_reachable(needed, needs, done)
        if not needed.isdisjoint(todo):
            return False
        done |= needed
    return True


def targets_with_lines(
    requested: Requested, calls: Sequence[Call], lines: Iterable[tuple[int, str]], given: Sequence[Any]
) -> list[Any]:
    """Return the targets to build, with lines to print in place of those whose calls are not executed.

    Shape: `lines` are in order, each after the number of its call; `given` are the targets as SCons has them.
    """
    executed: dict[int, list[Node]] = {}
    for number, index in (target for target in requested.build if type(target) is list):
        if calls[number].is_executed:
            executed.setdefault(number, []).append(calls[number].nodes[index])
    targets: dict[int, Any] = {}
    for number, line in lines:
        targets |= {id(node): node for node in executed.get(number) or [UpToDateNode([line])]}
    others = [node for target, node in zip(requested.build, given, strict=True) if type(target) is not list]
    return [*targets.values(), *others]
