"""The symbol table that LLVM stores in every bitcode file, read without LLVM.

Only the parts of the bitstream that lead to the table are read.
Source: "LLVM Bitcode File Format", and llvm/Object/IRSymtab.h for the table.
"""

from __future__ import annotations

import struct

from cratewright import FormatError

from .elf import ObjectSymbol

_MAGIC = b"BC\xc0\xde"
_WRAPPER = b"\xde\xc0\x17\x0b"
_SYMTAB, _STRTAB = 25, 23
# Version 1 came with LLVM 9; from 2 on, a symbol is laid out as it is here.
_VERSIONS = (2, 3, 4)
_SYMBOL = struct.Struct("<6I")
_UNDEFINED, _WEAK, _COMMON, _GLOBAL, _FORMAT_SPECIFIC, _EXECUTABLE = 1 << 3, 1 << 4, 1 << 5, 1 << 10, 1 << 11, 1 << 12
_VISIBILITY = 3
_OPERANDS = 64
"""More operands than any abbreviation of these two blocks has."""
_WIDEST = 64
"""Bits of the largest number."""


def is_bitcode(data: bytes) -> bool:
    """Return whether data is LLVM bitcode, with or without the wrapper that Apple's tools put around it."""
    return data[:4] in (_MAGIC, _WRAPPER)


def bitcode_major(data: bytes) -> int:
    """Return the major version of the LLVM that made a bitcode file, or 0 if it is not given."""
    try:
        blobs = _blobs(data)
        start, size = struct.unpack_from("<2I", blobs[_SYMTAB], 4)
        major = blobs[_STRTAB][start : start + size].partition(b".")[0]
    except (KeyError, struct.error, IndexError, OverflowError):
        return 0
    return int(major) if major.isdigit() else 0


def bitcode_symbols(data: bytes, *, name: str) -> tuple[ObjectSymbol, ...]:
    """Return the global symbols of a bitcode file, in order.

    Raises: FormatError naming the file if there is no table or its version is unknown.
    """
    try:
        blobs = _blobs(data)
        table, strings = blobs[_SYMTAB], blobs[_STRTAB]
        (version,) = struct.unpack_from("<I", table, 0)
        if version not in _VERSIONS:
            raise FormatError(f"{name}: the symbol table of the bitcode has an unknown version, {version}")
        # Version, producer; modules and comdats; symbols: each an offset and a size or a count.
        offset, count = struct.unpack_from("<2I", table, 4 + 3 * 8)
        rows = [_SYMBOL.unpack_from(table, offset + index * _SYMBOL.size) for index in range(count)]
    except (KeyError, struct.error, IndexError, OverflowError) as error:
        raise FormatError(f"{name}: the bitcode has no symbol table") from error
    return tuple(
        ObjectSymbol(
            name=strings[start : start + size].decode("utf-8", "surrogateescape"),
            defined=not flags & _UNDEFINED,
            weak=bool(flags & (_WEAK | _COMMON)),
            hidden=flags & _VISIBILITY == 1,
            data=not flags & _EXECUTABLE,
        )
        for start, size, _, _, _, flags in rows
        if flags & _GLOBAL and not flags & _FORMAT_SPECIFIC
    )


def _blobs(data: bytes) -> dict[int, bytes]:
    """Return the blobs of the symbol and string tables, by block number."""
    if data[:4] == _WRAPPER:
        offset, size = struct.unpack_from("<2I", data, 8)
        data = data[offset : offset + size]
    blobs: dict[int, bytes] = {}
    at = 4
    while at + 8 <= len(data):
        # At top level an abbreviation number has two bits; 1 enters a block, whose contents are aligned to 32 bits.
        bits = _Bits(data, at * 8)
        if bits.fixed(2) != 1:
            break
        number, width = bits.vbr(8), bits.vbr(4)
        start = bits.align()
        (words,) = struct.unpack_from("<I", data, start)
        if start + 4 + words * 4 > len(data):
            raise IndexError
        if number in (_SYMTAB, _STRTAB):
            blobs[number] = _blob(data, start + 4, width)
        at = start + 4 + words * 4
    return blobs


def _blob(data: bytes, start: int, width: int) -> bytes:
    """Return the blob of a block, which defines one abbreviation (a literal code and a blob) and uses it once."""
    bits = _Bits(data, start * 8)
    if bits.fixed(width) != 2:  # DEFINE_ABBREV
        raise IndexError
    for _ in range(min(bits.vbr(5), _OPERANDS)):
        if bits.fixed(1):
            bits.vbr(8)
        elif bits.fixed(3) in (1, 2):
            bits.vbr(5)
    if bits.fixed(width) != 4:  # the first abbreviation that a block defines itself
        raise IndexError
    size = bits.vbr(6)
    begin = bits.align()
    return data[begin : begin + size]


class _Bits:
    """Reads a bitstream from some bit on."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def fixed(self, width: int) -> int:
        first = self._at // 8
        chunk = int.from_bytes(self._data[first : first + 8], "little")
        value = (chunk >> (self._at % 8)) & ((1 << width) - 1)
        self._at += width
        return value

    def vbr(self, width: int) -> int:
        more = 1 << (width - 1)
        value = shift = 0
        while True:
            part = self.fixed(width)
            value |= (part & (more - 1)) << shift
            shift += width - 1
            if not part & more:
                return value
            if shift > _WIDEST:
                raise IndexError

    def align(self) -> int:
        """Go to the next multiple of 32 bits and return it in bytes."""
        self._at = (self._at + 31) // 32 * 32
        return self._at // 8
