"""The file system at one moment: what is at a path, or where the path stops existing."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable

from cratewright import Digest, changed_ns, digest_file

# Names that directories do not list.
_SELF = ("", ".", "..")


def path_in(directory: str, name: str) -> str:
    """Return a path in a directory; the project root is an empty string."""
    return f"{directory}/{name}" if directory not in ("", "/") else directory + name


class World:
    """Directories at one moment, each listed once, and what was found in them.

    Shape: `found` has the digest of each examined path, None for a missing one; `newest` says when the last of those
    that are files was changed. `searched` are directories that may be created at any time, with any files in them.
    Units: nanoseconds.
    """

    def __init__(self, root: str, searched: Collection[str] = ()) -> None:
        self.newest = 0
        self._root = root
        self._searched = searched
        self._names: dict[str, frozenset[str] | None] = {}
        self.found: dict[str, Digest | None] = {}

    def miss(self, path: str) -> None:
        """Record that no file is at a path, or the first missing directory above it.

        A directory or dangling link is recorded, since it may become a file. A file is not: unless it is newer than the
        search, the compiler has skipped it.
        """
        missing = self._first_missing(path)
        if missing:
            self.found[missing] = None
        elif not self._is_file(path):
            self.found[path] = digest_file(os.path.join(self._root, path))

    def miss_all(self, paths: Iterable[str]) -> None:
        """Record that no file is at any of the paths, as `miss`; a missing directory is looked up once."""
        grouped: dict[str, dict[str, str]] = {}
        for path in paths:
            directory, _, name = path.rpartition("/")
            grouped.setdefault(directory, {})[name if directory else path] = path
        for directory, group in grouped.items():
            names = self._listed(directory) if directory else None
            if names is not None:
                for name, path in group.items():
                    if name in names:
                        self.miss(path)
                    else:
                        self.found[path] = None
            elif directory and (missing := self._first_missing(directory)):
                self.found.update(dict.fromkeys(group.values() if directory in self._searched else (missing,)))
            else:
                for path in group.values():
                    self.miss(path)

    def query(self, name: str, directories: tuple[str, ...], *, beyond: bool = False) -> None:
        """Record what a `__has_include` query has examined.

        Shape: `beyond` if the first file found need not be the answer.
        """
        if name.startswith("/"):
            directories = ("",)
        for directory in directories:
            if self.look(path_in(directory, name)) and not beyond:
                return

    def look(self, path: str) -> bool:
        """Record what is at a path, and return whether it is a file."""
        missing = self._first_missing(path)
        if missing:
            self.found[missing] = None
            return False
        self.found[path] = digest_file(os.path.join(self._root, path))
        return self._is_file(path)

    def _is_file(self, path: str) -> bool:
        try:
            status = os.stat(os.path.join(self._root, path))
        except (OSError, ValueError):
            return False
        if not stat.S_ISREG(status.st_mode):
            return False
        self.newest = max(self.newest, changed_ns(status))
        return True

    def _first_missing(self, path: str) -> str:
        at = path.rfind("/")
        directory = path[:at] if at > 0 else path[: at + 1]
        names = self._listed(directory)
        if names is not None:
            return "" if path[at + 1 :] in names else path
        missing = self._first_missing(directory) if directory not in ("", "/", path) else ""
        return path if missing and directory in self._searched else missing

    def _listed(self, directory: str) -> frozenset[str] | None:
        try:
            return self._names[directory]
        except KeyError:
            pass
        names: frozenset[str] | None
        try:
            names = frozenset((*os.listdir(os.path.join(self._root, directory)), *_SELF))
        except OSError:
            names = None
        self._names[directory] = names
        return names
