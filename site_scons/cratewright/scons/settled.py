"""The file that describes a build with nothing to do: everything that decided so.

As long as none of it differs, the next build has nothing to do either and need not check crate by crate. If
anything differs, the build runs as if the file were missing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..base.stamp import file_stamp

__all__ = ["MEMORY", "NAME", "SettledBuild", "memory_digest", "memory_of", "names_digest", "read_settled"]

NAME = ".sconsign.crates"
"""The file, beside SCons's own."""
MEMORY = ".sconsign.dblite"
"""SCons's own: what it has built, and of what."""

_FORMAT = "cratewright settled build 4"
_MOST = 1 << 28


class SettledBuild(NamedTuple):
    """A build with nothing to do.

    Shape: `calls` are the digests of the calls of `env.Crate`, in order, each with the paths of its nodes; `asked`
    are the targets to build, `late` digests of the state when all SConscripts had been read. `told` are the lines
    that SCons printed. `built` are the paths of nodes that crates make, directories with a trailing `/`; `unmade`
    those of nodes that are not on disk. `memory` is the digest of SCons's database. `files` are all files read or
    made, with their stamps, None for a missing path; `places` are directories of the project in which Python looks
    for modules, with the digests of their file names. Paths are absolute.
    """

    calls: list[tuple[str, list[str]]]
    asked: list[Any]
    late: list[str]
    told: list[str]
    built: list[str]
    unmade: list[str]
    memory: str
    places: Mapping[str, str]
    files: Mapping[str, list[int] | None]

    def encode(self) -> bytes:
        """Return the content of the file."""
        return json.dumps([_FORMAT, *self]).encode()

    def holds(self, memory: str) -> bool:
        """Return whether no file has changed; `memory` is the digest of SCons's database now."""
        if memory != self.memory:
            return False
        stat = os.stat
        for path, stamp in self.files.items():
            try:
                found = stat(path)
            except (OSError, ValueError):
                if stamp is not None:
                    return False
                continue
            if stamp is None or file_stamp(found) != stamp:
                return False
        return all(names_digest(place) == digest for place, digest in self.places.items())


_TYPES = (list, list, list, list, list, list, str, dict, dict)


def read_settled(root: str) -> SettledBuild | None:
    """Return what the last build with nothing to do wrote; None if the file is missing or unreadable."""
    try:
        form, *fields = json.loads(_content(os.path.join(root, NAME)))
        if form != _FORMAT or list(map(type, fields)) != list(_TYPES) or not _are_calls(fields[0]):
            return None
        if not all({str}.issuperset(map(type, fields[number])) for number in (2, 3, 4, 5)):
            return None
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return SettledBuild(*fields)


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

    Shape: without hidden files, which are never modules, and without Python's own cache.
    """
    try:
        names = [name for name in os.listdir(place) if not name.startswith(".") and name != "__pycache__"]
    except OSError:
        return ""
    return hashlib.sha256(json.dumps(sorted(names)).encode()).hexdigest()


def _content(path: str) -> bytes:
    # A pipe has no end, and we never wrote a file this large.
    if not os.path.isfile(path) or os.path.getsize(path) > _MOST:
        raise OSError(path)
    with open(path, "rb") as file:
        return file.read()


def _are_calls(rows: list[Any]) -> bool:
    return all(
        isinstance(row, list) and list(map(type, row)) == [str, list] and row[0] and {str}.issuperset(map(type, row[1]))
        for row in rows
    )
