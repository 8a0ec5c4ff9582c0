"""Numbers and names in WebAssembly's encoding.

Source: WebAssembly Core Specification, "Values", binary format.
"""

from __future__ import annotations

from cratewright import FormatError


class LebReader:
    """Reads bytes from front to back."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    def __bool__(self) -> bool:
        return self.at < self.end

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        """Return the next bytes.

        Raises: FormatError if there are fewer.
        """
        if self.at + count > self.end:
            raise FormatError("a WebAssembly module is truncated", context=(("at", f"byte {self.at}"),))
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        """Return an unsigned number."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 70:
                raise FormatError("a WebAssembly module has a number that does not end", context=(("at", self.at),))

    def skip_number(self) -> None:
        """Step over a number, signed or not."""
        while self.byte() >= 0x80:
            pass

    def name(self) -> str:
        """Return a name."""
        return self.take(self.number()).decode("utf-8", "replace")


def leb128(value: int) -> bytes:
    """Return an unsigned number in as few bytes as it needs."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def padded(value: int) -> bytes:
    """Return an unsigned number in five bytes: a linker can replace it in place."""
    return bytes([*(value >> shift & 0x7F | 0x80 for shift in (0, 7, 14, 21)), value >> 28])


def name_bytes(name: str) -> bytes:
    """Return a name."""
    data = name.encode()
    return leb128(len(data)) + data


def vector(items: list[bytes]) -> bytes:
    """Return items after their number."""
    return leb128(len(items)) + b"".join(items)
