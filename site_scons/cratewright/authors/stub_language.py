"""Compiles the language of the stub backend.

One statement a line:

    include FILE          read another file here (from this one's directory, then include_dirs)
    export NAME [WORDS]   define a symbol whose body is WORDS; a word `@OTHER` calls a symbol
    import NAME           declare NAME, which is defined elsewhere
    entry NAME [WORDS]    define an entry point
    warning TEXT          give a warning
    error TEXT            fail
    crash [NAME]          end the process by a signal: ABRT, or one of another name
    hang                  never answer
"""

from __future__ import annotations

import os
import posixpath
import signal
from collections.abc import Iterable

from ..base.diagnostic import Diagnostic, Severity
from ..base.digest import content_digest
from ..base.errors import SourceError
from ..values.module import CompiledUnit, EntryPoint, ModuleCodegen, Observed, Symbol
from ..values.stencil import UnitStencil, logical_path


class StubCompilation:
    """The compilation of one source."""

    def __init__(self, root: str, stencil: UnitStencil) -> None:
        self._root = root
        self._stencil = stencil
        self._observed: dict[str, Observed] = {}
        self._out: list[str] = []
        self._exports: list[Symbol] = []
        self._imports: list[Symbol] = []
        self._entries: list[EntryPoint] = []
        self._warnings: list[Diagnostic] = []

    def run(self) -> CompiledUnit:
        """Return the one module.

        Raises: SourceError.
        """
        self._read(self._stencil.path, self._stencil.source.decode())
        module = ModuleCodegen(
            name=".o",
            data="".join(f"{line}\n" for line in self._out).encode(),
            exports=tuple(self._exports),
            imports=tuple(self._imports),
            entry_points=tuple(self._entries),
        )
        return CompiledUnit(
            modules=(module,), observed=tuple(self._observed.values()), diagnostics=tuple(self._warnings)
        )

    def _read(self, path: str, text: str) -> None:
        defines = {name: value or "" for name, value in self._stencil.options.defines}
        for number, line in enumerate(text.splitlines(), 1):
            word, _, rest = line.strip().partition(" ")
            words = " ".join(defines.get(item, item) for item in rest.split())
            if word and not word.startswith("#"):
                self._statement(path, number, word, words)

    def _statement(self, path: str, number: int, word: str, words: str) -> None:
        name = words.split(" ", maxsplit=1)[0]
        if word == "include":
            self._include(path, number, words)
        elif word in ("export", "import", "entry"):
            symbol = Symbol(name, name, path, number)
            if word == "entry":
                self._entries.append(EntryPoint("stub", name))
            else:
                (self._exports if word == "export" else self._imports).append(symbol)
            self._out.append(f"{word} {words}")
        elif word == "warning":
            self._warnings.append(Diagnostic(Severity.WARNING, words, path, number))
        elif word == "crash":
            os.kill(os.getpid(), signal.Signals[f"SIG{words or 'ABRT'}"])
        elif word == "hang":
            while True:
                os.read(os.pipe()[0], 1)
        else:
            text = words if word == "error" else f"unknown statement '{word}'"
            raise SourceError.at(path, number, text)

    def _include(self, path: str, number: int, name: str) -> None:
        directories = [posixpath.dirname(path), *self._stencil.options.texts("include_dirs")]
        repositories = self._stencil.repositories
        near = [posixpath.join(repository, directories[0]) for repository in repositories]
        places = (
            posixpath.normpath(posixpath.join(directory, name))
            for directory in (directories[0], *near, *directories[1:])
        )
        found, data = first_file(self._root, places, self._observed)
        if not found:
            looked_in = " ".join(item or "." for item in directories)
            raise SourceError.at(path, number, f"cannot find '{name}'", context=(("looked in", looked_in),))
        self._read(logical_path(found, repositories), data.decode())


def first_file(root: str, places: Iterable[str], observed: dict[str, Observed]) -> tuple[str, bytes]:
    """Return the first file that exists and its content, nothing if none does; record every path tried."""
    for place in places:
        try:
            with open(os.path.join(root, place), "rb") as file:
                data = file.read()
        except OSError:
            observed[place] = Observed(place, None)
            continue
        observed[place] = Observed(place, content_digest(data))
        return place, data
    return "", b""
