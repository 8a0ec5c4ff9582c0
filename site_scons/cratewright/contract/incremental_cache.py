"""The cache of compiled units in separate steps: a key, bytes to store, and a unit restored from them.

Needs only a backend, a stencil and a store, no build and no SCons. Keys and bytes are the same as in builds, which
can share the store.
Source: Cranelift's module `incremental_cache`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from ..base.values import dataclass
from ..cache.database import EmbeddedStore
from ..cache.entry import (
    ObservedResult,
    RecompileError,
    RecompileFault,
    decode_alternatives,
    encode_alternatives,
    open_entry,
    result_bytes,
    result_of,
    seal_entry,
)
from ..cache.key import CacheKey, code_digest, key_of
from ..cache.results import ResultCache, without_observed
from ..cache.store import CacheKvStore, NoStore
from ..system.fs import FileDigests
from ..values.call import BackendCall
from ..values.module import CompiledUnit
from ..values.stencil import UnitStencil
from .backend import CodegenBackend
from .edge import guard, plugin_class
from .promised import could_return
from .session import Session


@dataclass(frozen=True, slots=True)
class CacheKeyHash:
    """A unit's key in a store: 64 hex digits, from everything that decides it except the files that it reads."""

    text: CacheKey

    def __str__(self) -> str:
        return self.text


def compute_cache_key(backend: CodegenBackend, stencil: UnitStencil) -> CacheKeyHash:
    """Return the key of a unit, from every field of its stencil and the code of cratewright and the backend."""
    name = CodegenBackend.compile_codegen_unit.__name__
    return CacheKeyHash(key_of(name, results_code(plugin_class(backend)), stencil))


def serialize_compiled(backend: CodegenBackend, stencil: UnitStencil, unit: CompiledUnit) -> bytes:
    """Return the bytes to store for a compiled unit: with its key, its digest and the files it read.

    Raises: ValueError for a unit with invalid fields.
    """
    alternative = ObservedResult(unit.observed, result_bytes(without_observed(unit)))
    return seal_entry(compute_cache_key(backend, stencil).text, encode_alternatives([alternative]))


def try_finish_recompile(
    backend: CodegenBackend,
    stencil: UnitStencil,
    data: bytes,
    judge: Callable[[CompiledUnit], CompiledUnit | None] | None = None,
) -> CompiledUnit:
    """Return the stored unit, if the files that it was made from are unchanged.

    Shape: if given, `judge` decides instead: it returns the unit with what it depends on now, or None if it is stale.
    Raises: RecompileError, whose `fault` says why it must be compiled again.
    """
    digest = FileDigests(backend.session.root).digest
    for alternative in decode_alternatives(open_entry(compute_cache_key(backend, stencil).text, data)):
        if judge is not None or all(digest(item.path) == item.digest for item in alternative.observed):
            made = result_of(alternative.result)
            if not isinstance(made, CompiledUnit) or not _fits(backend, stencil, made):
                raise RecompileError(RecompileFault.FOREIGN)
            unit = replace(made, observed=alternative.observed)
            valid = judge(unit) if judge is not None else unit
            if valid is not None:
                return valid
    raise RecompileError(RecompileFault.STALE)


@cache
def open_cache(session: Session) -> CacheKvStore:
    """Return the cache directory of a session as this process's own store; None if the session has none.

    Entries may be lost until they are flushed: a worker can end without notice.
    """
    return EmbeddedStore(session.cache, session.cache_size) if session.cache else NoStore()


def compile_with_cache(backend: CodegenBackend, stencil: UnitStencil, store: CacheKvStore) -> tuple[CompiledUnit, bool]:
    """Return a unit, and whether it came from the store; a compiled one is stored.

    Raises: as `CodegenBackend.compile_codegen_unit`; then nothing is stored.
    """
    key = compute_cache_key(backend, stencil).text
    results = ResultCache(store, FileDigests(backend.session.root).digest)
    found = results.find([key])[0]
    if isinstance(found.result, CompiledUnit) and _fits(backend, stencil, found.result):
        return found.result, True
    unit = guard(backend).compile_codegen_unit(stencil)
    results.keep(key, unit, found)
    return unit, False


def _fits(backend: CodegenBackend, stencil: UnitStencil, unit: object) -> bool:
    return could_return(guard(backend), BackendCall(CodegenBackend.compile_codegen_unit, stencil), unit)


@cache
def results_code(backend: type[CodegenBackend]) -> str:
    """Return the digest of the code that computes results: this package's and the backend's."""
    return code_digest(*code_places(backend))


def code_places(backend: type[CodegenBackend]) -> tuple[str, ...]:
    """Return the directories, or files, of the code that computes results; this package first."""
    places: list[str] = [str(Path(__file__).parents[1])]
    for kind in (kind for kind in backend.__mro__ if kind not in CodegenBackend.__mro__):
        packages = getattr(sys.modules.get(kind.__module__.partition(".")[0]), "__path__", ())
        codes = [code for item in vars(kind).values() if (code := getattr(item, "__code__", None)) is not None]
        # A class made in an SConstruct claims to be SCons's; only its functions know their file.
        for file in sorted({code.co_filename for code in codes if os.path.isfile(code.co_filename)}):
            places.append(next((path for path in packages if file.startswith(os.path.join(path, ""))), file))
    return tuple(dict.fromkeys(places))
