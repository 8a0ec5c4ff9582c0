"""Modules that earlier builds have compiled, in the cache of builds: an import need not be compiled again.

They are kept as what a unit comes to, under its key. So an import is also found if it is a unit with the same options.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from cratewright import (
    CodegenBackend,
    CompiledUnit,
    RecompileError,
    SourceError,
    UnitStencil,
    compute_cache_key,
    open_cache,
    serialize_compiled,
    try_finish_recompile,
)

from .imports import Compiled
from .macros import symbol_module

__all__ = ["KeptModules"]


class KeptModules:
    """Modules compiled like a unit; `unit_of` returns the unit of a module."""

    def __init__(
        self, backend: CodegenBackend, like: UnitStencil, unit_of: Callable[[UnitStencil, Compiled], CompiledUnit]
    ) -> None:
        self._backend, self._like, self._unit_of = backend, like, unit_of
        self._store = open_cache(backend.session)
        self._missing: dict[str, tuple[UnitStencil, str] | None] = {}

    def find(self, path: str, text: bytes) -> Compiled | None:
        """Return what importers need of a source's module, if its inputs are unchanged."""
        stencil, key = self._unit(path, text)
        data = self._store.get(key)
        with suppress(RecompileError):
            unit = try_finish_recompile(self._backend, stencil, data or b"")
            for module in unit.modules:
                for symbol in module.exports:
                    imports = tuple(symbol_module(each)[0] for each in module.imports)
                    uses = frozenset(symbol_module(symbol)[1])
                    return Compiled(module.data, (), imports, unit.observed, "", False, uses, (), whole=False)
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
