"""Compiles sources to Slang modules, each once in a build; importers get the compiled module.

Reading a compiled module takes a tenth of the time of reading its source, and a module does not depend on its
importers. So all imports are compiled first, and the same source gives the same bytes whoever imports it first.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import msgpack

from cratewright import Observed, OutputError, content_digest, dataclass, scratch_root

from .files import SOURCE, ProjectFiles, imported_names, may_export
from .layout import entry_point_of
from .libslang import Refused, Settings, SlangSession, blank_memory
from .macros import used_macros
from .shelf import Shelf

if TYPE_CHECKING:
    from .kept import KeptModules

__all__ = ["Compiled", "ModuleCompiler", "compiler_for"]

_LEFT_OVER = re.compile(rb"_S4core\d{1,2}[a-zBF]\w{1,10}R8_24xinitp1pi_")
"""The constructor of a scalar type, such as `float` or `BFloat16`, in Slang's spelling."""

_DIGEST, _DIGEST_SIZE = b"SHA1\x14\x00\x00\x00", 20


@dataclass(frozen=True, slots=True)
class Compiled:
    """A module: its bytes, its entry points with the numbers of their stages, what it imports, and what was read.

    Shape: `exports` if it may define names that are `extern` elsewhere; `uses` are the macros that it or its imports
    may use, `asked` those of each import, by path. One that is not `whole` is for importers only: its entry points, log
    and exports are unknown.
    """

    data: bytes
    entries: tuple[tuple[str, int], ...]
    imports: tuple[str, ...]
    observed: tuple[Observed, ...]
    log: str
    exports: bool
    uses: frozenset[str]
    asked: tuple[tuple[str, frozenset[str]], ...]
    whole: bool = True


def _packed(text: bytes, made: Compiled) -> bytes:
    observed = [(each.path, each.digest) for each in made.observed]
    asked = [(path, sorted(names)) for path, names in made.asked]
    row = (made.data, made.entries, made.imports, observed, made.log, made.exports, sorted(made.uses), asked)
    return bytes(msgpack.packb((text, row)))


def _unpacked(packed: bytes) -> tuple[bytes, Compiled]:
    text, (data, entries, imports, observed, log, exports, uses, asked) = msgpack.unpackb(packed, use_list=False)
    return text, Compiled(
        data=data,
        entries=entries,
        imports=imports,
        observed=tuple(Observed(path, digest) for path, digest in observed),
        log=log,
        exports=exports,
        uses=frozenset(uses),
        asked=tuple((path, frozenset(names)) for path, names in asked),
    )


_compilers: dict[tuple[Settings, str, tuple[str, ...]], ModuleCompiler] = {}


def compiler_for(
    settings: Settings, root: str, repositories: Sequence[str], kept: Callable[[], KeptModules]
) -> ModuleCompiler:
    """Return the compiler for some settings and places, with everything that this build has compiled.

    Shape: `kept` has what earlier builds compiled with these settings.
    """
    key = (settings, root, tuple(repositories))
    if key not in _compilers:
        try:
            shelf = Shelf(scratch_root())
        except OutputError:  # no temporary directory: each worker compiles what it imports
            shelf = None
        # In a repository, a source may not be at its path.
        _compilers[key] = ModuleCompiler(*key, shelf, None if repositories else kept())
    return _compilers[key]


class ModuleCompiler:
    """Compiles sources below a root, imports first; compilers that share a shelf compile a module once."""

    def __init__(
        self,
        settings: Settings,
        root: str,
        repositories: Sequence[str],
        shelf: Shelf | None = None,
        kept: KeptModules | None = None,
    ) -> None:
        self._settings, self._root, self._repositories, self._shelf = settings, root, repositories, shelf
        self._kept = kept
        self._done: dict[str, tuple[bytes, Compiled]] = {}
        self._doing: list[str] = []

    def compile(self, path: str, text: bytes) -> Compiled:
        """Return the module of a source.

        Raises: Refused.
        """
        try:
            return self._known(path, text) or self._compile(path, text)
        finally:
            if self._kept is not None:
                self._kept.flush()

    def _compile(self, path: str, text: bytes, *, imported: bool = False) -> Compiled:
        self._doing.append(path)
        try:
            for name in imported_names(text):
                self._prepare(self._likely(name, path))
            tried: set[str] = set()
            while True:
                with self._shelf.alone(self._name(path)) if self._shelf else nullcontext():
                    known = self._known(path, text)
                    if known is not None:
                        return known
                    files = ProjectFiles(self._root, self._repositories, self._served)
                    made = self._load(path, text, files)
                    missed = [each for each in files.missed if each not in tried and each not in self._doing]
                    if not missed:
                        # Sources with entry points are seldom imported, and there are many.
                        if imported or not made.entries:
                            self._keep(path, text, made, imported=imported)
                        return made
                # The text did not show this import; now that it is known, all imports are served.
                tried.update(missed)
                for each in missed:
                    self._prepare(each)
        finally:
            self._doing.pop()

    def _likely(self, name: str, importer: str) -> str | None:
        for directory in (posixpath.dirname(importer), *self._settings.paths):
            path = posixpath.normpath(posixpath.join(directory, name))
            if name.endswith(SOURCE) and os.path.isfile(os.path.join(self._root, path)):
                return path
        return None

    def _prepare(self, path: str | None) -> None:
        """Compile what will be imported; errors are reported to the importer."""
        if path is None or path in self._doing or self._served(path) is not None:
            return
        text = self._text(path)
        if text is not None and not self._find(path, text):
            with suppress(Refused):
                self._compile(path, text, imported=True)

    def _text(self, path: str) -> bytes | None:
        return ProjectFiles(self._root, self._repositories).read(path)

    def _known(self, path: str, text: bytes) -> Compiled | None:
        """Return the module of a source if it was compiled before and its inputs still exist."""
        known = self._served(path) is not None and self._done[path][0] == text and self._done[path][1].whole
        return self._done[path][1] if known else None

    def _find(self, path: str, text: bytes) -> bool:
        """Return whether an earlier build compiled an import; each worker looks for itself."""
        found = self._kept.find(path, text) if self._kept is not None else None
        if found is not None:
            self._done[path] = text, found
            for each in found.imports:
                self._prepare(each)
        return found is not None

    def _keep(self, path: str, text: bytes, made: Compiled, *, imported: bool) -> None:
        self._done[path] = text, made
        if imported and self._kept is not None:
            self._kept.keep(path, text, made)
        if self._shelf is not None:
            self._shelf.put(self._name(path), _packed(text, made))

    def _name(self, path: str) -> str:
        return content_digest(repr((self._settings, self._root, self._repositories, path)).encode())

    def _served(self, path: str) -> tuple[bytes, tuple[Observed, ...]] | None:
        """Return a module compiled from the current files."""
        if path not in self._done:
            found = self._shelf.take(self._name(path)) if self._shelf is not None else None
            if found is None:
                return None
            self._done[path] = _unpacked(found)
        text, made = self._done[path]
        files = ProjectFiles(self._root, self._repositories)
        if files.read(path) != text or any(files.look(each.path) != each.digest for each in made.observed):
            del self._done[path]
            return None
        return made.data, made.observed

    def _load(self, path: str, text: bytes, files: ProjectFiles) -> Compiled:
        with blank_memory():
            made = self._loaded(path, text, files)
            # The first module of a process that converts `float2(1)` declares what later ones do without.
            return self._loaded(path, text, files) if _LEFT_OVER.search(made.data) else made

    def _loaded(self, path: str, text: bytes, files: ProjectFiles) -> Compiled:
        session = SlangSession(self._settings, files.read)
        try:
            module, log = session.load_source(path.removesuffix(SOURCE), path, text)
            loaded = {files.source_of(each.path) for each in session.modules()} - {path, None}
            entries = tuple(entry_point_of(module, at) for at in range(module.entry_count()))
            data = _without_digest(module.serialize())
        finally:
            session.close()
        texts, imports = (text, *files.texts), tuple(sorted(filter(None, loaded)))
        known = {each: self._done[each][1].uses for each in imports if each in self._done}
        used = used_macros(texts, self._settings.macros).union(*known.values())
        values = (value.encode() for _, value in self._settings.macros)
        return Compiled(
            data,
            entries,
            imports,
            files.observed,
            log,
            any(map(may_export, (*texts, *values))),
            used,
            tuple((each, known.get(each, used)) for each in imports),
        )


def _without_digest(data: bytes) -> bytes:
    """Return a module without the digest of its inputs: equal modules must have equal bytes."""
    head, mark, rest = data.partition(_DIGEST)
    return head + mark + b"\0" * _DIGEST_SIZE + rest[_DIGEST_SIZE:] if mark else data
