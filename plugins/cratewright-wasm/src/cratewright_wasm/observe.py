"""What a compile read, and which paths it missed, from the compiler's dependency file and the texts of the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from cratewright import Observed, changed_ns, content_digest, digest_file, plain_path


class DependencyFinder:
    """Finds out what a unit depends on.

    Shape: `root` is absolute; `directories` are searched in order, relative to it or absolute, those of `system` last;
    files below `own` change only with the toolchain's version. `newest` is when the last of the files that the unit
    read, or would find now, was changed.
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
            if self._absolute(path) == self._absolute(source) or self._is_bundled(path):
                continue
            content = self._record(path)
            if content is not None and not path.startswith(self._system):
                texts[path] = content
        named: set[str] = set()
        for path, text in texts.items():
            for name in names_in(text):
                # Only quoted names are looked up in the directory of the including file.
                near = [os.path.dirname(path)] if f'"{name}"'.encode(errors="surrogateescape") in text else []
                named |= self._look_up(name, near, queried=b"__has_" in text)
        folders = {os.path.dirname(path) for path in texts}
        for path in [path for path, item in self._found.items() if item.digest is not None and path not in named]:
            self._look_for_computed(path, sorted(folders))
        own = self._logical(source)
        return tuple(self._found[path] for path in sorted(self._found) if path != own)

    def _look_up(self, name: str, near: Sequence[str], *, queried: bool) -> set[str]:
        """Record where a name was missing until it was found; return where it was found."""
        searched = [""] if os.path.isabs(name) else list(dict.fromkeys((*near, *self._directories)))
        for directory in searched:
            path = os.path.join(directory, name)
            if not os.path.isfile(self._absolute(path)):
                if not self._is_bundled(path):
                    self._found.setdefault(self._logical(path), Observed(self._logical(path), None))
                continue
            self._update_newest(os.stat(self._absolute(path)))
            if queried and not self._is_bundled(path):
                self._record(path)
            return {self._logical(path)}
        return set()

    def _look_for_computed(self, path: str, folders: Sequence[str]) -> None:
        """Record where a file named by a macro could have been found earlier: by any suffix of its path."""
        for number, directory in enumerate(self._directories):
            start = os.path.join(self._logical(directory), "")
            if not path.startswith(start):
                continue
            for before in (*folders, *self._directories[:number]):
                other = self._logical(os.path.join(before, path[len(start) :]))
                if os.path.isfile(self._absolute(other)):
                    self._update_newest(os.stat(self._absolute(other)))
                elif not os.path.exists(self._absolute(other)):
                    self._found.setdefault(other, Observed(other, None))

    def _record(self, path: str) -> bytes | None:
        logical = self._logical(path)
        try:
            with open(self._absolute(path), "rb") as file:
                data = file.read()
                self._update_newest(os.fstat(file.fileno()))
        except OSError:
            self._found[logical] = Observed(logical, digest_file(self._absolute(path)))
            return None
        self._found[logical] = Observed(logical, content_digest(data))
        return data

    def _update_newest(self, found: os.stat_result) -> None:
        self.newest = max(self.newest, changed_ns(found))

    def _is_bundled(self, path: str) -> bool:
        return bool(self._own) and self._absolute(path).startswith(self._own)

    def _absolute(self, path: str) -> str:
        return os.path.join(self._root, path)

    def _logical(self, path: str) -> str:
        """Return a path as results have it: relative to the root if it lies below, and without `..`."""
        path = self._absolute(path)
        plain = plain_path(path) if "/.." in path else os.path.normpath(path)
        inside = os.path.join(self._root, "")
        return plain[len(inside) :] if plain.startswith(inside) else plain
