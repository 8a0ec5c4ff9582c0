"""A project's files for Slang, recording each that was read or missing."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence

from cratewright import Observed, content_digest, merge_observed

SOURCE, _COMPILED = ".slang", ".slang-module"

_IMPORT = re.compile(
    rb"""(?:^|;)[ \t]*(?:public[ \t]+)?(?:import|__include|__exported[ \t]+import)[ \t]+([\w.\-]+|"[^"\n]+")""", re.M
)
_INCLUDE = re.compile(rb"""^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]""", re.M)


def imported_names(text: bytes) -> tuple[str, ...]:
    """Return the files that a text imports or includes, as named in it."""
    names: dict[str, None] = {}
    for word in _IMPORT.findall(text):
        name = word.decode(errors="replace")
        # A module name of several words is a path; an underscore in a name stands for a hyphen.
        path = name[1:-1] if name.startswith('"') else name.replace(".", "/")
        for each in (path, path.replace("_", "-")):
            names[each if each.endswith(SOURCE) else each + SOURCE] = None
    names |= dict.fromkeys(name.decode(errors="replace") for name in _INCLUDE.findall(text))
    return tuple(names)


def may_export(text: bytes) -> bool:
    """Return whether a text contains `export`, or might by pasting tokens."""
    return b"export" in text or b"##" in text


def _compiled_path(source: str) -> str:
    """Return where Slang looks for the compiled module of a source before it looks for the source."""
    return source.removesuffix(SOURCE) + _COMPILED


Served = Callable[[str], "tuple[bytes, tuple[Observed, ...]] | None"]
"""Returns the compiled module of a source and the files it was read from, or None if there is none."""


class ProjectFiles:
    """Files below a root, or at the same path in a repository, with compiled modules that were `served`.

    Modules are compiled from their sources: compiled files beside them are ignored, because Slang crashes on those of
    another version. `missed` are sources of modules that were requested but not served. `texts` are all that Slang was
    given, except compiled modules.
    """

    def __init__(self, root: str, repositories: Sequence[str] = (), served: Served | None = None) -> None:
        self._root, self._repositories, self._served = root, repositories, served
        self._seen: list[Observed] = []
        self._own: dict[str, None] = {}
        self._modules: dict[str, str] = {}
        self.missed: list[str] = []
        self.texts: list[bytes] = []

    @property
    def observed(self) -> tuple[Observed, ...]:
        """Return everything that was requested, and what compiled modules were read from, by path."""
        return merge_observed([self._seen])

    @property
    def own(self) -> tuple[str, ...]:
        """Return the paths of all files that Slang was given as texts, or told that they are missing."""
        return tuple(sorted(self._own))

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None if it does not exist."""
        path = posixpath.normpath(path)
        return self._compiled(path) if path.endswith(_COMPILED) else self._text(path)

    def source_of(self, path: str) -> str | None:
        """Return the source of a module by the path where Slang found it, or None if it was not found here."""
        return self._modules.get(path)

    def look(self, place: str) -> str | None:
        """Return the digest of a file's content, or None if it does not exist."""
        data = self._bytes(place)
        return None if data is None else content_digest(data)

    def _text(self, path: str, *, given: bool = True) -> bytes | None:
        for directory in ("", *([] if path.startswith(("/", "../")) else self._repositories)):
            place = posixpath.join(directory, path)
            if os.path.isdir(os.path.join(self._root, place)):
                continue  # Slang also asks for directories, on which a build does not depend
            data = self._bytes(place)
            self._seen.append(Observed(place, None if data is None else content_digest(data)))
            if given or data is None:
                self._own[place] = None
            if data is not None:
                self._modules[path] = path
                if given:
                    self.texts.append(data)
                return data
        return None

    def _compiled(self, path: str) -> bytes | None:
        source = path.removesuffix(_COMPILED) + SOURCE
        if self._served is None or self._text(source, given=False) is None:
            return None
        served = self._served(source)
        if served is None:
            self.missed.append(source)
            return None
        data, observed = served
        self._seen += observed
        self._modules[path] = source
        return data

    def _bytes(self, place: str) -> bytes | None:
        try:
            with open(os.path.join(self._root, place), "rb") as file:
                return file.read()
        except (OSError, ValueError):
            return None


class CompiledFiles:
    """Modules where Slang looks for them, and nothing else."""

    def __init__(self, modules: Mapping[str, bytes]) -> None:
        self._modules = {_compiled_path(source): data for source, data in modules.items()}
        self._sources = {path: source for source in modules for path in (source, _compiled_path(source))}

    def read(self, path: str) -> bytes | None:
        """Return a module, or None if no crate has it."""
        return self._modules.get(posixpath.normpath(path))

    def source_of(self, path: str) -> str | None:
        """Return the source of a module by the path where Slang found it, or None if it is not among these."""
        return self._sources.get(path)
