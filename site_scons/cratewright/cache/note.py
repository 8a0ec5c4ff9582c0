"""Notes: values in a store that are not results, under keys that no result has."""

from __future__ import annotations

import hashlib
from typing import Generic, TypeVar

from ..base.codec import Codec
from ..base.serializer import DecodeError
from .entry import RecompileError, open_entry, seal_entry
from .key import CacheKey

_Value = TypeVar("_Value")


class NoteForm(Generic[_Value]):
    """Notes of one form, values of one type; `name` distinguishes them from those of other forms and versions."""

    def __init__(self, name: str, kind: type[_Value]) -> None:
        self._name = name
        self._codec: Codec[tuple[str, _Value]] = Codec(tuple[str, kind])  # type: ignore[valid-type]

    def key(self, about: str) -> CacheKey:
        """Return the key of the note on a subject."""
        return CacheKey(hashlib.sha256(f"{self._name}\n{about}".encode("utf-8", "surrogateescape")).hexdigest())

    def seal(self, key: CacheKey, value: _Value) -> bytes:
        """Return a note as an entry."""
        return seal_entry(key, self._codec.encode((self._name, value)))

    def read(self, key: CacheKey, data: bytes | None) -> _Value | None:
        """Return a note's content; None if it is missing, of another form, or damaged."""
        if data is None:
            return None
        try:
            name, value = self._codec.decode(open_entry(key, data))
        except (RecompileError, DecodeError):
            return None
        return value if name == self._name else None
