"""Variables of a linked program with the units that they come from.

Each unit's variables are marked before modules are linked, and recognised afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cratewright import LinkError

from ..binary import opcodes as op
from ..binary.bindings import block_of, resource_names, shared_name
from ..binary.contents import Contents
from ..binary.enumerants import OFFSET, STREAM, XFB_BUFFER, XFB_STRIDE
from ..binary.module import build, literal, parse, result, string
from ..binary.operands import Instruction
from ..binary.program import Program
from ..binary.shapes import Shapes
from .reached import Reached, ReachedUnit

MARK = "\x1f"
_IN_OUT = (" in", " out")
# Units also give these to outputs that are not captured.
_CAPTURE = (STREAM, XFB_BUFFER, XFB_STRIDE)


def marked(data: bytes, position: int, name: str) -> bytes:
    """Return a module whose variable names record their unit."""
    program = Program.of(parse(data, name))
    mark, variables = f"{MARK}{position}", set(program.variables())
    names: list[Instruction] = []
    for words in program.preamble:
        if words[0] & 0xFFFF == op.NAME and words[1] in variables:
            variables.discard(words[1])
            names.append(build(op.NAME, words[1], *literal(string(words, 2)[0] + mark)))
    names += [build(op.NAME, each, *literal(mark)) for each in sorted(variables)]
    known = {words[1] for words in names}
    preamble = [words for words in program.preamble if not (words[0] & 0xFFFF == op.NAME and words[1] in known)]
    at = next((index for index, words in enumerate(preamble) if _ends_names(words)), len(preamble))
    preamble[at:at] = names
    return replace(program, preamble=tuple(preamble)).encode()


def unmarked(program: Program) -> Program:
    """Return a program without these marks."""
    preamble: list[Instruction] = []
    for words in program.preamble:
        if words[0] & 0xFFFF == op.NAME:
            name, mark, _ = string(words, 2)[0].rpartition(MARK)
            preamble.append(build(op.NAME, words[1], *literal(name)) if mark else words)
        else:
            preamble.append(words)
    return replace(program, preamble=tuple(preamble))


class UnitVariables:
    """The global variables of a program of marked modules and one entry point."""

    def __init__(self, program: Program, reached: Reached, units: Sequence[ReachedUnit]) -> None:
        self.program, self.reached, self.units = program, reached, units
        self.taking_part = {reached.own, *reached.units}
        self.strict, self.loose = Contents(program), Contents(program, loose=True)
        self.variables = program.variables()
        self.shapes = Shapes(program.preamble)

    def marked(self) -> Iterator[tuple[int, int]]:
        """Yield each marked variable, and the position of its unit."""
        for variable in self.variables:
            _, mark, position = self.strict.names.get(variable, "").rpartition(MARK)
            if mark:
                yield variable, int(position)

    def shared_name(self, variable: int, position: int) -> str | None:
        """Return the name under which a unit shares a variable, None if it does not."""
        known = {name for name, _ in self.units[position].implied.shared}
        name = shared_name(self.variables[variable], self.name_of(variable))
        return name if name in known else None

    def name_of(self, variable: int) -> str:
        """Return the name of a variable or of its block."""
        own = self.strict.names.get(variable, "").rpartition(MARK)[0]
        pointee = self.strict.definitions[self.variables[variable][1]][3]
        return own or self.strict.names.get(pointee, "")

    def names_of(self, variable: int) -> set[str]:
        """Return the names by which units may know a variable."""
        found = resource_names(self.strict, variable, self.variables[variable])
        return {name.partition(MARK)[0] for name in found} - {""}

    def initialised(self, position: int) -> set[str]:
        """Return the names of the shared variables that a unit initialises."""
        return {name for name, value in self.units[position].implied.shared if value}

    def bound(self, variable: int) -> str:
        """Return the digest of what is bound to a slot; for a block, without unused capture decorations."""
        block = block_of(self.strict, self.variables[variable])
        captured = block and any(mark[1] == OFFSET for mark in self.block_of(variable)[0])
        return self.loose.bound(variable, but=() if captured or not block else _CAPTURE)

    def block_of(self, variable: int) -> tuple[set[tuple[int, ...]], list[tuple[str, int]]]:
        """Return the decorations of a block's members, and of each member its type and, of an array, its length."""
        shapes, number = self.shapes, self.strict.definitions[self.variables[variable][1]][3]
        outer: list[tuple[str, int]] = []
        if shapes.opcode(number) == op.TYPE_ARRAY:
            outer = [("", shapes.element(number)[1])]
            number = self.strict.definitions[number][2]
        marks = {words[2:] for words in self.strict.marks.get(number, ()) if words[0] & 0xFFFF == op.MEMBER_DECORATE}
        members = [shapes.element(each) for each in self.strict.definitions[number][2:]]
        return marks, [*outer, *((self.strict.digest(kind), length) for kind, length in members)]

    def two_types(self, what: str, one: tuple[int, int], other: tuple[int, int]) -> LinkError:
        """Return the error about something that two units declare differently."""
        shapes = self.shapes
        rows: list[tuple[str, str]] = []
        for variable, position in (one, other):
            kind = shapes.name(shapes.pointee(self.variables[variable][1]))
            rows.append(("declared by", f"{self.units[position].shown}: {kind} {self.name_of(variable)}".rstrip()))
        name = what if what.endswith(_IN_OUT) or "=" in what or what == "push_constant" else f"`{what}`"
        return LinkError(
            f"{name} is declared differently by units of entry point `{self.reached.entry.name}`",
            context=[("image", self.program.module.name), *self.paths([one[1], other[1]]), *rows],
            hint="declare it once, in a header that both include, or rename one",
        )

    def rows(self, positions: Sequence[int]) -> Iterator[tuple[str, str]]:
        """Yield the context of an error about some units."""
        yield "image", self.program.module.name
        yield from self.paths(positions)
        yield from (("declared by", self.units[each].shown) for each in positions)

    def paths(self, positions: Sequence[int]) -> Iterator[tuple[str, str]]:
        """Yield the calls that lead to units."""
        yield from (("path", self.reached.units[each]) for each in positions if each in self.reached.units)


def _ends_names(words: Instruction) -> bool:
    opcode = words[0] & 0xFFFF
    if opcode in (op.DECORATE, op.MEMBER_DECORATE, op.DECORATE_ID, op.DECORATE_STRING, op.MODULE_PROCESSED):
        return True
    return result(words) is not None and opcode not in (op.EXT_INST_IMPORT, op.STRING)
