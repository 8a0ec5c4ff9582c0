"""How a result becomes an entry of a store, and how it is read back.

Decoding guarantees the types of a result's fields, nothing more.
Source: Cranelift's `serialize_compiled` and `try_finish_recompile`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import Enum
from typing import TypeVar

from ..base.codec import Codec
from ..base.serializer import DecodeError
from ..base.values import dataclass
from ..values.module import CompiledUnit, ModuleCodegen, Observed
from ..values.request import LinkResult
from .key import CacheKey
from .thin_modules import IndexedThinModules

Result = CompiledUnit | LinkResult | ModuleCodegen | IndexedThinModules
"""The result classes of a backend's methods, as sent and stored."""

_Value = TypeVar("_Value")

RESULT_KINDS = (CompiledUnit, LinkResult, ModuleCodegen, IndexedThinModules)

_MARKER = b"cratewright entry 5\n"
_FAMILY = b"cratewright entry "
_KEY = 32
MOST_ALTERNATIVES = 4
"""How many results are kept for one key, each with the files it was made from."""
_MOST_FILES = 1 << 17
"""How many files an entry may name: each is checked before the entry is used."""
_HEAD = len(_MARKER) + _KEY + hashlib.sha256().digest_size


class RecompileFault(Enum):
    """Why an entry cannot be used."""

    VERSION = "another version wrote it"
    KEY = "it belongs to another key"
    DAMAGE = "its digest does not match"
    FOREIGN = "it holds no result"
    STALE = "a file that it was made from has changed"


class RecompileError(Exception):
    """An unusable entry; the caller compiles instead."""

    def __init__(self, fault: RecompileFault, detail: str = "") -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault


def seal_entry(key: CacheKey, payload: bytes) -> bytes:
    """Return an entry: a marker, its key, the digest of key and payload, the payload."""
    name = bytes.fromhex(key)
    return b"".join((_MARKER, name, _seal(name, payload), payload))


def open_entry(key: CacheKey, data: bytes) -> memoryview:
    """Return an entry's payload, without copying it.

    Raises: RecompileError if the entry is of another version, for another key, or damaged in any bit.
    """
    if not data.startswith(_MARKER):
        raise RecompileError(RecompileFault.VERSION if data.startswith(_FAMILY) else RecompileFault.FOREIGN)
    name, payload = data[len(_MARKER) : len(_MARKER) + _KEY], memoryview(data)[_HEAD:]
    if _seal(name, payload) != data[len(_MARKER) + _KEY : _HEAD]:
        raise RecompileError(RecompileFault.DAMAGE)
    if name.hex() != key:
        raise RecompileError(RecompileFault.KEY, name.hex())
    return payload


def _seal(name: bytes, payload: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(name)
    digest.update(payload)
    return digest.digest()


def result_bytes(result: Result) -> bytes:
    """Return a result as bytes.

    Raises: ValueError if a field has a wrong type.
    """
    return _RESULT.encode(result)


def result_of(data: bytes) -> Result:
    """Return the result that bytes encode.

    Raises: RecompileError if they encode none.
    """
    return _decode(_RESULT, data)


@dataclass(frozen=True, slots=True)
class ObservedResult:
    """A result and the state of the files it was made from: it is valid wherever they have this state."""

    observed: tuple[Observed, ...]
    result: bytes


def encode_alternatives(alternatives: Iterable[ObservedResult]) -> bytes:
    """Return the results of a key, newest first, as bytes.

    Raises: ValueError for more results, or files, than an entry may hold.
    """
    alternatives = tuple(alternatives)
    if not _bounded(alternatives):
        raise ValueError("an entry names too many files")
    return _ALTERNATIVES.encode(alternatives)


def decode_alternatives(data: bytes | memoryview) -> tuple[ObservedResult, ...]:
    """Return the results that `encode_alternatives` encoded.

    Raises: RecompileError for any other bytes.
    """
    alternatives = _decode(_ALTERNATIVES, data)
    if not _bounded(alternatives):
        raise RecompileError(RecompileFault.FOREIGN, "too many files")
    return alternatives


def _bounded(alternatives: tuple[ObservedResult, ...]) -> bool:
    return (
        len(alternatives) <= MOST_ALTERNATIVES
        and sum([len(alternative.observed) for alternative in alternatives]) <= _MOST_FILES
    )


_RESULT: Codec[Result] = Codec(Result)
_ALTERNATIVES: Codec[tuple[ObservedResult, ...]] = Codec(tuple[ObservedResult, ...])


def _decode(codec: Codec[_Value], data: bytes | memoryview) -> _Value:
    try:
        return codec.decode(data)
    except DecodeError as error:
        raise RecompileError(RecompileFault.FOREIGN, str(error)) from error
