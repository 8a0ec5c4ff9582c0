"""What a compiler read, and which paths it missed.

It takes the compiler's dependency file and the texts of the files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from cratewright import Observed, changed_ns, content_digest, digest_file, plain_path

__all__ = ["DependencyFinder"]


class DependencyFinder:
    """Finds out what a unit depends on.

    Shape: `root` is absolute; `directories` are searched in order, relative to it or absolute, those of the system
    last; files below `own` count by the toolchain's version. `near` are searched besides the directory of the including
    file. `newest` says when the last of the files that the unit read, or would have found, was changed.
    Units: nanoseconds.
    """

    def __init__(self, root: str, directories: Sequence[str], system: Sequence[str], own: str) -> None:
        self._root = root
        self._directories = [*directories, *system]
        self._system = tuple(f"{directory}/" for directory in (*system, own) if directory)
        self._own = f"{own}/" if own else ""
        self._found: dict[str, Observed] = {}
        self.newest = 0

    def observe(
        self, source: str, data: bytes, read: Iterable[str], names_in: Callable[[bytes], Sequence[str]]
    ) -> tuple[Observed, ...]:
        """Return every file that was read, and every path that would have been read if it existed.

        Shape: `read` as the compiler names them; `names_in` returns the includes of a text.
        """
        texts = {source: data}
        for path in dict.fromkeys(read):
            if self._absolute(path) == self._absolute(source) or self._counts_by_version(path):
                continue
            content = self._note(path)
            if content is not None and not path.startswith(self._system):
                texts[path] = content
        explained: set[str] = set()
        for path, text in texts.items():
            for name in names_in(text):
                # Only a quoted name is searched beside the including file.
                beside = [os.path.dirname(path)] if f'"{name}"'.encode(errors="surrogateescape") in text else []
                explained |= self._look(name, beside, asked=b"__has_" in text)
        here = {os.path.dirname(path) for path in texts}
        for path in [path for path, item in self._found.items() if item.digest is not None and path not in explained]:
            self._look_for_the_nameless(path, sorted(here))
        own = self._named(source)
        return tuple(self._found[path] for path in sorted(self._found) if path != own)

    def _look(self, name: str, beside: Sequence[str], *, asked: bool) -> set[str]:
        """Note where a name was missing until it was found; return where it was found."""
        places = [""] if os.path.isabs(name) else list(dict.fromkeys((*beside, *self._directories)))
        for place in places:
            path = os.path.join(place, name)
            if not os.path.isfile(self._absolute(path)):
                if not self._counts_by_version(path):
                    self._found.setdefault(self._named(path), Observed(self._named(path), None))
                continue
            self._see(os.stat(self._absolute(path)))
            if asked and not self._counts_by_version(path):
                self._note(path)
            return {self._named(path)}
        return set()

    def _look_for_the_nameless(self, path: str, here: Sequence[str]) -> None:
        """Note where a file named by a macro could have been found earlier; its name may be any suffix of its path."""
        for number, directory in enumerate(self._directories):
            start = os.path.join(self._named(directory), "")
            if not path.startswith(start):
                continue
            for before in (*here, *self._directories[:number]):
                other = self._named(os.path.join(before, path[len(start) :]))
                if os.path.isfile(self._absolute(other)):
                    self._see(os.stat(self._absolute(other)))
                elif not os.path.exists(self._absolute(other)):
                    self._found.setdefault(other, Observed(other, None))

    def _note(self, path: str) -> bytes | None:
        named = self._named(path)
        try:
            with open(self._absolute(path), "rb") as file:
                data = file.read()
                self._see(os.fstat(file.fileno()))
        except OSError:
            self._found[named] = Observed(named, digest_file(self._absolute(path)))
            return None
        self._found[named] = Observed(named, content_digest(data))
        return data

    def _see(self, found: os.stat_result) -> None:
        self.newest = max(self.newest, changed_ns(found))

    def _counts_by_version(self, path: str) -> bool:
        return bool(self._own) and self._absolute(path).startswith(self._own)

    def _absolute(self, path: str) -> str:
        return os.path.join(self._root, path)

    def _named(self, path: str) -> str:
        """Return a path as results name it: relative to the root if it lies below, and without `..`."""
        path = self._absolute(path)
        plain = plain_path(path) if "/.." in path else os.path.normpath(path)
        inside = os.path.join(self._root, "")
        return plain[len(inside) :] if plain.startswith(inside) else plain
