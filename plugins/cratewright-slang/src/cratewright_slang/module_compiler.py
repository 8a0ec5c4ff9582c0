"""Compiles sources to Slang modules, each once in a build; importers get the compiled module.

Reading a compiled module takes a tenth of the time of reading its source, and a module does not depend on its
importers. So all imports are compiled first, and the same source gives the same bytes whoever imports it first.
Importers are given modules without code, so that an edit of a function's body does not compile them again.
"""

from __future__ import annotations

import os
import pickle
import posixpath
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from cratewright import CompiledUnit, Observed, OutputError, content_digest, dataclass, scratch_root

from .compiled import Compiled, known_to_importers
from .files import SOURCE, ProjectFiles, imported_names, may_export
from .interface import code_of, given_to_importers, may_inline_at_once
from .layout import entry_point_of
from .libslang import Refused, Settings, SlangSession, blank_memory
from .macros import used_macros
from .shared_store import SharedStore

if TYPE_CHECKING:
    from .cached_modules import CachedModules

_LEFT_OVER = re.compile(rb"_S4core\d{1,2}[a-zBF]\w{1,10}R8_24xinitp1pi_")
"""The constructor of a scalar type, such as `float` or `BFloat16`, in Slang's spelling."""

_DIGEST, _DIGEST_SIZE = b"SHA1\x14\x00\x00\x00", 20


@dataclass(frozen=True, slots=True)
class _Interface:
    """What importers are given of the module `data`, and its digest."""

    data: bytes
    given: bytes
    digest: str


_compilers: dict[tuple[Settings, str, tuple[str, ...]], ModuleCompiler] = {}


def compiler_for(
    settings: Settings, root: str, repositories: Sequence[str], kept: Callable[[], CachedModules]
) -> ModuleCompiler:
    """Return the compiler for some settings and places, with everything that this build has compiled.

    Shape: `kept` has what earlier builds compiled with these settings.
    """
    key = (settings, root, tuple(repositories))
    if key not in _compilers:
        try:
            shared = SharedStore(scratch_root())
        except OutputError:  # no temporary directory: each worker compiles what it imports
            shared = None
        # In a repository, a source may not be at its path.
        _compilers[key] = ModuleCompiler(*key, shared, None if repositories else kept())
    return _compilers[key]


class ModuleCompiler:
    """Compiles sources below a root, imports first; compilers with the same shared store compile each module once."""

    def __init__(
        self,
        settings: Settings,
        root: str,
        repositories: Sequence[str],
        shared: SharedStore | None = None,
        kept: CachedModules | None = None,
    ) -> None:
        self._settings, self._root, self._repositories, self._shared = settings, root, repositories, shared
        self._kept = kept
        self._done: dict[str, tuple[bytes, Compiled]] = {}
        self._interfaces: dict[str, _Interface] = {}
        self._doing: list[str] = []

    def find(self, path: str, text: bytes) -> CompiledUnit | None:
        """Return the unit of a source that an earlier build compiled, if edits of imports changed only code."""
        if self._kept is None or not imported_names(text):
            return None
        try:
            self._prepare_imports(path, text)
            return self._find(path, text)
        finally:
            self._kept.flush()

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
            self._prepare_imports(path, text)
            if imported and (unit := self._find(path, text)) is not None:
                self._done[path] = text, known_to_importers(unit)
                return self._done[path][1]
            tried: set[str] = set()
            while True:
                with self._shared.alone(self._name(path)) if self._shared else nullcontext():
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

    def _prepare_imports(self, path: str, text: bytes) -> None:
        for name in imported_names(text):
            self._prepare(self._likely(name, path))

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
        text = ProjectFiles(self._root, self._repositories).read(path)
        if text is not None:
            with suppress(Refused):
                self._compile(path, text, imported=True)

    def _known(self, path: str, text: bytes) -> Compiled | None:
        """Return the module of a source if it was compiled before and its inputs still exist."""
        known = self._served(path) is not None and self._done[path][0] == text and self._done[path][1].whole
        return self._done[path][1] if known else None

    def _find(self, path: str, text: bytes) -> CompiledUnit | None:
        """Return what an earlier build compiled, if it would be the same; each worker looks for itself."""
        if self._kept is None:
            return None
        imports = self._imports(path, text)
        observed = (Observed(each, content_digest(self._done[each][0])) for each in imports)
        more = (every for each in imports for every in self._done[each][1].observed)
        return self._kept.find(path, text, self._digest(imports), {each.path: each for each in (*observed, *more)})

    def _imports(self, path: str, text: bytes) -> tuple[str, ...]:
        """Return the sources of all modules that a source is likely to load, as far as they are compiled."""
        likely = (self._likely(name, path) for name in imported_names(text))
        direct = {each for each in likely if each not in (None, path) and self._served(each) is not None}
        others = {each for known in direct for each in self._done[known][1].imports} - direct - {path}
        return tuple(sorted(direct | {each for each in others if self._served(each) is not None}))

    def _digest(self, imports: Sequence[str]) -> str:
        """Return a digest of all that importers are given of some modules."""
        known = ((each, self._done[each][1]) for each in imports)
        rows = [(each, self._interface(each).digest, sorted(made.uses), made.exports) for each, made in known]
        return content_digest(repr(rows).encode())

    def _interface(self, path: str) -> _Interface:
        made = self._done[path][1]
        found = self._interfaces.get(path)
        if found is None or found.data is not made.data:
            given = given_to_importers(made.data, b"" if made.inlines else self._no_code)
            found = self._interfaces[path] = _Interface(made.data, given, content_digest(given))
        return found

    @cached_property
    def _no_code(self) -> bytes:
        with blank_memory():
            session = SlangSession(self._settings, lambda path: None)
            try:
                return code_of(session.load_source("none", "none.slang", b"\n")[0].serialize())
            finally:
                session.close()

    def _keep(self, path: str, text: bytes, made: Compiled, *, imported: bool) -> None:
        self._done[path] = text, made
        if imported and self._kept is not None:
            self._kept.keep(path, text, made)
        if self._shared is not None:
            self._shared.put(self._name(path), pickle.dumps((text, made)))

    def _name(self, path: str) -> str:
        return content_digest(repr((self._settings, self._root, self._repositories, path)).encode())

    def _served(self, path: str) -> tuple[bytes, tuple[Observed, ...]] | None:
        """Return what importers are given of a module, if it was compiled from the current files."""
        if path not in self._done:
            found = self._shared.take(self._name(path)) if self._shared is not None else None
            if found is None:
                return None
            self._done[path] = pickle.loads(found)
        text, made = self._done[path]
        files = ProjectFiles(self._root, self._repositories)
        if files.read(path) != text or any(files.look(each.path) != each.digest for each in made.observed):
            del self._done[path]
            return None
        return self._interface(path).given, made.observed

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
        known = {each: self._done[each][1] for each in imports if each in self._done}
        used = used_macros(texts, self._settings.macros).union(*(each.uses for each in known.values()))
        given = (*texts, *(value.encode() for _, value in self._settings.macros))
        own = tuple(each for each in files.own if each != path)
        decided = known.keys() == set(imports) and not files.missed and not known.keys() & set(own)
        return Compiled(
            data=data,
            entries=entries,
            imports=imports,
            observed=files.observed,
            log=log,
            exports=any(map(may_export, given)) or any(each.exports for each in known.values()),
            uses=used,
            asked=tuple((each, known[each].uses if each in known else used) for each in imports),
            inlines=any(map(may_inline_at_once, given)),
            own=own,
            interfaces=self._digest(imports) if decided else "",
        )


def _without_digest(data: bytes) -> bytes:
    """Return a module without the digest of its inputs: equal modules must have equal bytes."""
    head, mark, rest = data.partition(_DIGEST)
    return head + mark + b"\0" * _DIGEST_SIZE + rest[_DIGEST_SIZE:] if mark else data
