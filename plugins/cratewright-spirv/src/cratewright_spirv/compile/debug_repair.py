"""Repairs compilers' NonSemantic.Shader.DebugInfo, so that each function, line and scope has a place.

glslang 13 gives functions a place only by `OpLine`, and parameters none. Code that initialises variables before an
entry point runs belongs to no function, and types that a compiler cannot describe are left undefined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..binary import opcodes as op
from ..binary.contents import substituted
from ..binary.debug_info import (
    DEBUG_FUNCTION,
    DEBUG_FUNCTION_DEFINITION,
    DEBUG_LINE,
    DEBUG_LOCAL_VARIABLE,
    DEBUG_NO_LINE,
    DEBUG_NO_SCOPE,
    DEBUG_SCOPE,
    DEBUG_SOURCE,
    DEBUG_TYPE_ARRAY,
    DEBUG_TYPE_BASIC,
    DEBUG_TYPE_FUNCTION,
    SET_NAME,
)
from ..binary.module import build, parse
from ..binary.operands import RESULTS, Instruction
from ..binary.program import Program
from ..compilers.keep_uncalled import FIRST_LINE
from .debug_tables import DebugLine, DebugTables

_PUBLIC = 3
# Operands with a place: the source, then line and column.
_PLACE_AT = 7
_PARENT_AT = 10
_PARAMETER_AT = 12
_SCOPE_LINE_AT = 13

_BEFORE_STRINGS = frozenset({op.CAPABILITY, op.EXTENSION, op.EXT_INST_IMPORT, op.MEMORY_MODEL, op.ENTRY_POINT})
_BEFORE_STRINGS |= {op.EXECUTION_MODE, op.EXECUTION_MODE_ID}


def repair_compiler_debug_info(data: bytes, *, initialiser: str = "") -> bytes:
    """Return a compiler's module with its debug information repaired, if it has any.

    Shape: `initialiser` is the name for an entry point that only sets variables, if it does.
    """
    if SET_NAME.encode() not in data:
        return data
    repair = _Repair(Program.of(parse(data, "module")))
    if repair.repeated:
        repair = _Repair(substituted(repair.program, repair.repeated))
    return repair.run(initialiser).encode() if repair.unit else data


class _Repair(DebugTables):
    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.places: dict[int, DebugLine] = {}

    def run(self, initialiser: str) -> Program:
        functions = {
            function: tuple(self._once(self._body(function, body, initialiser if function in self.entries else "")))
            for function, body in self.program.functions.items()
        }
        preamble = tuple(self._preamble())
        return replace(
            self.program,
            module=replace(self.program.module, bound=self.bound),
            preamble=preamble,
            functions=functions,
        )

    def _body(self, function: int, body: tuple[Instruction, ...], initialiser: str) -> Iterator[Instruction]:
        """Yield a function with its definition first, then its scope and line, and lines of one kind."""
        start = next(at for at, words in enumerate(body) if words[0] & 0xFFFF == op.FUNCTION)
        described = next((words[5] for words in body if self.is_kind(words, DEBUG_FUNCTION_DEFINITION)), 0)
        label = next((at for at, words in enumerate(body) if words[0] & 0xFFFF == op.LABEL), 0)
        if not label:
            yield from body[start:]
            return
        place = self._place(body, described, initialiser)
        described = described or self._new_function(function, place)
        self._name(described, initialiser, place)
        yield from (words for words in body[start : label + 1] if words[0] & 0xFFFF not in (op.LINE, op.NO_LINE))
        rest = list(body[label + 1 :])
        first = [words for words in rest if words[0] & 0xFFFF == op.VARIABLE]
        yield from first
        yield self.instruction(DEBUG_FUNCTION_DEFINITION, described, function)
        yield self.instruction(DEBUG_SCOPE, described)
        if place is not None:
            yield self.line(place)
        for words in rest:
            opcode = words[0] & 0xFFFF
            if opcode == op.LINE:
                source = self.source(self.strings.get(words[1], ""))
                yield self.line((source, words[2]))
            elif opcode == op.NO_LINE:
                yield self.instruction(DEBUG_NO_LINE)
            elif self.is_kind(words, DEBUG_LINE) and place is not None and self._is_nowhere(words, initialiser):
                yield self.line(place)
            elif self.is_kind(words, DEBUG_SCOPE) and words[5] == self.unit:
                yield self.instruction(DEBUG_SCOPE, described, *words[6:])
            elif opcode != op.VARIABLE and not self.is_kind(words, DEBUG_FUNCTION_DEFINITION):
                yield words

    def _once(self, body: Iterable[Instruction]) -> Iterator[Instruction]:
        """Yield a function without redundant scopes and lines."""
        scope = line = Instruction()
        for words in body:
            if words[0] & 0xFFFF == op.LABEL:
                scope = line = Instruction()
            elif self.is_kind(words, DEBUG_SCOPE):
                if words[5:] == scope:
                    continue
                scope = words[5:]
            elif self.is_kind(words, DEBUG_LINE):
                if words[5:] == line:
                    continue
                line = words[5:]
            elif (
                words[0] & 0xFFFF == op.EXT_INST
                and words[3] == self.set
                and words[4] in (DEBUG_NO_SCOPE, DEBUG_NO_LINE)
            ):
                scope = line = Instruction()
            yield words

    def _place(self, body: Iterable[Instruction], described: int, initialiser: str) -> DebugLine | None:
        """Return where a function begins: as `OpLine` says, as its description does, or where its first line is.

        Shape: glslang 13 has `OpLine`; its descriptions have no line, or an include's in the source's own file.
        """
        if not initialiser:
            for words in body:
                if words[0] & 0xFFFF == op.LINE:
                    return self.source(self.strings.get(words[1], "")), words[2]
                if words[0] & 0xFFFF == op.FUNCTION:
                    break
            if described and (line := self.values.get(self.debug[described][_PLACE_AT + 1], 0)):
                return self.debug[described][_PLACE_AT], line
        for words in body:
            if self.is_kind(words, DEBUG_LINE) and not self._is_nowhere(words, initialiser):
                return words[5], self.values[words[6]]
        return None

    def _is_nowhere(self, words: Instruction, initialiser: str) -> bool:
        """Return whether a line is not from the source: it belongs to parameters, or to an added entry point."""
        line = self.values.get(words[6], 0)
        return line == 0 or bool(initialiser and line >= FIRST_LINE - 1)

    def _name(self, described: int, initialiser: str, place: DebugLine | None) -> None:
        words = list(self.debug[described])
        if initialiser:
            words[5] = words[11] = self.string(initialiser)
        if place is not None:
            self.places[described] = place
            words[_PLACE_AT], words[_PLACE_AT + 1] = place[0], self.constant(place[1])
            words[_SCOPE_LINE_AT] = words[_PLACE_AT + 1]
        self.debug[described] = tuple(words)

    def _new_function(self, function: int, place: DebugLine | None) -> int:
        """Describe a function that the compiler has added, such as the entry point around that of HLSL."""
        name = self.string(self.program.names().get(function, "main").partition("(")[0])
        kind = self.instruction(DEBUG_TYPE_FUNCTION, self.constant(_PUBLIC), self.void)
        source, zero = (place or (self.debug[self.unit][_PLACE_AT], 0))[0], self.constant(0)
        described = self.instruction(
            DEBUG_FUNCTION, name, kind[2], source, zero, zero, self.unit, name, self.constant(_PUBLIC), zero
        )
        self.new_last += [kind, described]
        self.debug |= {kind[2]: kind, described[2]: described}
        return described[2]

    def _preamble(self) -> Iterator[Instruction]:
        """Yield the preamble, with the constants for line numbers before their uses."""
        self.debug = {number: self._placed(words) for number, words in self.debug.items()}
        last = [self.debug[words[2]] for words in self.new_last]
        self.defined.update(*(self.strings, self.constants.values(), self.sources.values()), self.debug)
        for words in self.program.preamble:
            if (at := RESULTS.get(words[0] & 0xFFFF)) is not None:
                self.defined.add(words[at])
        self.constant(0)
        substitute = self._substitute()
        numbers = (build(op.CONSTANT, self.number_type, each, value) for value, each in self.constants.items())
        sources = [words for words in self.debug.values() if words[4] == DEBUG_SOURCE]
        first = [*numbers, *sources, *self.new_first]
        seen: set[int] = set()
        for words in self.program.preamble:
            opcode = words[0] & 0xFFFF
            if self.new_strings and opcode not in _BEFORE_STRINGS:
                yield from self.new_strings
                self.new_strings = []
            if opcode == op.EXT_INST and words[3] == self.set:
                if words[4] != DEBUG_SOURCE:
                    yield self._described(self.debug[words[2]], substitute)
            elif opcode != op.CONSTANT or self.constants.get(words[3]) != words[2]:
                yield words
            seen |= {words[1]} if opcode in (op.TYPE_VOID, op.TYPE_INT) else set()
            if first and {self.void, self.number_type} <= seen:
                yield from first
                first = []
        yield from last

    def _described(self, words: Instruction, substitute: int) -> Instruction:
        """Return an instruction with a stand-in for undescribed types, and constant counts."""
        if words[4] == DEBUG_TYPE_ARRAY:
            # The size of an array that a specialisation constant decides is unknown.
            words = (*words[:6], *(each if each in self.counts else self.constant(0) for each in words[6:]))
        if not substitute:
            return words
        return (*words[:5], *(each if each in self.defined else substitute for each in words[5:]))

    def _placed(self, words: Instruction) -> Instruction:
        """Give the description of a parameter its function's place if it has no line or another file."""
        if words[4] != DEBUG_LOCAL_VARIABLE or len(words) <= _PARAMETER_AT:
            return words
        place = self.places.get(words[_PARENT_AT])
        if place is None or (words[_PLACE_AT] == place[0] and self.values.get(words[_PLACE_AT + 1], 1)):
            return words
        return (*words[:_PLACE_AT], place[0], self.constant(place[1]), *words[_PLACE_AT + 2 :])

    def _substitute(self) -> int:
        """Return the id of the stand-in for undescribed types, 0 if all are described."""
        if all(each in self.defined for words in self.debug.values() for each in words[5:]):
            return 0
        zero = self.constant(0)
        text = self.string("a type that the compiler does not describe")
        self.defined.add(text)
        words = self.instruction(DEBUG_TYPE_BASIC, text, zero, zero, zero)
        self.new_first.append(words)
        self.defined |= {words[2], zero}
        return words[2]
