"""The files of a project as Slang asks for them, and a note of each that was read or looked for in vain.

Knows nothing of Slang beyond the suffixes of its files.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping, Sequence

from cratewright import Observed, content_digest

__all__ = ["SOURCE", "CompiledFiles", "ProjectFiles", "imported_names"]

SOURCE, _COMPILED = ".slang", ".slang-module"

_IMPORT = re.compile(
    rb"""^[ \t]*(?:public[ \t]+)?(?:import|__include|__exported[ \t]+import)[ \t]+([\w.\-]+|"[^"\n]+")""", re.M
)
_INCLUDE = re.compile(rb"""^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]""", re.M)


def imported_names(text: bytes) -> tuple[str, ...]:
    """Return the files that a text imports or includes, as its words name them."""
    names: dict[str, None] = {}
    for word in _IMPORT.findall(text):
        name = word.decode(errors="replace")
        # A module of several words lies below directories; a line in a name stands for a hyphen.
        path = name[1:-1] if name.startswith('"') else name.replace(".", "/")
        for each in (path, path.replace("_", "-")):
            names[each if each.endswith(SOURCE) else each + SOURCE] = None
    names |= dict.fromkeys(name.decode(errors="replace") for name in _INCLUDE.findall(text))
    return tuple(names)


def _compiled_path(source: str) -> str:
    """Return where Slang looks for the compiled module of a source before it looks for the source."""
    return source.removesuffix(SOURCE) + _COMPILED


class ProjectFiles:
    """What lies below a root, or at the same path in a repository.

    Modules are compiled from their sources: a compiled one that lies beside is as if it were not there, for Slang
    crashes on those of another version.
    """

    def __init__(self, root: str, repositories: Sequence[str] = ()) -> None:
        self._root, self._repositories = root, repositories
        self._seen: dict[str, Observed] = {}
        self.texts: dict[str, bytes] = {}

    @property
    def observed(self) -> tuple[Observed, ...]:
        """Return all that was asked for, in order."""
        return tuple(self._seen.values())

    def read(self, path: str) -> bytes | None:
        """Return what is in a file, or None if it is not there."""
        path = posixpath.normpath(path)
        if path.endswith(_COMPILED):
            return None
        for directory in ("", *([] if os.path.isabs(path) else self._repositories)):
            place = posixpath.join(directory, path)
            try:
                with open(os.path.join(self._root, place), "rb") as file:
                    data = file.read()
            except (OSError, ValueError):
                self._seen.setdefault(place, Observed(place, None))
                continue
            self._seen[place] = Observed(place, content_digest(data))
            self.texts[path] = data
            return data
        return None


class CompiledFiles:
    """Modules where Slang looks for them; there is nothing else."""

    def __init__(self, modules: Mapping[str, bytes]) -> None:
        self._modules = {_compiled_path(source): data for source, data in modules.items()}
        self._sources = {path: source for source in modules for path in (source, _compiled_path(source))}

    def read(self, path: str) -> bytes | None:
        """Return a module, or None if no crate has it."""
        return self._modules.get(posixpath.normpath(path))

    def source_of(self, path: str) -> str | None:
        """Return the source of a module by where Slang has found it, or None if it is none of these."""
        return self._sources.get(path)
