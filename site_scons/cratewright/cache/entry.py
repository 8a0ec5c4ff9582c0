"""How a result becomes bytes and is recognised again.

Knows nothing of the store. Only this package's own frozen values are ever decoded.
Source: Cranelift's `serialize_compiled` and `try_finish_recompile`.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence

from ..module import CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from ..request import Artifact, LinkResult

__all__ = [
    "RecompileError",
    "deserialize_observed",
    "serialize_compiled",
    "serialize_observed",
    "try_finish_recompile",
]

_KNOWN = {
    (kind.__module__, kind.__qualname__): kind
    for kind in (Artifact, CompiledUnit, EntryPoint, LinkResult, ModuleCodegen, ModuleKind, Observed, Symbol)
}


class RecompileError(Exception):
    """An entry that cannot be used; the caller compiles instead."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        # A shared store may hold bytes of a stranger: nothing but these values may come out of it.
        try:
            return _KNOWN[module, name]
        except KeyError:
            if (module, name) == ("copyreg", "__newobj__"):
                return super().find_class(module, name)
            raise RecompileError(f"{module}.{name} in an entry") from None


def serialize_compiled(result: CompiledUnit | LinkResult) -> bytes:
    """Return the bytes of a result."""
    return pickle.dumps(result, protocol=4)


def try_finish_recompile(data: bytes) -> CompiledUnit | LinkResult:
    """Return the result in an entry.

    Raises: RecompileError for anything that is not one.
    """
    value = _load(data)
    if not isinstance(value, (CompiledUnit, LinkResult)):
        raise RecompileError("the entry holds no result")
    return value


def serialize_observed(worlds: Sequence[tuple[str, ...]]) -> bytes:
    """Return the bytes of the lists of paths that a key's compilations looked at."""
    return pickle.dumps(tuple(worlds), protocol=4)


def deserialize_observed(data: bytes | None) -> tuple[tuple[str, ...], ...]:
    """Return those lists, none if they cannot be read."""
    if data is None:
        return ()
    try:
        value = _load(data)
    except RecompileError:
        return ()
    return value if isinstance(value, tuple) else ()


def _load(data: bytes) -> object:
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except RecompileError:
        raise
    except Exception as error:  # pickle raises nearly anything on foreign bytes
        raise RecompileError(str(error)) from error
