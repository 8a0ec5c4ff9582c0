"""The symbol table of an ELF object, and its sections.

Source: the System V ABI, chapters "Object Files" and "Symbol Table".
"""

from __future__ import annotations

import struct

from cratewright import FormatError, dataclass, pattern

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
_DYNAMIC = struct.Struct("<QQ")
_SYMTAB, _DYNAMIC_TABLE, _DYNSYM = 2, 6, 11
_NEEDED = 1
_ALLOCATED, _ORDERED, _RETAINED = 0x2, 0x80, 0x200000
_EXTENDED = 0xFFFF
_BITCODE, _INACTIVE = 0x6FFF4C0C, 0
_OS_ABI, _GNU = 7, 3
# Section names that compilers choose, including those of single functions and variables; all others come from a source.
_USUAL = pattern(
    r"\.(?:text|rodata|data|bss|tdata|tbss|ldata|lrodata|lbss|sdata|sbss|gnu\.linkonce|eh_frame|gcc_except_table|note"
    r"|init_array|fini_array|preinit_array|ctors|dtors|init|fini|group|ARM\.ex\w+|IA_64\.unwind\w*)(?:[.$]|\Z)"
)
_LOCAL, _WEAK, _UNIQUE = 0, 2, 10
_VARIABLES = (1, 6)
"""The types of symbols for variables, the latter of each thread."""
_UNDEFINED, _COMMON = 0, 0xFFF2
_INTERNAL, _HIDDEN = 1, 2


@dataclass(frozen=True, slots=True)
class ObjectSymbol:
    """A name visible to other objects.

    Shape: `weak` if several objects may define it, also by C's old rule for tentative definitions; `hidden` if the
    linked output does not export it; `data` if it is a variable.
    """

    name: str
    defined: bool
    weak: bool
    hidden: bool
    data: bool = False


def is_elf(data: bytes) -> bool:
    """Return whether these bytes are a 64-bit little-endian ELF file."""
    return data[:6] == b"\x7fELF\x02\x01"


def has_gcc_representation(data: bytes) -> bool:
    """Return whether gcc's linker plugin could optimize an object with others."""
    return b".gnu.lto_" in data


def embedded_bitcode(data: bytes) -> bytes:
    """Return the bitcode that clang put into an object besides code (`-ffat-lto-objects`); empty if none.

    Source: LLVM 17, `SHT_LLVM_LTO`; it equals, byte for byte, what clang makes without code.
    """
    found = _bitcode_section(data)
    return data[found[4] : found[4] + found[5]] if found else b""


def without_bitcode(data: bytes) -> bytes:
    """Return an object without its bitcode: the section stays, empty, so that section numbers do not change."""
    found = _bitcode_section(data)
    if not found:
        return data
    header, rows = _HEADER.unpack_from(data, 0), read_sections(data)
    # What follows stays aligned.
    at, step = found[4], max(8, *(row[8] for row in rows if row[4] > found[4]))
    size = found[5] // step * step
    changed = bytearray(data)
    changed[at : at + found[5]] = bytes(found[5])
    for index, row in enumerate(rows):
        row_at = header[6] + index * header[11]
        if row == found:
            SECTION.pack_into(changed, row_at, row[0], _INACTIVE, 0, 0, at, 0, *row[6:8], 1, 0)
        elif row[4] > at:
            SECTION.pack_into(changed, row_at, *row[:4], row[4] - size, *row[5:])
    table = header[6] - size if header[6] > at else header[6]
    _HEADER.pack_into(changed, 0, *header[:6], table, *header[7:])
    return bytes(changed[:at] + changed[at + size :])


def _bitcode_section(data: bytes) -> tuple[int, ...] | None:
    if not is_elf(data):
        return None
    try:
        return next((row for row in read_sections(data) if row[1] == _BITCODE), None)
    except (struct.error, IndexError):  # reading its symbols reports the damage
        return None


def elf_symbols(data: bytes, *, name: str, dynamic: bool = False) -> tuple[ObjectSymbol, ...]:
    """Return the global and weak symbols of an object, in order; if `dynamic`, those that a library is loaded with.

    Raises: FormatError naming the file if it is damaged.
    """
    try:
        sections = read_sections(data)
        found: list[ObjectSymbol] = []
        for section in sections:
            if section[1] == (_DYNSYM if dynamic else _SYMTAB):
                found += _symbols(data, section, sections[section[6]])
    except (struct.error, IndexError, OverflowError, ValueError) as error:
        raise FormatError(f"{name}: the object is damaged") from error
    return tuple(found)


def needed_libraries(data: bytes) -> tuple[str, ...]:
    """Return the libraries that a program or shared library loads; none if it is static or another kind of file.

    Raises: FormatError if it is damaged.
    """
    if not is_elf(data):
        return ()
    try:
        sections = read_sections(data)
        table = next((section for section in sections if section[1] == _DYNAMIC_TABLE), None)
        if table is None:
            return ()
        rows = _DYNAMIC.iter_unpack(data[table[4] : table[4] + table[5]])
        begin = sections[table[6]][4]
        return tuple(read_text(data, begin + value).decode() for tag, value in rows if tag == _NEEDED)
    except (struct.error, IndexError, OverflowError, ValueError) as error:
        raise FormatError("the program is damaged") from error


def with_retained_sections(data: bytes, *, name: str) -> bytes:
    """Return an object whose sections with names from a source are kept by linkers even if unreferenced.

    Garbage collection would drop sections that are only reached through `__start_X` and `__stop_X`, or read from the
    linked file.
    Source: the GNU ABI's `SHF_GNU_RETAIN`, which GNU ld 2.36 and LLD 13 know.
    Raises: FormatError naming the file if it is damaged.
    """
    if not is_elf(data):
        return data
    try:
        header = _HEADER.unpack_from(data, 0)
        sections = read_sections(data)
        if not sections:
            return data
        number = header[13] if header[13] != _EXTENDED else sections[0][6]
        names = sections[number][4]
        changed = bytearray(data)
        for index, section in enumerate(sections):
            flags, name_of = section[2], read_text(data, names + section[0]).decode("utf-8", "replace")
            # A section that belongs to another one (SHF_LINK_ORDER) is collected together with it.
            if flags & _ALLOCATED and not flags & (_RETAINED | _ORDERED) and not _USUAL.match(name_of):
                at = header[6] + index * header[11] + 8
                changed[at : at + 8] = (flags | _RETAINED).to_bytes(8, "little")
                changed[_OS_ABI] = _GNU
        return bytes(changed)
    except (struct.error, IndexError, OverflowError, ValueError) as error:
        raise FormatError(f"{name}: the object is damaged") from error


def section_table(data: bytes) -> int:
    """Return where the table of sections begins."""
    start: int = _HEADER.unpack_from(data, 0)[6]
    return start


def read_sections(data: bytes) -> list[tuple[int, ...]]:
    """Return the rows of the table of sections.

    Raises: IndexError, struct.error if it is not whole.
    """
    header = _HEADER.unpack_from(data, 0)
    start, size, count = header[6], header[11], header[12]
    if start and not count:
        # More sections than the header can count: the first one's size is their number.
        count = SECTION.unpack_from(data, start)[5]
    if size < SECTION.size or start + size * count > len(data):
        if not count:
            return []
        raise IndexError
    return [SECTION.unpack_from(data, start + index * size) for index in range(count)]


def read_text(data: bytes, first: int) -> bytes:
    """Return the text that begins at an offset.

    Raises: ValueError if it does not end.
    """
    return data[first : data.index(b"\0", first)]


def _symbols(data: bytes, table: tuple[int, ...], strings: tuple[int, ...]) -> list[ObjectSymbol]:
    begin, end = strings[4], strings[4] + strings[5]
    found: list[ObjectSymbol] = []
    if table[4] + table[5] > len(data):
        raise IndexError
    # The section's `info` is the number of the first symbol that is not local.
    for at in range(table[4] + table[7] * SYMBOL.size, table[4] + table[5], SYMBOL.size):
        offset, info, other, section, _, _ = SYMBOL.unpack_from(data, at)
        first = begin + offset
        text = data[first : data.index(b"\0", first, end)]
        if text and info >> 4 != _LOCAL:
            weak = info >> 4 in (_WEAK, _UNIQUE)
            hidden = other & 3 in (_INTERNAL, _HIDDEN)
            name_of, common = text.decode("utf-8", "surrogateescape"), section == _COMMON
            is_data = common or info & 15 in _VARIABLES
            found.append(ObjectSymbol(name_of, section != _UNDEFINED, weak or common, hidden, is_data))
    return found
