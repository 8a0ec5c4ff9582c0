"""The types and constants of a module: names, sizes and values.

Names are those of GLSL.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from . import opcodes as op
from .enumerants import ARRAY_STRIDE, MATRIX_STRIDE, OFFSET, ROW_MAJOR
from .module import last_string
from .operands import RESULTS, Instruction

ScalarValue = int | float | bool
POINTER_SIZE = 8
_BOOLEANS = {
    op.CONSTANT_TRUE: True,
    op.SPEC_CONSTANT_TRUE: True,
    op.CONSTANT_FALSE: False,
    op.SPEC_CONSTANT_FALSE: False,
}
_INTEGERS = {8: "int8_t", 16: "int16_t", 32: "int", 64: "int64_t"}
_FLOATS = {16: "float16_t", 32: "float", 64: "double"}
_PREFIXES = {"int": "i", "uint": "u", "bool": "b", "double": "d", "float": ""}
_FORMATS = {16: "<e", 32: "<f", 64: "<d"}
K = TypeVar("K")


class _Texts(Generic[K]):
    """Debug names by what they name, decoded on demand: a module has many, and few matter."""

    def __init__(self, at: int) -> None:
        self.words: dict[K, Instruction] = {}
        self._at = at

    def get(self, key: K, default: str = "") -> str:
        words = self.words.get(key)
        return default if words is None else last_string(words, self._at)


class Shapes:
    """Answers questions about the types and constants that a preamble defines.

    Shape: `members[type][index]` maps each decoration of a struct's member to its operands; `fields` has the
    member's name.
    """

    def __init__(self, preamble: Iterable[Instruction]) -> None:
        self.names = _Texts[int](2)
        self.fields = _Texts[tuple[int, int]](3)
        self.definitions: dict[int, Instruction] = {}
        self.decorations: dict[int, dict[int, tuple[int, ...]]] = {}
        self.members: dict[int, dict[int, dict[int, tuple[int, ...]]]] = {}
        self._ends: dict[int, int] = {}
        definitions, names = self.definitions, self.names.words
        for words in preamble:
            opcode = words[0] & 0xFFFF
            at = RESULTS.get(opcode)
            if at is not None:
                if at < len(words):
                    definitions[words[at]] = words
            elif opcode == op.NAME:
                names[words[1]] = words
            elif opcode == op.DECORATE:
                self.decorations.setdefault(words[1], {})[words[2]] = words[3:]
            elif opcode == op.MEMBER_DECORATE:
                marks = self.members.setdefault(words[1], {}).setdefault(words[2], {})
                marks[words[3]] = words[4:]
            elif opcode == op.MEMBER_NAME:
                self.fields.words[words[1], words[2]] = words

    def opcode(self, type_id: int) -> int:
        """Return the opcode that declares a type."""
        return self.definitions[type_id][0] & 0xFFFF

    def pointee(self, pointer: int) -> int:
        """Return the type that a pointer type points to."""
        return self.definitions[pointer][3]

    def element(self, type_id: int) -> tuple[int, int]:
        """Return a type without its array dimensions, and their number of elements; 0 means unbounded."""
        count = 1
        while self.opcode(type_id) in (op.TYPE_ARRAY, op.TYPE_RUNTIME_ARRAY):
            words = self.definitions[type_id]
            count *= self.length(type_id)
            type_id = words[2]
        return type_id, count

    def length(self, type_id: int) -> int:
        """Return how many elements an array type has; 0 if it is without bound."""
        words = self.definitions[type_id]
        return int(self.value(words[3]) or 0) if words[0] & 0xFFFF == op.TYPE_ARRAY else 0

    def value(self, constant: int) -> ScalarValue | None:
        """Return the value of a scalar constant, or the default of a specialisation constant."""
        words = self.definitions[constant]
        opcode = words[0] & 0xFFFF
        if opcode in _BOOLEANS:
            return _BOOLEANS[opcode]
        if opcode not in (op.CONSTANT, op.SPEC_CONSTANT):
            return None
        data = struct.pack(f"<{len(words) - 3}I", *words[3:])
        kind = self.definitions[words[1]]
        if kind[0] & 0xFFFF == op.TYPE_INT:
            return int.from_bytes(data[: max(kind[2] // 8, 1)], "little", signed=bool(kind[3]))
        number: float = struct.unpack(_FORMATS[kind[2]], data[: kind[2] // 8])[0]
        return number

    def components(self, composite: int) -> list[ScalarValue | None]:
        """Return the values of a constant composite's parts."""
        return [self.value(each) for each in self.definitions[composite][3:]]

    def name(self, type_id: int) -> str:
        """Return a type as it would be written in GLSL."""
        words = self.definitions[type_id]
        opcode = words[0] & 0xFFFF
        if opcode == op.TYPE_BOOL:
            return "bool"
        if opcode == op.TYPE_INT:
            return ("" if words[3] else "u") + _INTEGERS.get(words[2], f"int{words[2]}_t")
        if opcode == op.TYPE_FLOAT:
            return _FLOATS.get(words[2], f"float{words[2]}_t")
        if opcode == op.TYPE_VECTOR:
            return f"{self._prefix(words[2])}vec{words[3]}"
        if opcode == op.TYPE_MATRIX:
            rows = self.definitions[words[2]]
            shape = f"{words[3]}x{rows[3]}" if words[3] != rows[3] else f"{words[3]}"
            return f"{self._prefix(rows[2])}mat{shape}"
        if opcode in (op.TYPE_ARRAY, op.TYPE_RUNTIME_ARRAY):
            return f"{self.name(words[2])}[{self.length(type_id) or ''}]"
        return self.names.get(type_id) or op.INSTRUCTIONS[opcode][0].removeprefix("OpType").lower()

    def size(self, type_id: int, marks: Mapping[int, tuple[int, ...]] | None = None) -> int:
        """Return a type's size in a block, given the decorations of the member that has it.

        Units: bytes
        """
        words = self.definitions[type_id]
        opcode = words[0] & 0xFFFF
        if opcode in (op.TYPE_INT, op.TYPE_FLOAT):
            return words[2] // 8
        if opcode == op.TYPE_VECTOR:
            return words[3] * self.size(words[2])
        if opcode == op.TYPE_MATRIX:
            stride = (marks or {}).get(MATRIX_STRIDE, (self.size(words[2]),))[0]
            return stride * (self.definitions[words[2]][3] if ROW_MAJOR in (marks or {}) else words[3])
        if opcode == op.TYPE_ARRAY:
            stride = self.decorations.get(type_id, {}).get(ARRAY_STRIDE, (self.size(words[2], marks),))[0]
            return self.length(type_id) * stride
        if opcode == op.TYPE_STRUCT:
            return self._end(type_id, words[2:])
        return POINTER_SIZE if opcode == op.TYPE_POINTER else 0

    def _end(self, type_id: int, types: Iterable[int]) -> int:
        known = self._ends.get(type_id)
        if known is None:
            own = self.members.get(type_id, {})
            ends = (
                own.get(index, {}).get(OFFSET, (0,))[0] + self.size(each, own.get(index))
                for index, each in enumerate(types)
            )
            known = self._ends[type_id] = max(ends, default=0)
        return known

    def _prefix(self, scalar: int) -> str:
        name = self.name(scalar)
        if name in _PREFIXES:
            return _PREFIXES[name]
        return name.removesuffix("_t").replace("float", "f").replace("uint", "u").replace("int", "i")
