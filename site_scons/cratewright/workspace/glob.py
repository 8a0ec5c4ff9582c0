"""File name patterns: `*`, `?`, `[...]` within a name, `**` for any number of directories.

The caller provides a function that lists a directory.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import translate

Listing = Callable[[str], Mapping[str, bool]]
"""Returns the names in a directory, and whether each is a directory; nothing if it is not a directory."""

_MAGIC = re.compile(r"[*?[]")


def is_glob(path: str) -> bool:
    """Return whether a path is a pattern."""
    return _MAGIC.search(path) is not None


def expand_glob(pattern: str, listing: Listing) -> tuple[str, ...]:
    """Return the files that match a pattern, sorted by their parts.

    Shape: a name that begins with a dot is matched only by one that does.
    """
    parts: list[str] = []
    for part in pattern.split("/"):
        # Two in a row match no more than one, but would be tried with every division of the directories.
        if part != "**" or parts[-1:] != ["**"]:
            parts.append(part)
    return tuple(sorted(_Walk(parts, listing).files(), key=lambda path: path.split("/")))


class _Walk:
    """One search; each rest of a pattern is matched once below each directory, however many ways lead there."""

    def __init__(self, parts: Sequence[str], listing: Listing) -> None:
        self._parts = parts
        self._listing = listing
        self._matches = [re.compile(translate(part)).match if is_glob(part) else None for part in parts]
        self._found: set[str] = set()

    def files(self) -> set[str]:
        """Return what matches."""
        seen: set[tuple[str, int]] = set()
        waiting = [("", 0)]
        while waiting:
            place = waiting.pop()
            if place not in seen:
                seen.add(place)
                waiting += self._next(*place)
        return self._found

    def _next(self, directory: str, at: int) -> Iterator[tuple[str, int]]:
        """Yield the directories to search next, each with the position of the part of the pattern to match there."""
        head, last = self._parts[at], at == len(self._parts) - 1
        if head == "**":
            if last:
                self._note(directory, lambda name: True, hidden=False)
            else:
                yield directory, at + 1
            for name, is_directory in self._listing(directory).items():
                if is_directory and not name.startswith("."):
                    yield _join(directory, name), at
            return
        match = self._matches[at] or re.compile(translate(head)).match
        if last:
            self._note(directory, match, hidden=head.startswith("."))
        elif not is_glob(head):
            yield _join(directory, head) or "/", at + 1
        else:
            for name, is_directory in self._listing(directory).items():
                if is_directory and match(name) and (head.startswith(".") or not name.startswith(".")):
                    yield _join(directory, name), at + 1

    def _note(self, directory: str, match: Callable[[str], object], *, hidden: bool) -> None:
        for name, is_directory in self._listing(directory).items():
            if not is_directory and match(name) and (hidden or not name.startswith(".")):
                self._found.add(_join(directory, name))


def _join(directory: str, name: str) -> str:
    return posixpath.join(directory, name)
