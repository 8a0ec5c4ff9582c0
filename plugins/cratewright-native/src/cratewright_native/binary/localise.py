"""Makes symbols of an ELF object local.

Source: the System V ABI, chapters "Sections", "Symbol Table" and "Relocation".
"""

from __future__ import annotations

import struct
from collections.abc import Collection

from cratewright import FormatError

from .elf import SECTION, SYMBOL, read_sections, read_text, section_table

_SYMTAB, _RELA, _REL, _GROUP, _INDEXES = 2, 4, 9, 17, 18
_ADDRSIG = 0x6FFF4C03
_LOCAL, _GLOBAL = 0, 1
_UNDEFINED, _COMMON = 0, 0xFFF2
_COMDAT = 1
_NUMBER = struct.Struct("<I")


def with_local_symbols(data: bytes, *, keep: Collection[str], name: str) -> bytes:
    """Return an object in which all strong symbols that it defines are local, except those to `keep`.

    Weak, common and process-wide unique symbols stay, because several objects may define them.
    Raises: FormatError naming the object if it is damaged.
    """
    try:
        return _localised(data, keep)
    except (struct.error, IndexError, KeyError, OverflowError, ValueError) as error:
        raise FormatError(f"{name}: the object is damaged") from error


def _localised(data: bytes, keep: Collection[str]) -> bytes:
    sections = read_sections(data)
    number = next((index for index, section in enumerate(sections) if section[1] == _SYMTAB), None)
    if number is None:
        return data
    table = sections[number]
    strings = sections[table[6]][4]
    symbols = [SYMBOL.unpack_from(data, at) for at in range(table[4], table[4] + table[5], SYMBOL.size)]
    changed = [_changed(symbol, read_text(data, strings + symbol[0]), keep) for symbol in symbols]
    # Local symbols come first, so symbols are renumbered and all references to them follow.
    order = sorted(range(len(changed)), key=lambda index: changed[index][1] >> 4 != _LOCAL)
    moved = {old: new for new, old in enumerate(order)}
    out = bytearray(data)
    for new, old in enumerate(order):
        SYMBOL.pack_into(out, table[4] + new * SYMBOL.size, *changed[old])
    locals_ = sum(symbol[1] >> 4 == _LOCAL for symbol in changed)
    start = section_table(data)
    _NUMBER.pack_into(out, start + number * SECTION.size + 44, locals_)
    for index, section in enumerate(sections):
        kind, at, size = section[1], section[4], section[5]
        if kind in (_RELA, _REL) and section[6] == number:
            step = 24 if kind == _RELA else 16
            for field in range(at + 12, at + size, step):  # the upper half of `r_info`
                _NUMBER.pack_into(out, field, moved[_NUMBER.unpack_from(data, field)[0]])
        elif kind == _GROUP and section[6] == number:
            # The number of the group's signature symbol.
            _NUMBER.pack_into(out, start + index * SECTION.size + 44, moved[section[7]])
            if changed[section[7]][1] >> 4 == _LOCAL and symbols[section[7]][1] >> 4 != _LOCAL:
                _NUMBER.pack_into(out, at, _NUMBER.unpack_from(data, at)[0] & ~_COMDAT)
        elif kind == _INDEXES and section[6] == number:
            for new, old in enumerate(order):
                _NUMBER.pack_into(out, at + 4 * new, _NUMBER.unpack_from(data, at + 4 * old)[0])
        elif kind == _ADDRSIG:
            # It lists symbols by number in a format of its own and only saves space, so a link of 0 disables it.
            _NUMBER.pack_into(out, start + index * SECTION.size + 40, 0)
    return bytes(out)


def _changed(symbol: tuple[int, ...], text: bytes, keep: Collection[str]) -> tuple[int, ...]:
    name, info, other, section, value, size = symbol
    defined = section not in (_UNDEFINED, _COMMON)
    if info >> 4 != _GLOBAL or not defined or text.decode("utf-8", "surrogateescape") in keep:
        return symbol
    return (name, _LOCAL << 4 | info & 15, other & ~3, section, value, size)
