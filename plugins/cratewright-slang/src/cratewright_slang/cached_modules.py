"""Modules that earlier builds have compiled, in the cache of builds: an import need not be compiled again.

Each is stored as the compiled unit of its source, under that unit's key. So an import is found even if it was compiled
as a unit with the same options, and a unit if only the code of its imports has changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from cratewright import (
    CodegenBackend,
    CompiledUnit,
    Observed,
    RecompileError,
    SourceError,
    UnitStencil,
    compute_cache_key,
    open_cache,
    serialize_compiled,
    try_finish_recompile,
)

from .compiled import Compiled
from .files import ProjectFiles


class CachedModules:
    """Modules compiled like a unit; `unit_of` returns the unit of a module."""

    def __init__(
        self, backend: CodegenBackend, like: UnitStencil, unit_of: Callable[[UnitStencil, Compiled], CompiledUnit]
    ) -> None:
        self._backend, self._like, self._unit_of = backend, like, unit_of
        self._store = open_cache(backend.session)
        self._missing: dict[str, tuple[UnitStencil, str] | None] = {}

    def find(self, path: str, text: bytes, interfaces: str, imported: Mapping[str, Observed]) -> CompiledUnit | None:
        """Return the unit of a source, if what it was read from is unchanged.

        Shape: of what it imports, only the interfaces, `imported`, need be unchanged.
        """
        stencil, key = self._unit(path, text)
        look = ProjectFiles(self._backend.session.root).look

        def judged(unit: CompiledUnit) -> CompiledUnit | None:
            if not unit.modules[0].exports:  # a part of a module
                return None
            own = {each.path: each for each in unit.observed}
            imports = dict[str, Observed]()
            if unit.modules[0].attribute("interfaces") == interfaces:
                names = json.loads(unit.modules[0].attribute("own"))
                own, imports = {name: own[name] for name in names if name in own}, dict(imported)
            if not all(look(each.path) == each.digest for each in own.values()):
                return None
            now = {**imports, **own}
            return replace(unit, observed=tuple(now[name] for name in sorted(now.keys() - {path})))

        data = self._store.get(key)
        if data is not None:
            with suppress(RecompileError):
                return try_finish_recompile(self._backend, stencil, data, judged)
        self._missing[path] = stencil, key
        return None

    def keep(self, path: str, text: bytes, made: Compiled) -> None:
        """Keep a source's module."""
        missing = self._missing.pop(path, None)
        stencil, key = missing if missing and missing[0].source == text else self._unit(path, text)
        with suppress(SourceError, ValueError):  # not a unit
            self._store.insert(key, serialize_compiled(self._backend, stencil, self._unit_of(stencil, made)))

    def flush(self) -> None:
        """Write pending results now: a worker ends without notice."""
        self._store.flush()

    def _unit(self, path: str, text: bytes) -> tuple[UnitStencil, str]:
        stencil = replace(self._like, path=path, source=text, file="")
        return stencil, str(compute_cache_key(self._backend, stencil))
