"""What a module's types and constants mean, whatever their ids; equal ones can be found and merged."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from cratewright import value_digest

from . import enumerants as spv
from . import opcodes as op
from .module import result, string
from .operands import Instruction
from .program import Program

# Units may differ in these.
_ACCESS = frozenset(
    {
        spv.LINKAGE_ATTRIBUTES,
        spv.RELAXED_PRECISION,
        spv.RESTRICT,
        spv.ALIASED,
        spv.VOLATILE,
        spv.COHERENT,
        spv.NON_WRITABLE,
        spv.NON_READABLE,
    }
)
_TYPES = frozenset(
    {*range(op.TYPE_VOID, op.TYPE_FUNCTION + 1), op.TYPE_ACCELERATION_STRUCTURE_KHR, op.TYPE_RAY_QUERY_KHR}
)
_CONSTANTS = frozenset(
    {
        op.CONSTANT, op.CONSTANT_TRUE, op.CONSTANT_FALSE, op.CONSTANT_COMPOSITE, op.CONSTANT_NULL,
        op.SPEC_CONSTANT, op.SPEC_CONSTANT_TRUE, op.SPEC_CONSTANT_FALSE, op.SPEC_CONSTANT_COMPOSITE,
        op.SPEC_CONSTANT_OP,
    }
)  # fmt: skip
_MARKS = frozenset({op.DECORATE, op.MEMBER_DECORATE, op.DECORATE_ID})
_ANNOTATIONS = _MARKS | {op.NAME, op.MEMBER_NAME, op.DECORATE_STRING, op.MEMBER_DECORATE_STRING}


class Contents:
    """Digests of the types and constants of a preamble.

    Shape: one digest in two modules means one declaration, down to layout and the names of structs; a pointer that is
    declared ahead of its struct goes by the struct's name. A `loose` digest ignores precision and access.
    """

    def __init__(self, program: Program, *, loose: bool = False) -> None:
        self._module = program.module
        self._ignored = _ACCESS if loose else frozenset({spv.LINKAGE_ATTRIBUTES})
        self.definitions: dict[int, Instruction] = {}
        self.marks: dict[int, list[Instruction]] = {}
        self.names: dict[int, str] = {}
        self.forward: set[int] = set()
        self._known: dict[int, str] = {}
        for words in program.preamble:
            opcode = words[0] & 0xFFFF
            if opcode in _MARKS:
                self.marks.setdefault(words[1], []).append(words)
            elif opcode == op.NAME:
                self.names[words[1]] = string(words, 2)[0]
            elif opcode == op.TYPE_FORWARD_POINTER:
                self.forward.add(words[1])
            elif (defined := result(words)) is not None:
                self.definitions[defined] = words

    def digest(self, number: int) -> str:
        """Return the digest of a type or a constant."""
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = value_digest(self._content(number))[:16]
        return known

    def bound(self, variable: int, *, but: Collection[int] = ()) -> str:
        """Return the digest of a variable's type and decorations, `but` some of these."""
        marks = [each for each in self._declares(variable) if each[1] not in but]
        return value_digest((self.digest(self.definitions[variable][1]), tuple(marks)))[:16]

    def decorations(self, number: int) -> dict[int, tuple[int, ...]]:
        """Return the operands of something's own decorations, by decoration."""
        return {words[2]: words[3:] for words in self.marks.get(number, ()) if words[0] & 0xFFFF == op.DECORATE}

    def _declares(self, number: int) -> Iterator[tuple[int, ...]]:
        """Yield the decorations of something in an order that depends on their content only."""
        yield from sorted(
            (words[0], *words[2:])
            for words in self.marks.get(number, ())
            if words[2 + (words[0] & 0xFFFF == op.MEMBER_DECORATE)] not in self._ignored
        )

    def _content(self, number: int) -> tuple[object, ...]:
        words = self.definitions[number]
        opcode = words[0] & 0xFFFF
        if number in self.forward:
            return ("ahead", words[2], self.names.get(words[3], ""))
        at = op.INSTRUCTIONS[opcode][1].index("R") + 1
        used = set(self._module.ids(words))
        parts = [
            self.digest(word) if index in used else word for index, word in enumerate(words) if index not in (0, at)
        ]
        name = self.names.get(number, "") if opcode == op.TYPE_STRUCT else ""
        return (opcode, name, tuple(parts), tuple(self._declares(number)))


def unify(program: Program) -> Program:
    """Return the program with equal types and constants merged."""
    contents = Contents(program)
    first: dict[str, int] = {}
    merged: dict[int, int] = {}
    for number, words in contents.definitions.items():
        if words[0] & 0xFFFF in (*_TYPES, *_CONSTANTS) and number not in contents.forward:
            kept = first.setdefault(contents.digest(number), number)
            if kept != number:
                merged[number] = kept
    return substituted(program, merged) if merged else program


def substituted(program: Program, merged: dict[int, int]) -> Program:
    """Return the program with some global ids replaced, without their definitions and descriptions."""
    rewrite = program.module.rewrite
    preamble = [
        rewrite(words, merged)
        for words in program.preamble
        if result(words) not in merged and not (words[0] & 0xFFFF in _ANNOTATIONS and words[1] in merged)
    ]
    functions = {
        function: tuple([rewrite(words, merged) for words in body]) for function, body in program.functions.items()
    }
    return replace(program, preamble=tuple(preamble), functions=functions)
