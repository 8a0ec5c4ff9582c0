"""Which calls of `env.Crate` may have something to do, if files have changed since the last build.

Only those are executed, and all that they need. What SCons makes of the other crates' files takes these for sources.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from .record import CallRecord, LastBuild


class PartialBuild(NamedTuple):
    """A build that executes some of its calls; the last build describes the others.

    Shape: numbers of calls: `outdated` may have something to do, and `executed` are these and all that they need.
    """

    last_build: LastBuild
    records: Sequence[CallRecord]
    outdated: set[int]
    executed: set[int]

    def unvisited_outputs(self) -> set[str]:
        """Return what calls that are not executed would make and SCons has not visited."""
        others = [record for number, record in enumerate(self.records) if number not in self.executed]
        return {self.last_build.outputs[output] for record in others for output in record.unvisited}

    def links(self) -> Mapping[str, Sequence[bool]]:
        """Return how the executed crates were linked, by key, as `CrateLinks.links_of` gives it."""
        return {self.records[number].key: self.records[number].links for number in self.executed}


def plan_partial_build(
    last_build: LastBuild, changed: Iterable[str], others: Set[str], root: str, names: Iterable[str]
) -> PartialBuild | None:
    """Return which calls are to be executed; None if all are.

    Shape: `changed` are paths; `others` are the files that other builders make, and all aliases; `root` is the
    project's, absolute; `names` are the targets that a command line names.
    """
    records = last_build.records()
    if not records:
        return None
    named = _named_calls(last_build, records, root, names, others)
    affected = _calls_reading(last_build, records, others)
    if named is None or affected is None:
        return None
    calls = _outdated_calls(last_build, records, changed, named | affected)
    return PartialBuild(last_build, records, *calls) if calls is not None else None


def _outdated_calls(
    last_build: LastBuild, records: Sequence[CallRecord], changed: Iterable[str], requested: Iterable[int]
) -> tuple[set[int], set[int]] | None:
    """Return the numbers of the calls which may have something to do, and of those to execute; None if all are.

    Shape: outdated are those to which a changed path belongs, that were not up to date, or that are `requested`, and
    all that need these.
    """
    paths, outputs = list(last_build.files), set(last_build.outputs)
    owners: dict[str, list[int]] = {}
    needed_by: list[list[int]] = [[] for _ in records]
    for number, record in enumerate(records):
        for file in record.files:
            owners.setdefault(paths[file], []).append(number)
        for other in record.needs:
            needed_by[other].append(number)
    found = {*requested, *(number for number, record in enumerate(records) if not record.is_up_to_date)}
    for path in changed:
        if path not in owners or not (_is_file_or_missing(path) or path + "/" in outputs):
            return None
        found.update(owners[path])
    add_reachable(found, needed_by)
    outdated = set(found)
    add_reachable(found, [record.needs for record in records])
    return (outdated, found) if len(found) < len(records) else None


def _calls_reading(last_build: LastBuild, records: Sequence[CallRecord], others: Set[str]) -> set[int] | None:
    """Return the numbers of the calls that read, or may make, what other builders make.

    Shape: None if anything reads it that belongs to no call. `others` that are not absolute paths are ignored. An
    output that SCons has not visited so far may be requested by what another builder makes now.
    """
    if not any(map(os.path.isabs, others)):
        return set()
    paths = {each for path in others for each in last_build.with_missing_parents(path)}
    if not paths.isdisjoint(last_build.installed):
        return None
    made = {number for number, path in enumerate(last_build.files) if path in paths}
    found = {number for number, record in enumerate(records) if record.unvisited or not made.isdisjoint(record.files)}
    owned = {file for record in records for file in record.files} if made else made
    return found if made <= owned else None


def _named_calls(
    last_build: LastBuild, records: Sequence[CallRecord], root: str, names: Iterable[str], others: Container[str]
) -> set[int] | None:
    """Return the numbers of the calls that make what a command line names, apart from `others` and directories.

    Shape: None if it names anything else.
    """
    outputs = last_build.outputs
    makers = {outputs[output].rstrip("/"): number for number, record in enumerate(records) for output in record.outputs}
    found = set()
    for name in names:
        path = os.path.normpath(os.path.join(root, name.lstrip("#")))
        if path in makers:
            found.add(makers[path])
        elif path not in others and name not in others and not os.path.isdir(path):
            return None
    return found


def add_reachable(found: set[int], edges: Sequence[Sequence[int]], skipped: Set[int] = frozenset()) -> None:
    """Add whatever can be reached by edges, apart from what is skipped."""
    todo = list(found)
    while todo:
        reached = set(edges[todo.pop()]) - found - skipped
        found |= reached
        todo += reached


def _is_file_or_missing(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
