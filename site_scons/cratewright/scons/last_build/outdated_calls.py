"""Which calls of `env.Crate` may have something to do, of a build that the last one describes."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable, Sequence, Set

from .record import CallRecord, LastBuild

__all__ = ["add_reachable", "hidden_paths", "to_execute"]


def outdated(
    build: LastBuild, records: Sequence[CallRecord], differing: Iterable[str], named: Iterable[int] = ()
) -> tuple[set[int], set[int]] | None:
    """Return the numbers of the calls which may have something to do, and of those to execute; None if all are.

    Shape: those to which a differing path belongs, that were not checked, or that are `named`, and all that need
    these; to execute are also all that any of them needs.
    """
    paths, made = list(build.files), set(build.built)
    owners: dict[str, list[int]] = {}
    needed_by: list[list[int]] = [[] for _ in records]
    for number, record in enumerate(records):
        for file in record.files:
            owners.setdefault(paths[file], []).append(number)
        for other in record.needs:
            needed_by[other].append(number)
    found = {*named, *(number for number, record in enumerate(records) if not record.is_checked)}
    for path in differing:
        if path not in owners or not (_is_file_or_missing(path) or path + "/" in made):
            return None
        found.update(owners[path])
    add_reachable(found, needed_by)
    concerned = set(found)
    add_reachable(found, [record.needs for record in records])
    return (concerned, found) if len(found) < len(records) else None


def hidden_paths(build: LastBuild, records: Sequence[CallRecord], executed: Container[int]) -> set[str]:
    """Return what calls that are not executed would make, as far as SCons has not visited it."""
    others = [record for number, record in enumerate(records) if number not in executed]
    return {build.built[place] for record in others for place in record.hidden}


def to_execute(
    build: LastBuild,
    records: Sequence[CallRecord],
    differing: Iterable[str],
    others: Set[str],
    named: tuple[str, Iterable[str]],
) -> tuple[set[int], set[int]] | None:
    """Return the numbers of the calls which may have something to do, and of those to execute; None if all are.

    Shape: `others` are the files that SCons makes apart from crates, and all aliases; `named` are the project's root
    and the targets that a command line names.
    """
    if not records:
        return None
    asked = named_calls(build, records, *named, others)
    read = reading(build, records, others)
    return outdated(build, records, differing, asked | read) if asked is not None and read is not None else None


def reading(build: LastBuild, records: Sequence[CallRecord], others: Set[str]) -> set[int] | None:
    """Return the numbers of the calls whose stages read, or that may make, what SCons makes apart from crates; None if
    something reads it that is of no call.

    Shape: `others` are absolute paths; other words mean nothing. What SCons has not visited so far may be asked for by
    what it makes now.
    """
    if not any(map(os.path.isabs, others)):
        return set()
    names = {each for path in others for each in build.with_missing(path)}
    if not names.isdisjoint(build.installed):
        return None
    made = {number for number, path in enumerate(build.files) if path in names}
    found = {number for number, record in enumerate(records) if record.hidden or not made.isdisjoint(record.files)}
    owned = {file for record in records for file in record.files} if made else made
    return found if made <= owned else None


def named_calls(
    build: LastBuild, records: Sequence[CallRecord], root: str, names: Iterable[str], others: Container[str]
) -> set[int] | None:
    """Return the numbers of the calls that make the targets which a command line names, apart from others and from
    directories; None if it names anything else.

    Shape: `root` is the project's, absolute.
    """
    makers = {build.built[made].rstrip("/"): number for number, record in enumerate(records) for made in record.makes}
    found = set()
    for name in names:
        path = os.path.normpath(os.path.join(root, name.lstrip("#")))
        if path in makers:
            found.add(makers[path])
        elif path not in others and name not in others and not os.path.isdir(path):
            return None
    return found


def add_reachable(found: set[int], edges: Sequence[Sequence[int]], others: Set[int] = frozenset()) -> None:
    """Add whatever can be reached by edges, apart from others."""
    todo = list(found)
    while todo:
        more = set(edges[todo.pop()]) - found - others
        found |= more
        todo += more


def _is_file_or_missing(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
