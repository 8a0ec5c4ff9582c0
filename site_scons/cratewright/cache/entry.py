"""How a result becomes bytes and is recognised again.

Knows nothing of the store. Only this package's own frozen values are ever decoded.
Source: Cranelift's `serialize_compiled` and `try_finish_recompile`.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from dataclasses import dataclass

from ..module import CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from ..request import Artifact, LinkResult, ThinBuffer, ThinModule

__all__ = [
    "RESULTS",
    "RecompileError",
    "Result",
    "World",
    "deserialize_entry",
    "serialize_compiled",
    "serialize_entry",
    "try_finish_recompile",
]

Result = CompiledUnit | LinkResult | ModuleCodegen | tuple[ThinModule, ...]
"""What a backend's methods return."""

RESULTS = (CompiledUnit, LinkResult, ModuleCodegen, tuple)

_KNOWN = {
    (kind.__module__, kind.__qualname__): kind
    for kind in (
        *(Artifact, CompiledUnit, EntryPoint, LinkResult, ModuleCodegen, ModuleKind, Observed, Symbol),
        *(ThinBuffer, ThinModule),
    )
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


def serialize_compiled(result: Result) -> bytes:
    """Return the bytes of a result."""
    return pickle.dumps(result, protocol=4)


def try_finish_recompile(data: bytes) -> Result:
    """Return the result in an entry.

    Raises: RecompileError for anything that is not one.
    """
    value = _load(data)
    whole = all(isinstance(item, ThinModule) for item in value) if isinstance(value, tuple) else True
    if not isinstance(value, RESULTS) or not whole:
        raise RecompileError("the entry holds no result")
    return value


@dataclass(frozen=True, slots=True)
class World:
    """A result, and the files as they were when it was made: it holds wherever they are the same again."""

    observed: tuple[Observed, ...]
    result: bytes


def serialize_entry(worlds: Iterable[World]) -> bytes:
    """Return the bytes of an entry: what a key came to, newest first."""
    return pickle.dumps(tuple((world.observed, world.result) for world in worlds), protocol=4)


def deserialize_entry(data: bytes | None) -> tuple[World, ...]:
    """Return the worlds of an entry, none if it cannot be read."""
    if data is None:
        return ()
    try:
        return tuple(_world(row) for row in _tuple(_load(data)))
    except (RecompileError, ValueError):
        return ()


def _world(row: object) -> World:
    observed, result = _tuple(row)
    items = tuple(item for item in _tuple(observed) if isinstance(item, Observed) and isinstance(item.path, str))
    if len(items) < len(_tuple(observed)) or not isinstance(result, bytes):
        raise RecompileError("the entry holds no results")
    return World(items, result)


def _tuple(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise RecompileError("the entry holds no results")
    return value


def _load(data: bytes) -> object:
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except RecompileError:
        raise
    except Exception as error:  # pickle raises nearly anything on foreign bytes
        raise RecompileError(str(error)) from error
