"""Relocates function bodies: every index is padded to five bytes, so that a linker can replace it.

Source: WebAssembly Core Specification, "Instructions", binary format.
"""

from __future__ import annotations

from collections.abc import Mapping

from .leb import LebReader, leb128, padded

_OF_FUNCTION, _OF_TYPE, _OF_GLOBAL, _OF_TABLE = 0, 6, 7, 20
_FUNCTIONS, _TABLES, _GLOBALS = 0, 1, 3

# How many numbers follow an opcode; opcodes of these ranges that are not listed have none.
_NUMBERS = {
    **dict.fromkeys((0x0C, 0x0D, 0x20, 0x21, 0x22, 0x3F, 0x40, 0x41, 0x42), 1),
    **dict.fromkeys(range(0x28, 0x3F), 2),
}
_PLAIN = {0x00, 0x01, 0x05, 0x0B, 0x0F, 0x1A, 0x1B, 0xD1, *range(0x45, 0xC5)}
_BLOCKS = {0x02, 0x03, 0x04}
_LONG_NUMBERS = {**dict.fromkeys(range(8), 0), 10: 2, 11: 1}
_VECTOR_MEMORY = {*range(12), 92, 93}
_VECTOR_LANE_MEMORY = set(range(84, 92))
_VECTOR_LANE = set(range(21, 35))
_REFUSED = {
    0x25: "table.get",
    0x26: "table.set",
    0xD2: "ref.func",
    0xFC08: "memory.init",
    0xFC09: "data.drop",
    0xFC0C: "table.init",
    0xFC0D: "elem.drop",
    0xFC0E: "table.copy",
    0xFC0F: "table.grow",
    0xFC10: "table.size",
    0xFC11: "table.fill",
}


class Unlinkable(Exception):
    """Something that a standalone module may have, but not a linked one."""

    def __init__(self, message: str, word: str, hint: str) -> None:
        super().__init__(message)
        self.word = word
        self.hint = hint


def relocate_bodies(section: bytes, symbols: Mapping[tuple[int, int], int]) -> tuple[bytes, list[bytes]]:
    """Return the code section with padded indices, and its relocations.

    Shape: `symbols` are the numbers of symbols, by kind and index.
    """
    reader = LebReader(section)
    count = reader.number()
    out = bytearray(leb128(count))
    relocations: list[bytes] = []
    for _ in range(count):
        size = reader.number()
        body = _Body(LebReader(section, reader.at, reader.at + size), symbols)
        reader.at += size
        body.rewrite()
        out += leb128(len(body.out))
        relocations += [
            bytes([kind]) + leb128(len(out) + offset) + leb128(index) for kind, offset, index in body.relocations
        ]
        out += body.out
    return bytes(out), relocations


class _Body:
    def __init__(self, reader: LebReader, symbols: Mapping[tuple[int, int], int]) -> None:
        self._reader = reader
        self._symbols = symbols
        self.out = bytearray()
        self.relocations: list[tuple[int, int, int]] = []

    def rewrite(self) -> None:
        begin = self._reader.at
        for _ in range(self._reader.number()):
            self._reader.skip_number()
            self._type()
        self._copy(begin)
        while self._reader:
            self._instruction()

    def _copy(self, begin: int) -> None:
        self.out += self._reader.data[begin : self._reader.at]

    def _type(self) -> None:
        if self._reader.byte() in (0x63, 0x64):
            raise Unlinkable("references to types cannot be linked", "ref", "")

    def _index(self, kind: int, index: int, value: int) -> None:
        self.relocations.append((kind, len(self.out), index))
        self.out += padded(value)

    def _symbol(self, kind: int, of: int) -> None:
        value = self._reader.number()
        self._index(of, self._symbols[(kind, value)], value)

    def _instruction(self) -> None:
        reader, begin = self._reader, self._reader.at
        opcode = reader.byte()
        if opcode in _PLAIN:
            self.out.append(opcode)
        elif opcode in _BLOCKS:
            self._block(opcode)
        elif opcode in (0x10, 0x12):
            self.out.append(opcode)
            self._symbol(_FUNCTIONS, _OF_FUNCTION)
        elif opcode in (0x11, 0x13):
            self.out.append(opcode)
            value = reader.number()
            self._index(_OF_TYPE, value, value)
            self._symbol(_TABLES, _OF_TABLE)
        elif opcode in (0x23, 0x24):
            self.out.append(opcode)
            self._symbol(_GLOBALS, _OF_GLOBAL)
        else:
            self._immediates(opcode)
            self._copy(begin)

    def _block(self, opcode: int) -> None:
        self.out.append(opcode)
        kind = self._reader.data[self._reader.at]
        if kind & 0x40 and kind < 0x80:
            self.out.append(self._reader.byte())
        else:
            value = self._reader.number()
            self._index(_OF_TYPE, value, value)

    def _immediates(self, opcode: int) -> None:
        reader = self._reader
        if opcode in _NUMBERS:
            for _ in range(_NUMBERS[opcode]):
                reader.skip_number()
        elif opcode == 0x0E:
            for _ in range(reader.number() + 1):
                reader.skip_number()
        elif opcode == 0x1C:
            for _ in range(reader.number()):
                self._type()
        elif opcode in (0x43, 0x44):
            reader.take(4 if opcode == 0x43 else 8)
        elif opcode == 0xD0:
            self._type()
        elif opcode == 0xFC:
            self._long(reader.number())
        elif opcode == 0xFD:
            self._vector(reader.number())
        else:
            raise _unknown(opcode)

    def _long(self, number: int) -> None:
        if number not in _LONG_NUMBERS:
            raise _unknown(0xFC00 | number)
        for _ in range(_LONG_NUMBERS[number]):
            self._reader.skip_number()

    def _vector(self, number: int) -> None:
        reader = self._reader
        if number in _VECTOR_MEMORY | _VECTOR_LANE_MEMORY:
            reader.skip_number()
            reader.skip_number()
        if number in (12, 13):
            reader.take(16)
        elif number in _VECTOR_LANE | _VECTOR_LANE_MEMORY:
            reader.take(1)
        elif number > 0x113:
            raise _unknown(0xFD00 | number)


def _unknown(opcode: int) -> Unlinkable:
    name = _REFUSED.get(opcode, "")
    text = f"'{name}'" if name else f"the instruction {opcode:#x}"
    return Unlinkable(f"{text} cannot be linked", name or "module", "write this part in C or LLVM IR")
