"""A module's NonSemantic.Shader.DebugInfo by id, and new instructions for it."""

from __future__ import annotations

from ..binary import opcodes as op
from ..binary.debug_info import (
    DEBUG_COMPILATION_UNIT,
    DEBUG_LINE,
    DEBUG_SOURCE,
    is_debug_set,
)
from ..binary.module import build, literal, string
from ..binary.operands import Instruction
from ..binary.program import Program

_WIDTH = 32

DebugLine = tuple[int, int]
"""The id of a source in debug information, and a line."""


class DebugTables:
    """What a module's debug information says, and what is added to it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.bound = program.module.bound
        self.set = self.void = self.number_type = self.unit = 0
        self.strings: dict[int, str] = {}
        self.constants: dict[int, int] = {}
        self.values: dict[int, int] = {}
        self.sources: dict[str, int] = {}
        self.repeated: dict[int, int] = {}
        self.debug: dict[int, Instruction] = {}
        self.counts: set[int] = set()
        self.defined: set[int] = set(program.functions)
        self.entries = {entry.function for entry in program.entries()}
        self.new_strings: list[Instruction] = []
        self.new_first: list[Instruction] = []
        self.new_last: list[Instruction] = []
        self._read()

    def _read(self) -> None:
        for words in self.program.preamble:
            opcode = words[0] & 0xFFFF
            if is_debug_set(words):
                self.set = words[1]
            elif opcode == op.STRING:
                self.strings[words[1]] = string(words, 2)[0]
            elif opcode == op.TYPE_VOID:
                self.void = words[1]
            elif opcode == op.TYPE_INT and words[2:] == (_WIDTH, 0):
                self.number_type = words[1]
            if opcode == op.CONSTANT:
                self.counts.add(words[2])
            if opcode == op.CONSTANT and words[1] == self.number_type:
                self.constants.setdefault(words[3], words[2])
                self.values[words[2]] = words[3]
            elif opcode == op.EXT_INST and words[3] == self.set:
                self.debug[words[2]] = words
                if words[4] == DEBUG_SOURCE:
                    first = self.sources.setdefault(self.strings.get(words[5], ""), words[2])
                    self.repeated |= {words[2]: first} if first != words[2] else {}
                elif words[4] == DEBUG_COMPILATION_UNIT and not self.unit:
                    self.unit = words[2]

    def is_kind(self, words: Instruction, kind: int) -> bool:
        """Return whether an instruction is one of the set, of some kind."""
        return words[0] & 0xFFFF == op.EXT_INST and words[3] == self.set and words[4] == kind

    def line(self, at: DebugLine) -> Instruction:
        """Return a new instruction that begins a line."""
        line, column = self.constant(at[1]), self.constant(0)
        return self.instruction(DEBUG_LINE, at[0], line, line, column, column)

    def instruction(self, kind: int, *operands: int) -> Instruction:
        """Return a new instruction of the set."""
        return build(op.EXT_INST, self.void, self.number(), self.set, kind, *operands)

    def source(self, file: str) -> int:
        """Return the id of a source, new if there was none."""
        if file not in self.sources:
            words = self.instruction(DEBUG_SOURCE, self.string(file))
            self.new_first.append(words)
            self.sources[file] = words[2]
        return self.sources[file]

    def string(self, text: str) -> int:
        """Return the id of a string, new if there was none."""
        for number, known in self.strings.items():
            if known == text:
                return number
        number = self.number()
        self.strings[number] = text
        self.new_strings.append(build(op.STRING, number, *literal(text)))
        return number

    def constant(self, value: int) -> int:
        """Return the id of a constant, new if there was none."""
        if value not in self.constants:
            self.constants[value] = self.number()
            self.values[self.constants[value]] = value
        return self.constants[value]

    def number(self) -> int:
        """Return a new id."""
        self.bound += 1
        return self.bound - 1
