"""The part of protocol buffers' encoding that the messages of a cache need: fields by number.

They need only two kinds of fields, so that a server over HTTP needs no library but Python's own; tests compare with
Google's.
Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterable

from ..base.values import dataclass

_SKIPPED = {1: 8, 5: 4}
_LARGEST_FIELD = (1 << 29) - 1


class WireError(ValueError):
    """Bytes that do not encode a message."""


def encode_message(fields: Iterable[tuple[int, int | bytes]]) -> bytes:
    """Encode a message; zero and empty fields are omitted, since a reader assumes them.

    Shape: a nested message is given as bytes, omitted if empty; a repeated field is given several times.
    """
    parts: list[bytes] = []
    for number, value in fields:
        if isinstance(value, bytes):
            if value:
                parts += (_varint(number << 3 | 2), _varint(len(value)), value)
        elif value:
            parts += (_varint(number << 3), _varint(value & (1 << 64) - 1))
    return b"".join(parts)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


@dataclass(frozen=True, slots=True)
class WireFields:
    """A decoded message: the values of each field number, in order."""

    found: dict[int, list[int | bytes]]

    def number(self, field: int) -> int:
        """Return a number, 0 if the field is missing.

        Raises: WireError if it is not a number.
        """
        value = self.found.get(field, [0])[-1]
        if not isinstance(value, int):
            raise WireError(f"field {field} is not a number")
        return value - (1 << 64) if value >> 63 else value

    def data(self, field: int) -> bytes:
        """Return bytes, empty if the field is missing.

        Raises: WireError if it is a number.
        """
        return self.repeated(field)[-1] if field in self.found else b""

    def text(self, field: int) -> str:
        """Return a text.

        Raises: WireError if it is not one.
        """
        try:
            return self.data(field).decode()
        except UnicodeDecodeError as error:
            raise WireError(f"field {field} is not text") from error

    def repeated(self, field: int) -> list[bytes]:
        """Return all values of a field of bytes.

        Raises: WireError if one is a number.
        """
        values = [value for value in self.found.get(field, ()) if isinstance(value, bytes)]
        if len(values) != len(self.found.get(field, ())):
            raise WireError(f"field {field} is a number")
        return values

    def message(self, field: int) -> WireFields:
        """Return a nested message.

        Raises: WireError if it is not one.
        """
        return decode(self.data(field))

    def numbers(self, field: int) -> list[int]:
        """Return a repeated number, packed or not.

        Raises: WireError if it is not one.
        """
        numbers: list[int] = []
        for value in self.found.get(field, ()):
            if isinstance(value, int):
                numbers.append(value)
                continue
            position = 0
            while position < len(value):
                number, position = _read(value, position)
                numbers.append(number)
        return numbers


def decode(data: bytes) -> WireFields:
    """Return the fields of a message.

    Raises: WireError for bytes that are not a message.
    """
    found: dict[int, list[int | bytes]] = {}
    position = 0
    while position < len(data):
        tag, position = _read(data, position)
        number, kind = tag >> 3, tag & 7
        if not 0 < number <= _LARGEST_FIELD:
            raise WireError("a field has no number")
        if kind == 0:
            value, position = _read(data, position)
            found.setdefault(number, []).append(value)
        elif kind == 2:
            size, position = _read(data, position)
            if size > len(data) - position:
                raise WireError("a field is cut off")
            found.setdefault(number, []).append(data[position : position + size])
            position += size
        elif kind in _SKIPPED:
            position += _SKIPPED[kind]
            if position > len(data):
                raise WireError("a field is cut off")
        else:
            raise WireError(f"a field of kind {kind}")
    return WireFields(found)


def _read(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, position
    raise WireError("a number does not end")
