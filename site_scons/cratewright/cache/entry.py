"""How a result becomes an entry of a store and is recognised again.

Knows nothing of stores. Only this package's own frozen values are ever decoded.
Source: Cranelift's `serialize_compiled` and `try_finish_recompile`.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Iterable
from enum import Enum

from ..module import CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from ..request import Artifact, LinkResult, ThinBuffer, ThinModule
from ..values import dataclass
from .shortened import Shortened

__all__ = [
    "RESULTS",
    "RecompileError",
    "RecompileFault",
    "Result",
    "World",
    "decode_worlds",
    "encode_worlds",
    "open_entry",
    "seal_entry",
    "serialize_compiled",
    "try_finish_recompile",
]

Result = CompiledUnit | LinkResult | ModuleCodegen | Shortened
"""What a backend's methods return, as it is sent and kept."""

RESULTS = (CompiledUnit, LinkResult, ModuleCodegen, Shortened)

_KNOWN = {
    (kind.__module__, kind.__qualname__): kind
    for kind in (
        *(Artifact, CompiledUnit, EntryPoint, LinkResult, ModuleCodegen, ModuleKind, Observed, Symbol),
        *(Shortened, ThinBuffer, ThinModule),
    )
}
_MARKER = b"cratewright entry 3\n"
_FAMILY = b"cratewright entry "
_KEY = 32
_HEAD = len(_MARKER) + _KEY + hashlib.sha256().digest_size


class RecompileFault(Enum):
    """Why an entry cannot be used."""

    VERSION = "another version wrote it"
    KEY = "it belongs to another key"
    DAMAGE = "its digest does not match"
    FOREIGN = "it holds no result"


class RecompileError(Exception):
    """An entry that cannot be used; the caller compiles instead."""

    def __init__(self, fault: RecompileFault, detail: str = "") -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault


def seal_entry(key: str, payload: bytes) -> bytes:
    """Return what a store keeps under a key: marker, the key itself, digest of it and the payload, payload."""
    name = bytes.fromhex(key)
    return b"".join((_MARKER, name, hashlib.sha256(name + payload).digest(), payload))


def open_entry(key: str, data: bytes) -> bytes:
    """Return the payload of an entry.

    Raises: RecompileError if another version wrote it, it was made for another key, or any bit of it changed.
    """
    if not data.startswith(_MARKER):
        raise RecompileError(RecompileFault.VERSION if data.startswith(_FAMILY) else RecompileFault.FOREIGN)
    name, payload = data[len(_MARKER) : len(_MARKER) + _KEY], data[_HEAD:]
    if hashlib.sha256(name + payload).digest() != data[len(_MARKER) + _KEY : _HEAD]:
        raise RecompileError(RecompileFault.DAMAGE)
    if name.hex() != key:
        raise RecompileError(RecompileFault.KEY, name.hex())
    return payload


def serialize_compiled(result: Result) -> bytes:
    """Return the bytes of a result."""
    return pickle.dumps(result, protocol=4)


def try_finish_recompile(data: bytes) -> Result:
    """Return the result in some bytes.

    Raises: RecompileError for anything that is not one.
    """
    value = _load(data)
    if not isinstance(value, RESULTS):
        raise RecompileError(RecompileFault.FOREIGN)
    return value


@dataclass(frozen=True, slots=True)
class World:
    """A result, and the files as they were when it was made: it holds wherever they are the same again."""

    observed: tuple[Observed, ...]
    result: bytes


def encode_worlds(worlds: Iterable[World]) -> bytes:
    """Return what a key came to, newest first, as bytes."""
    rows = tuple((tuple((item.path, item.digest) for item in world.observed), world.result) for world in worlds)
    return pickle.dumps(rows, protocol=4)


def decode_worlds(data: bytes) -> tuple[World, ...]:
    """Return the worlds that were encoded.

    Raises: RecompileError for other bytes.
    """
    try:
        return tuple(
            World(tuple(_observed(path, digest) for path, digest in observed), _bytes(result))
            for observed, result in _tuple(_load(data))
        )
    except (TypeError, ValueError) as error:
        raise RecompileError(RecompileFault.FOREIGN, str(error)) from error


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        # A shared store may hold bytes of a stranger: nothing but these values may come out of it.
        try:
            return _KNOWN[module, name]
        except KeyError:
            if (module, name) == ("copyreg", "__newobj__"):
                return super().find_class(module, name)
            raise RecompileError(RecompileFault.FOREIGN, f"{module}.{name}") from None


def _load(data: bytes) -> object:
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except RecompileError:
        raise
    except Exception as error:  # pickle raises nearly anything on foreign bytes
        raise RecompileError(RecompileFault.FOREIGN, str(error)) from error


def _observed(path: object, digest: object) -> Observed:
    if not isinstance(path, str) or not isinstance(digest, (str, type(None))):
        raise TypeError("no observed file")
    return Observed(path, digest)


def _tuple(value: object) -> tuple[tuple[tuple[tuple[object, object], ...], object], ...]:
    if not isinstance(value, tuple):
        raise TypeError("no worlds")
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("no bytes")
    return value
