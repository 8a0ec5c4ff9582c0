"""The symbols of a bitcode file, from the table that LLVM puts into it for linkers.

The plugin has a reader of its own, so that it needs no other backend.

Source: LLVM's "Bitcode File Format", and llvm/Object/IRSymtab.h for the layout of the table.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from cratewright import FormatError, dataclass

_MAGIC = b"BC\xc0\xde"
_STRTAB, _SYMTAB = 23, 25
_NO_COMDAT = 0xFFFFFFFF
_UNDEFINED, _WEAK, _COMMON, _GLOBAL, _FORMAT_SPECIFIC = (1 << bit for bit in (3, 4, 5, 10, 11))
# The bits: visibility (two), uncommon, undefined, weak, common, indirect, used, tls, may omit, global, format specific.
_HEADER_WORDS = 19


@dataclass(frozen=True, slots=True)
class BitcodeSymbol:
    """A symbol that other modules can see.

    Shape: `shared` if each unit that uses it defines it, as inline functions of C++.
    """

    name: str
    defined: bool
    weak: bool
    hidden: bool
    shared: bool


def is_raw_bitcode(data: bytes) -> bool:
    """Return whether data is LLVM bitcode, without a wrapper."""
    return data.startswith(_MAGIC)


def linker_symbols(data: bytes) -> tuple[BitcodeSymbol, ...]:
    """Return the symbols in the order of the table.

    Raises: FormatError for a damaged file.
    """
    table, strings = _blobs(data)
    begin, count = struct.unpack_from("<2I", table, _SYMBOLS)
    found = []
    for number in range(count):
        name, size, _, _, comdat, flags = struct.unpack_from("<6I", table, begin + 24 * number)
        if flags & _FORMAT_SPECIFIC or not flags & _GLOBAL:
            continue
        found.append(
            BitcodeSymbol(
                name=strings[name : name + size].decode("utf-8", "surrogateescape"),
                defined=not flags & _UNDEFINED,
                weak=bool(flags & (_WEAK | _COMMON)),
                hidden=flags & 3 == 1,
                shared=comdat != _NO_COMDAT,
            )
        )
    return tuple(found)


def bitcode_triple(data: bytes) -> str:
    """Return the target that a file was made for; empty if its table does not name one."""
    try:
        table, strings = _blobs(data)
        begin, size = struct.unpack_from("<2I", table, _TRIPLE)
    except FormatError:
        return ""
    return strings[begin : begin + size].decode("utf-8", "replace")


# The header: version, producer, and ranges of modules, comdats, symbols and uncommon, then two strings.
_SYMBOLS = 4 * 7
_TRIPLE = 4 * 11


def _blobs(data: bytes) -> tuple[bytes, bytes]:
    """Return the symbol table and the string table."""
    blobs = dict(_top_blobs(data))
    table, strings = blobs.get(_SYMTAB, b""), blobs.get(_STRTAB, b"")
    if len(table) < 4 * _HEADER_WORDS:
        raise FormatError("bitcode without a symbol table", hint="make it with clang 16 or newer")
    return table, strings


def _top_blobs(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the symbol and string tables, by block number."""
    if not is_raw_bitcode(data):
        raise FormatError("not LLVM bitcode")
    bits = _Bits(data, 32)
    while bits.at + 64 <= 8 * len(data):
        if bits.fixed(2) != 1:
            return
        block, width = bits.variable(8), bits.variable(4)
        bits.align()
        length = bits.fixed(32)
        begin = bits.at
        if block in (_STRTAB, _SYMTAB):
            yield block, _blob(_Bits(data, begin), width)
        bits.at = begin + 32 * length


def _blob(bits: _Bits, width: int) -> bytes:
    abbreviation: list[int | None] = []
    while True:
        kind = bits.fixed(width)
        if kind == 2:
            abbreviation = []
            for _ in range(bits.variable(5)):
                if bits.fixed(1):
                    abbreviation.append(bits.variable(8))
                elif bits.fixed(3) == 5:
                    abbreviation.append(None)
                else:
                    raise FormatError("bitcode in an unknown format")
        elif kind == 4 and abbreviation[-1:] == [None]:
            size = bits.variable(6)
            bits.align()
            return bits.data[bits.at // 8 : bits.at // 8 + size]
        else:
            raise FormatError("bitcode in an unknown format")


class _Bits:
    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def fixed(self, width: int) -> int:
        first = self.at // 8
        value = int.from_bytes(self.data[first : first + 8], "little") >> self.at % 8
        self.at += width
        if self.at > 8 * len(self.data):
            raise FormatError("truncated bitcode")
        return value & (1 << width) - 1

    def variable(self, width: int) -> int:
        value = shift = 0
        while True:
            chunk = self.fixed(width)
            value |= (chunk & (1 << width - 1) - 1) << shift
            shift += width - 1
            if not chunk >> width - 1 or shift > 64:
                return value

    def align(self) -> None:
        self.at = -(-self.at // 32) * 32
