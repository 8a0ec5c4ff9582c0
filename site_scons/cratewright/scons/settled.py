"""What a build with nothing to do looked like: all that decided that nothing was to be done, in one file.

As long as all of it is the same, the next build has nothing to do either, and need not ask crate by crate. Whatever
differs, the build is as if the file were not there. Knows nothing of SCons.
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

    Shape: `calls` are the digests of the calls of `env.Crate`, in order, each with the paths of its nodes;
    `asked` is what was to be made, `late` are digests of what was around when all SConscripts had been read. `told`
    are the lines that SCons had to say. `built` are the paths of nodes that crates make, of directories with a `/`;
    `unmade` are those of nodes that are not on disk. `memory` is the digest of SCons's own memory. `files` are all that
    were read or made, with their stamps, None for a path that was missing; `places` are directories of the project in
    which modules may lie, with the digests of their names. Paths are absolute.
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
        """Return whether all files are as they were; `memory` is the digest of what SCons remembers now."""
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
    """Return what the last build with nothing to do has left, None if there is none, or it cannot be read."""
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
    """Return what SCons remembers; empty if it is not a file."""
    try:
        return _content(os.path.join(root, MEMORY))
    except OSError:
        return b""


def memory_digest(memory: bytes) -> str:
    """Return the digest of what SCons remembers, empty for nothing."""
    return hashlib.sha256(memory).hexdigest() if memory else ""


def names_digest(place: str) -> str:
    """Return the digest of the names in a directory of modules, empty if there is none.

    Shape: without hidden files, which no module is, and what Python keeps of modules.
    """
    try:
        names = [name for name in os.listdir(place) if not name.startswith(".") and name != "__pycache__"]
    except OSError:
        return ""
    return hashlib.sha256(json.dumps(sorted(names)).encode()).hexdigest()


def _content(path: str) -> bytes:
    # A pipe has no end, and what is too large is nobody's that wrote it here.
    if not os.path.isfile(path) or os.path.getsize(path) > _MOST:
        raise OSError(path)
    with open(path, "rb") as file:
        return file.read()


def _are_calls(rows: list[Any]) -> bool:
    return all(
        isinstance(row, list) and list(map(type, row)) == [str, list] and row[0] and {str}.issuperset(map(type, row[1]))
        for row in rows
    )
