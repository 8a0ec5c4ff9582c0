"""Patterns of file names: `*`, `?`, `[...]` within a name, `**` for any number of directories.

Knows nothing of disks: it is given a function that lists a directory.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import translate

__all__ = ["Listing", "expand_glob", "is_glob"]

Listing = Callable[[str], Mapping[str, bool]]
"""Gives the names in a directory, and of each whether it is a directory; nothing for what is no directory."""

_MAGIC = re.compile(r"[*?[]")


def is_glob(path: str) -> bool:
    """Say whether a path is a pattern."""
    return _MAGIC.search(path) is not None


def expand_glob(pattern: str, listing: Listing) -> tuple[str, ...]:
    """Return the files that match a pattern, sorted by their parts.

    Shape: a name that begins with a dot is matched only by one that does.
    """
    return tuple(sorted(set(_walk("", pattern.split("/"), listing)), key=lambda path: path.split("/")))


def _walk(directory: str, parts: Sequence[str], listing: Listing) -> Iterator[str]:
    head, rest = parts[0], parts[1:]
    if head == "**":
        yield from _walk(directory, rest or ["*"], listing)
        for name, is_directory in listing(directory).items():
            if is_directory and not name.startswith("."):
                yield from _walk(_join(directory, name), parts, listing)
    elif rest and not is_glob(head):
        yield from _walk(_join(directory, head) or "/", rest, listing)
    else:
        matches = re.compile(translate(head)).match
        for name, is_directory in listing(directory).items():
            if not matches(name) or (name.startswith(".") and not head.startswith(".")):
                continue
            path = _join(directory, name)
            if rest and is_directory:
                yield from _walk(path, rest, listing)
            elif not rest and not is_directory:
                yield path


def _join(directory: str, name: str) -> str:
    return posixpath.join(directory, name)
