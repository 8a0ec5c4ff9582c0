"""The symbol table of an ELF object.

Knows nothing of other formats, of code or of relocations.
Source: the System V ABI, chapters "Object Files" and "Symbol Table".
"""

from __future__ import annotations

import struct

from cratewright.errors import FormatError

from .symbol import ObjectSymbol

__all__ = ["elf_symbols", "has_gcc_representation", "is_elf"]

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SYMTAB = 2
_LOCAL, _WEAK, _UNIQUE = 0, 2, 10
_UNDEFINED, _COMMON = 0, 0xFFF2
_INTERNAL, _HIDDEN = 1, 2


def is_elf(data: bytes) -> bool:
    """Return whether these bytes are a 64-bit little-endian ELF file."""
    return data[:6] == b"\x7fELF\x02\x01"


def has_gcc_representation(data: bytes) -> bool:
    """Return whether gcc's linker plugin could optimise an object with others."""
    return b".gnu.lto_" in data


def elf_symbols(data: bytes, *, name: str) -> tuple[ObjectSymbol, ...]:
    """Return the global and weak symbols of an object, in order.

    Raises: FormatError naming the file if it is damaged.
    """
    try:
        header = _HEADER.unpack_from(data, 0)
        start, size, count = header[6], header[11], header[12]
        sections = [_SECTION.unpack_from(data, start + index * size) for index in range(count)]
        found: list[ObjectSymbol] = []
        for section in sections:
            if section[1] == _SYMTAB:
                found += _symbols(data, section, sections[section[6]])
    except (struct.error, IndexError, ValueError) as error:
        raise FormatError(f"{name}: the object is damaged") from error
    return tuple(found)


def _symbols(data: bytes, table: tuple[int, ...], strings: tuple[int, ...]) -> list[ObjectSymbol]:
    begin, end = strings[4], strings[4] + strings[5]
    found: list[ObjectSymbol] = []
    # The section's `info` is the number of the first symbol that is not local.
    for at in range(table[4] + table[7] * _SYMBOL.size, table[4] + table[5], _SYMBOL.size):
        offset, info, other, section, _, _ = _SYMBOL.unpack_from(data, at)
        first = begin + offset
        text = data[first : data.index(b"\0", first, end)]
        if text and info >> 4 != _LOCAL:
            weak = info >> 4 in (_WEAK, _UNIQUE) or section == _COMMON
            hidden = other & 3 in (_INTERNAL, _HIDDEN)
            found.append(ObjectSymbol(text.decode("utf-8", "surrogateescape"), section != _UNDEFINED, weak, hidden))
    return found
