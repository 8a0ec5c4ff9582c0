"""Reads the debug information of a SPIR-V module: file, line, function and inlining of each instruction.

It reads `OpLine` and NonSemantic.Shader.DebugInfo.100, as the specifications define them, and refuses dangling
references.
"""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from .spirv_words import instructions, text_of

__all__ = ["Debugged", "Frame", "Statement", "Variable", "read"]

_STRING, _LINE, _NO_LINE, _IMPORT, _EXTENDED, _CONSTANT, _NAME = 7, 8, 317, 11, 12, 43, 5
_FUNCTION, _FUNCTION_END, _PARAMETER, _VARIABLE, _LABEL, _TYPE_FLOAT, _TYPE_INT = 54, 56, 55, 59, 248, 22, 21
_ENDS = frozenset({249, 250, 251, 252, 253, 254, 255, 4416, 5294})
_ARITHMETIC = range(126, 150)
_WITHOUT_RESULT = frozenset({5, 6, 8, 14, 15, 16, 17, 62, 63, 71, 72, 246, 247, 317, 332, 5632})

# Instruction numbers of the extended set.
_UNIT, _FUNCTION_SCOPE, _BLOCK, _SCOPE, _NO_SCOPE, _INLINED, _LOCAL = 1, 20, 21, 23, 24, 25, 26
_DECLARE, _VALUE, _SOURCE, _GLOBAL, _DEFINITION, _DEBUG_LINE, _DEBUG_NO_LINE = 28, 29, 35, 18, 101, 103, 104


@dataclass(frozen=True)
class Frame:
    """A place in a source; `function` is None if it is not known."""

    file: str
    line: int
    function: str | None


@dataclass(frozen=True)
class Statement:
    """An instruction in a function, the floating-point constants it uses, and its origin.

    Shape: `place` is None if it is not known; `callers` go outwards from inlined code, each with the line of the call.
    """

    words: tuple[int, ...]
    constants: tuple[float, ...]
    place: Frame | None
    callers: tuple[Frame, ...]


@dataclass(frozen=True)
class Variable:
    """A source variable of a function, or of the module if `function` is None."""

    name: str
    function: str | None
    file: str
    line: int


@dataclass
class Debugged:
    """The debug information of a module."""

    statements: list[Statement] = field(default_factory=list)
    sources: dict[str, str | None] = field(default_factory=dict)
    functions: dict[str, Frame] = field(default_factory=dict)
    variables: set[Variable] = field(default_factory=set)
    kinds: list[int] = field(default_factory=list)

    def using(self, constant: float) -> list[Statement]:
        """Return the statements that use a constant."""
        return [each for each in self.statements if constant in each.constants]


def read(data: bytes) -> Debugged:
    """Return the debug information of a module.

    Raises: AssertionError for a dangling reference, or a place that its source does not have.
    """
    return _Reader(data).run()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.all = list(instructions(data))
        self.found = Debugged()
        self.strings: dict[int, str] = {}
        self.sets: set[int] = set()
        self.numbers: dict[int, int] = {}
        self.floats: dict[int, float] = {}
        self.debug: dict[int, tuple[int, ...]] = {}
        self.defined: set[int] = set()
        float_types: set[int] = set()
        number_types: set[int] = set()
        for words in self.all:
            opcode = words[0] & 0xFFFF
            if opcode in (_STRING, _IMPORT):
                self.strings[words[1]] = text_of(words[2:])
                if opcode == _IMPORT and self.strings[words[1]].startswith("NonSemantic.Shader.DebugInfo"):
                    self.sets.add(words[1])
            elif opcode == _TYPE_FLOAT and words[2] == 32:
                float_types.add(words[1])
            elif opcode == _TYPE_INT and words[2] == 32:
                number_types.add(words[1])
            elif opcode == _CONSTANT and words[1] in number_types:
                self.numbers[words[2]] = words[3]
            elif opcode == _CONSTANT and words[1] in float_types:
                self.floats[words[2]] = struct.unpack("<f", struct.pack("<I", words[3]))[0]
            elif opcode == _EXTENDED and words[3] in self.sets:
                self.debug[words[2]] = words
            if opcode not in _WITHOUT_RESULT and len(words) > 1:
                self.defined.update(words[1:3])

        self.lines = {
            self._file(words[2]): self.strings[words[6]].count("\n") + 1
            for words in self.debug.values()
            if words[4] == _SOURCE and len(words) > 6
        }

    def run(self) -> Debugged:
        for words in self.debug.values():
            self._describe(words)
        place: Frame | None = None
        scope: tuple[int, int] | None = None
        inside = False
        for words in self.all:
            opcode = words[0] & 0xFFFF
            if opcode == _FUNCTION:
                inside, scope = True, None
            elif opcode == _FUNCTION_END:
                inside, place = False, None
            elif opcode == _LINE:
                place = self._checked(self.strings[words[1]], words[2])
            elif opcode in (_NO_LINE, _LABEL):
                place = None
                scope = None if opcode == _LABEL else scope
            elif opcode == _EXTENDED and words[3] in self.sets:
                if inside:
                    if words[4] == _SCOPE:
                        scope = (words[5], words[6] if len(words) > 6 else 0)
                    elif words[4] == _NO_SCOPE:
                        scope = None
                    elif words[4] == _DEBUG_LINE:
                        place = self._checked(self._file(words[5]), self.numbers[words[6]])
                    elif words[4] == _DEBUG_NO_LINE:
                        place = None
                    elif words[4] in (_DECLARE, _VALUE):
                        self._hold(words)
                continue
            elif inside and opcode not in (_VARIABLE, _PARAMETER):
                self.found.statements.append(self._statement(words, place, scope))
            if opcode in _ENDS:
                place = scope = None
        return self.found

    def _statement(self, words: tuple[int, ...], place: Frame | None, scope: tuple[int, int] | None) -> Statement:
        operands = words[3:] if words[0] & 0xFFFF in _ARITHMETIC else ()
        constants = tuple(self.floats[word] for word in operands if word in self.floats)
        if place is None or scope is None:
            return Statement(words, constants, place, ())
        here = Frame(place.file, place.line, self._function(scope[0]))
        return Statement(words, constants, here, tuple(self._callers(scope[1])))

    def _callers(self, inlined: int) -> Iterator[Frame]:
        seen = set[int]()
        while inlined:
            words = self.debug[inlined]
            assert words[4] == _INLINED and inlined not in seen, (
                f"{inlined} is not a DebugInlinedAt, or part of a cycle"
            )
            seen.add(inlined)
            file = self._file(self.debug[words[6]][7 if self.debug[words[6]][4] == _FUNCTION_SCOPE else 5])
            checked = self._checked(file, self.numbers[words[5]])
            yield Frame(checked.file, checked.line, self._function(words[6]))
            inlined = words[7] if len(words) > 7 else 0

    def _describe(self, words: tuple[int, ...]) -> None:
        kind = words[4]
        self.found.kinds.append(kind)
        missing = [each for each in words[5:] if each not in self.defined]
        assert not missing, f"{words} refers to {missing}, which is not defined"
        if kind == _SOURCE:
            file = self._file(words[2])
            assert not posixpath.isabs(file) and "\\" not in file and file, f"'{file}' is not a path below the root"
            assert file not in self.found.sources, f"{file} is described twice"
            self.found.sources[file] = self.strings[words[6]] if len(words) > 6 else None
        elif kind == _UNIT:
            self._file(words[7])
        elif kind == _FUNCTION_SCOPE:
            place = self._checked(self._file(words[7]), self.numbers[words[8]])
            name = self.strings[words[5]]
            self.found.functions[name] = Frame(place.file, place.line, name)
        elif kind == _GLOBAL:
            self.found.variables.add(
                Variable(self.strings[words[5]], None, self._file(words[7]), self.numbers[words[8]])
            )

    def _hold(self, words: tuple[int, ...]) -> None:
        local = self.debug[words[5]]
        assert local[4] == _LOCAL, f"{words} declares no variable"
        assert words[6] in self.defined, f"{words} refers to an undefined id"
        function = self._function(local[10])
        self.found.variables.add(
            Variable(self.strings[local[5]], function, self._file(local[7]), self.numbers[local[8]])
        )

    def _function(self, scope: int) -> str | None:
        words = self.debug[scope]
        while words[4] == _BLOCK:
            words = self.debug[words[8]]
        return self.strings[words[5]] if words[4] == _FUNCTION_SCOPE else None

    def _file(self, source: int) -> str:
        words = self.debug[source]
        assert words[4] == _SOURCE, f"{words} is not a source"
        return self.strings[words[5]]

    def _checked(self, file: str, line: int) -> Frame:
        count = self.lines.get(file)
        assert count is None or 0 < line <= count, f"{file} has no line {line}"
        return Frame(file, line, None)
