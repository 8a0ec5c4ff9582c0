"""Frozen values to plain bytes, and untrusted bytes to values.

The bytes are MessagePack, one array with rows of scalars only: a value's fields in order, a tuple as its length and its
items, a union's alternative by name. So decoded data is only as deep as the annotations and as large as the bytes,
whatever these contain, and each scalar is checked against its annotation.
"""

from __future__ import annotations

from itertools import chain
from typing import Generic, TypeVar, cast

import msgpack

from .serializer import DecodeError, Serializer, serializer_of

_Value = TypeVar("_Value")
_ERRORS = "surrogateescape"
"""How a path that is not UTF-8 is decoded."""
_ROW = 4096
"""The most scalars in a row, and rows: nested arrays are not values, and what they claim takes at most 32 MiB."""


class Codec(Generic[_Value]):
    """Encodes values of one kind as bytes, and decodes them.

    Shape: `kind` is a frozen dataclass of `values`, or an alias such as `tuple[str, ...]`, of such, of scalars, of
    enumerations of texts, and of unions of dataclasses or with None.
    """

    def __init__(self, kind: object) -> None:
        self._kind = kind
        self._known: Serializer | None = None

    def encode(self, value: _Value) -> bytes:
        """Return a value as bytes.

        Raises: ValueError for a value of another kind, or one that is too large.
        """
        scalars: list[object] = []
        self._serializer.write(value, scalars)
        packer = msgpack.Packer(autoreset=False, unicode_errors=_ERRORS, buf_size=4096)
        rows = [scalars[start : start + _ROW] for start in range(0, len(scalars), _ROW)]
        if len(rows) > _ROW:
            raise ValueError("too many scalars")
        try:
            packer.pack(rows)
        except OverflowError as error:
            raise ValueError(str(error)) from error
        return cast("bytes", packer.bytes())

    def decode(self, data: bytes | memoryview) -> _Value:
        """Return the value that bytes encode.

        Raises: DecodeError for any other bytes; time and memory are linear in their size.
        """
        size = len(data)
        try:
            rows = msgpack.unpackb(
                data,
                max_str_len=size,
                max_bin_len=size,
                max_array_len=_ROW,
                max_map_len=0,
                max_ext_len=0,
                unicode_errors=_ERRORS,
            )
        except (ValueError, msgpack.UnpackException) as error:
            raise DecodeError(str(error)) from error
        if type(rows) is not list or {*map(type, rows)} != {list}:
            raise DecodeError("no rows")
        items = iter(rows[0]) if len(rows) == 1 else chain.from_iterable(rows)
        try:
            value = self._serializer.read(items)
        except StopIteration:
            raise DecodeError("cut short") from None
        if next(items, items) is not items:
            raise DecodeError("more than a value")
        return cast("_Value", value)

    @property
    def _serializer(self) -> Serializer:
        if self._known is None:  # lazily: reading annotations is slow
            self._known = serializer_of(self._kind)
        return self._known
