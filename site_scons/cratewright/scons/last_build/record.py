"""The file that describes the last build: what each call of `env.Crate` was made from.

As long as nothing in it differs, the next build has nothing to do and need not check each crate. If files differ that
belong to some crates alone, only those crates are checked, and those that depend on them. If anything else differs,
the build runs as if the file were missing.
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
from .database import bounded_content, database_digest, read_database

RECORD_NAME = ".sconsign.crates"
"""The file, beside SCons's own."""

_FORMAT = "cratewright last build 12"
_MODULE_SUFFIXES = (*machinery.all_suffixes(), "-info", ".egg", ".egg-link")


CallRow = tuple[str, list[str], dict[str, Any]]
"""A call as in `LastBuild.calls`."""


class CallRecord(NamedTuple):
    """What one call of `env.Crate` declares, and what its stages were made from.

    Shape: `is_up_to_date` if every stage that SCons has visited was. `files` are the indices in `LastBuild.files` of
    what the stages read or made and, if `knows_all_paths`, of all that they looked for. `outputs` are the indices of
    its nodes in `LastBuild.outputs`, of which SCons has not visited those in `unvisited`; `needs` are the numbers of
    other calls on which it depends, or whose files it reads. `names` are what SCons calls the nodes of the target, and
    `first_of_action` gives for each the index of the first node that the same action makes. `key` is that of the
    crate, and `links` as `CrateLinks.links_of` gives it.
    """

    is_up_to_date: bool
    knows_all_paths: bool
    files: list[int]
    outputs: list[int]
    unvisited: list[int]
    needs: list[int]
    names: list[str]
    first_of_action: list[int]
    key: str
    links: Sequence[bool]


class LastBuild(NamedTuple):
    """The last build.

    Shape: paths are absolute, those of directories in `calls` and `outputs` with a trailing `/`.

    - `calls` of `env.Crate`, in order: the digest, the paths of the nodes, and the attributes of the target with paths
      in place of nodes;
    - `aliases` of crates, each with the positions of its nodes: the number of a call and the index among its nodes;
    - `requested`, the targets to build as `Requested`, and `end_state`, digests of the state when all SConscripts had
      been read;
    - `printed`, the lines that SCons printed when there was nothing to do;
    - `outputs`, the paths of all nodes that crates make; `absent` those of all nodes that are not on disk, or of their
      sources that are;
    - `database`, the digest of SCons's own;
    - `installed`, the files of programs, plugins and code with their stamps, None for a missing path; `module_dirs`,
      the directories of the project in which Python looks for modules, with the digests of their file names;
    - `files`, all others that were read or made, with their stamps; an empty stamp if only calls read them that the
      next build checks;
    - `upward_paths`, paths with `..` and where they lead, since they may pass a link;
    - `is_settled` if nothing was made and only crates make files;
    - `encoded_records`, the text of the records, which are only read if something differs.
    """

    calls: list[CallRow]
    aliases: list[Any]
    requested: list[Any]
    end_state: list[str]
    printed: list[str]
    outputs: list[str]
    absent: list[str]
    database: str
    installed: Mapping[str, list[int] | None]
    module_dirs: Mapping[str, str]
    files: Mapping[str, list[int] | None]
    upward_paths: Mapping[str, str]
    is_settled: bool
    encoded_records: bytes

    def encode(self) -> bytes:
        """Return the content of the file."""
        return json.dumps([_FORMAT, *self[:-1]]).encode() + b"\n" + self.encoded_records

    def has_same_surroundings(self, database: str) -> bool:
        """Return whether nothing has changed apart from `files`; `database` is the digest of SCons's database now."""
        if database != self.database or any(
            names_digest(directory) != digest for directory, digest in self.module_dirs.items()
        ):
            return False
        if self.upward_paths:
            from ...system.fs import plain_path  # noqa: PLC0415 - few builds need it

            if any(plain_path(path) != plain for path, plain in self.upward_paths.items()):
                return False
        return not any(_changed(self.installed))

    def changed_files(self) -> list[str]:
        """Return the paths of `files` that have changed."""
        return list(_changed(self.files))

    def missing_names(self) -> Callable[[str], list[str]]:
        """Return a function that gives the names of nodes in a directory that a pattern cannot find on disk."""

        @cache
        def found() -> dict[str, list[str]]:
            names: dict[str, list[str]] = {}
            for path in (*self.outputs, *self.absent):
                directory, name = os.path.split(path.rstrip("/"))
                names.setdefault(directory, []).append(name)
            return names

        def missing(directory: str) -> list[str]:
            return [name for name in found().get(directory, ()) if not os.path.lexists(os.path.join(directory, name))]

        return missing

    def may_concern(self) -> Callable[[str], bool]:
        """Return a function that says whether a declaration or a stage may look for a path."""

        @cache
        def knows_all_paths() -> bool:
            # Not of calls that SCons has not visited, or that have failed.
            records = self.records()
            return bool(records) and all(record.knows_all_paths for record in records)

        def concerns(path: str) -> bool:
            paths = self.with_missing_parents(path)
            return any(each in self.files or each in self.installed for each in paths) or not knows_all_paths()

        return concerns

    def with_missing_parents(self, path: str) -> Iterator[str]:
        """Yield a path, and the missing directories above it: a compiler may have looked for only those."""
        yield path
        while (parent := os.path.dirname(path)) != path:
            path = parent
            if self.files.get(path, ()) is None or self.installed.get(path, ()) is None:
                yield path

    def records(self) -> list[CallRecord]:
        """Return the record of each call; none if they are missing or unreadable."""
        try:
            rows = json.loads(self.encoded_records)
            records = [CallRecord(*row) for row in rows]
            fits = len(records) == len(self.calls) and all(map(self._is_sound, records))
        except (ValueError, TypeError, RecursionError):
            return []
        return records if fits else []

    def _is_sound(self, record: CallRecord) -> bool:
        indices = (
            (record.files, len(self.files)),
            (record.outputs, len(self.outputs)),
            (record.unvisited, len(self.outputs)),
            (record.needs, len(self.calls)),
            (record.first_of_action, len(record.names)),
        )
        return (
            tuple(map(type, record)) == (bool, bool, list, list, list, list, list, list, str, list)
            and len(record.names) == len(record.first_of_action)
            and all(type(index) is int and 0 <= index < end for row, end in indices for index in row)
            and {str}.issuperset(map(type, record.names))
            and list(map(type, record.links)) == [bool, bool]
        )


def _changed(files: Mapping[str, list[int] | None]) -> Iterator[str]:
    """Yield the paths whose stamp has changed."""
    stat = os.stat
    for path, stamp in files.items():
        try:
            now = stat(path)
        except (OSError, ValueError):
            if stamp is not None:
                yield path
            continue
        if stamp is None or file_stamp(now) != stamp:
            yield path


_TYPES = (list, list, list, list, list, list, list, str, dict, dict, dict, dict, bool, bytes)


def read_last_build(root: str) -> LastBuild | None:
    """Return the last build; None if its file is missing or unreadable."""
    try:
        text, _, encoded_records = bounded_content(os.path.join(root, RECORD_NAME)).partition(b"\n")
        row: list[Any] = [*json.loads(text), encoded_records]
        version, *fields = row
        if version != _FORMAT or list(map(type, fields)) != list(_TYPES) or not _are_calls(fields[0]):
            return None
        if not all({str}.issuperset(map(type, fields[number])) for number in (3, 4, 5, 6)):
            return None
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return LastBuild(*fields)


def update_database_digest(root: str, build: LastBuild) -> None:
    """Record SCons's database as it is now: it was written by a build that visited no crate."""
    from ...system.fs import write_atomic  # noqa: PLC0415 - few builds need it

    database = read_database(root)
    if database and database_digest(database) != build.database:
        write_atomic(os.path.join(root, RECORD_NAME), build._replace(database=database_digest(database)).encode())


def names_digest(directory: str) -> str:
    """Return the digest of the file names in a directory of modules, empty if it does not exist.

    Shape: only names that a module, a package or the metadata of an installed project may have.
    """
    try:
        names = [name for name in os.listdir(directory) if "." not in name or name.endswith(_MODULE_SUFFIXES)]
    except OSError:
        return ""
    return hashlib.sha256(json.dumps(sorted({*names} - {"__pycache__"})).encode()).hexdigest()


def _are_calls(rows: list[Any]) -> bool:
    return all(
        isinstance(row, list)
        and list(map(type, row)) == [str, list, dict]
        and row[0]
        and {str}.issuperset(map(type, row[1]))
        for row in rows
    )
