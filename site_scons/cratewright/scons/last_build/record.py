"""The file that describes the last build: what each call of `env.Crate` was found or made from.

As long as none of it differs, the next build has nothing to do and need not check crate by crate. If files differ
that belong to some crates alone, only these crates are checked, and those that depend on them. If anything else
differs, the build runs as if the file were missing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import machinery
from typing import Any, NamedTuple

from ...base.stamp import file_stamp

__all__ = [
    "MEMORY",
    "RECORD_NAME",
    "CallRecord",
    "CallRow",
    "LastBuild",
    "memory_digest",
    "memory_of",
    "names_digest",
    "read_last_build",
    "renew_memory",
]

RECORD_NAME = ".sconsign.crates"
"""The file, beside SCons's own."""
MEMORY = ".sconsign.dblite"
"""SCons's own file: what it has built, and from what."""

_FORMAT = "cratewright last build 12"
_MOST = 1 << 28
_IMPORTED = (*machinery.all_suffixes(), "-info", ".egg", ".egg-link")


CallRow = tuple[str, list[str], dict[str, Any]]
"""A call as in `LastBuild.calls`."""


class CallRecord(NamedTuple):
    """What one call of `env.Crate` stands for in a build.

    Shape: `is_checked` if every stage that SCons has visited was up to date. `files` are the numbers of files that its
    stages read or made, in the order of `LastBuild.files`, and if `is_read`, all that they looked for; `makes` the
    numbers of its nodes in `LastBuild.built`, of which SCons has not visited those in `hidden`, and `needs` those of
    other calls on which it depends, or whose files it reads. `names` are what SCons calls the nodes of the target, and
    `together` says for each of them which is the first that the same action makes; `key` is that of the crate, and
    `links` as `CrateLinks.links_of` gives it.
    """

    is_checked: bool
    is_read: bool
    files: list[int]
    makes: list[int]
    hidden: list[int]
    needs: list[int]
    names: list[str]
    together: list[int]
    key: str
    links: Sequence[bool]


class LastBuild(NamedTuple):
    """The last build.

    Shape: `calls` are the digests of the calls of `env.Crate`, in order, each with the paths of its nodes, and with
    what its `CrateTarget` has by name: words, and paths of nodes. `aliases` are names, each with the numbers of calls
    and the places there of what it stands for; `requested` are the targets to build, `late` digests of the state when
    all SConscripts had been read. `printed` are the lines that SCons printed when there was nothing to do. `built` are
    the paths of nodes that crates make, directories with a trailing `/`; `unmade` those of nodes that are not on disk,
    or of their sources that are. `memory` is the digest of SCons's database. `installed` are the files of programs,
    plugins and code, with their stamps, None for a missing path; `files` are all others that were read or made, with an
    empty stamp if only calls did that which the next build checks. `places` are directories of the project in which
    Python looks for modules, with the digests of their file names. Paths are absolute. `ways` are paths with `..`, and
    where they lead, since a link may be on the way. `is_whole` if nothing was made, and SCons makes nothing apart from
    crates; `written` is the text of the records, which are only read if something differs.
    """

    calls: list[CallRow]
    aliases: list[Any]
    requested: list[Any]
    late: list[str]
    printed: list[str]
    built: list[str]
    unmade: list[str]
    memory: str
    installed: Mapping[str, list[int] | None]
    places: Mapping[str, str]
    files: Mapping[str, list[int] | None]
    ways: Mapping[str, str]
    is_whole: bool
    written: bytes

    def encode(self) -> bytes:
        """Return the content of the file."""
        return json.dumps([_FORMAT, *self[:-1]]).encode() + b"\n" + self.written

    def is_same_otherwise(self, memory: str) -> bool:
        """Return whether nothing has changed apart from `files`; `memory` is the digest of SCons's database now."""
        if memory != self.memory or any(names_digest(place) != digest for place, digest in self.places.items()):
            return False
        if self.ways:
            from ...system.fs import plain_path  # noqa: PLC0415 - few builds need it

            if any(plain_path(path) != end for path, end in self.ways.items()):
                return False
        return not any(_changed(self.installed))

    def differing(self) -> list[str]:
        """Return the paths of `files` that have changed."""
        return list(_changed(self.files))

    def missing_names(self) -> Callable[[str], list[str]]:
        """Return a function that gives the names of a directory's nodes that a pattern does not find on disk now."""

        @cache
        def found() -> dict[str, list[str]]:
            names: dict[str, list[str]] = {}
            for path in (*self.built, *self.unmade):
                directory, name = os.path.split(path.rstrip("/"))
                names.setdefault(directory, []).append(name)
            return names

        def missing(directory: str) -> list[str]:
            return [name for name in found().get(directory, ()) if not os.path.lexists(os.path.join(directory, name))]

        return missing

    def may_concern(self) -> Callable[[str], bool]:
        """Return a function that says whether a declaration may ask about a path, or a stage read it.

        Shape: of calls that SCons has not come to, or that have failed, not all files are known.
        """

        @cache
        def is_known() -> bool:
            records = self.records()
            return bool(records) and all(record.is_read for record in records)

        return lambda path: any(self._has(each) for each in self.with_missing(path)) or not is_known()

    def with_missing(self, path: str) -> Iterator[str]:
        """Yield a path, and the directories above it that were missing: a compiler may have looked for them alone."""
        yield path
        while (above := os.path.dirname(path)) != path:
            path = above
            if self.files.get(path, ()) is None or self.installed.get(path, ()) is None:
                yield path

    def _has(self, path: str) -> bool:
        return path in self.files or path in self.installed

    def records(self) -> list[CallRecord]:
        """Return the record of each call; none if they are missing or unreadable."""
        try:
            rows = json.loads(self.written)
            records = [CallRecord(*row) for row in rows]
            fits = len(records) == len(self.calls) and all(map(self._is_sound, records))
        except (ValueError, TypeError, RecursionError):
            return []
        return records if fits else []

    def _is_sound(self, record: CallRecord) -> bool:
        numbers = (
            (record.files, len(self.files)),
            (record.makes, len(self.built)),
            (record.hidden, len(self.built)),
            (record.needs, len(self.calls)),
            (record.together, len(record.names)),
        )
        return (
            tuple(map(type, record)) == (bool, bool, list, list, list, list, list, list, str, list)
            and len(record.names) == len(record.together)
            and all(type(number) is int and 0 <= number < end for row, end in numbers for number in row)
            and {str}.issuperset(map(type, record.names))
            and list(map(type, record.links)) == [bool, bool]
        )


def _changed(files: Mapping[str, list[int] | None]) -> Iterator[str]:
    """Yield the paths that have another stamp now."""
    find = os.stat
    for path, stamp in files.items():
        try:
            now = find(path)
        except (OSError, ValueError):
            if stamp is not None:
                yield path
            continue
        if stamp is None or file_stamp(now) != stamp:
            yield path


_TYPES = (list, list, list, list, list, list, list, str, dict, dict, dict, dict, bool, bytes)


def read_last_build(root: str) -> LastBuild | None:
    """Return what the last build wrote; None if the file is missing or unreadable."""
    try:
        text, _, written = _content(os.path.join(root, RECORD_NAME)).partition(b"\n")
        found: list[Any] = [*json.loads(text), written]
        form, *fields = found
        if form != _FORMAT or list(map(type, fields)) != list(_TYPES) or not _are_calls(fields[0]):
            return None
        if not all({str}.issuperset(map(type, fields[number])) for number in (3, 4, 5, 6)):
            return None
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return LastBuild(*fields)


def renew_memory(root: str, build: LastBuild) -> None:
    """Describe a build again, in which SCons has visited no crate, but has written its database."""
    from ...system.fs import write_atomic  # noqa: PLC0415 - few builds need it

    memory = memory_of(root)
    if memory and memory_digest(memory) != build.memory:
        write_atomic(os.path.join(root, RECORD_NAME), build._replace(memory=memory_digest(memory)).encode())


def memory_of(root: str) -> bytes:
    """Return the content of SCons's database; empty if it is not a file."""
    try:
        return _content(os.path.join(root, MEMORY))
    except OSError:
        return b""


def memory_digest(memory: bytes) -> str:
    """Return the digest of the content of SCons's database, empty if there is none."""
    return hashlib.sha256(memory).hexdigest() if memory else ""


def names_digest(place: str) -> str:
    """Return the digest of the file names in a directory of modules, empty if it does not exist.

    Shape: only names that a module, a package or what describes an installed project may have.
    """
    try:
        names = [name for name in os.listdir(place) if "." not in name or name.endswith(_IMPORTED)]
    except OSError:
        return ""
    return hashlib.sha256(json.dumps(sorted({*names} - {"__pycache__"})).encode()).hexdigest()


def _content(path: str) -> bytes:
    # A pipe has no end, and we never wrote a file this large.
    if not os.path.isfile(path) or os.path.getsize(path) > _MOST:
        raise OSError(path)
    with open(path, "rb") as file:
        return file.read()


def _are_calls(rows: list[Any]) -> bool:
    return all(
        isinstance(row, list)
        and list(map(type, row)) == [str, list, dict]
        and row[0]
        and {str}.issuperset(map(type, row[1]))
        for row in rows
    )
