"""One variable for each name that the units of an entry point share, as in GLSL.

Each unit's variables are marked before modules are linked, and recognised afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from cratewright import LinkError

from ..binary import opcodes as op
from ..binary.contents import Contents, substituted, unify
from ..binary.enumerants import BINDING, OFFSET, RESTRICT, STREAM, XFB_BUFFER, XFB_STRIDE
from ..binary.module import Instruction, build, literal, parse, result, string
from ..binary.program import Program, reach
from ..binary.shapes import Shapes
from ..binary.signatures import misnamed
from ..compile.declared import MEMBERS, binding_place, block_of, block_type, resource_names, shared_name
from .built_in_inputs import with_common_inputs
from .qualified_outputs import with_qualified_outputs
from .reached import Reached, ReachedUnit, initialisers_of
from .stage_arrays import with_stage_arrays

__all__ = ["marked", "with_shared_globals"]

_MARK = "\x1f"
_IN_OUT = (" in", " out")
# Units also give these to outputs that are not captured.
_CAPTURE = (STREAM, XFB_BUFFER, XFB_STRIDE)


def marked(data: bytes, position: int, name: str) -> bytes:
    """Return a module whose variable names record their unit."""
    program = Program.of(parse(data, name))
    mark, variables = f"{_MARK}{position}", set(program.variables())
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


def with_shared_globals(program: Program, reached: Reached, units: Sequence[ReachedUnit]) -> Program:
    """Return a program of marked modules and one entry point with variables of the same name merged.

    Raises: LinkError naming both files for one name with different types or initialisers, and for one place to which
    different things are bound.
    """
    program = with_qualified_outputs(program, reached, units, _MARK)
    program = unify(with_stage_arrays(program, reached.entry, _unbounded(program, units)))
    program = with_common_inputs(program, reached.globals)
    found = _Found(program, reached, units)
    merged = {**dict(found.merged()), **dict(found.merged_blocks())}
    found.check_places(merged)
    found.check_order()
    program = _unrestricted(program, found.aliases())
    return _unmarked(substituted(program, merged) if merged else program)


class _Found:
    def __init__(self, program: Program, reached: Reached, units: Sequence[ReachedUnit]) -> None:
        self.program, self.reached, self.units = program, reached, units
        self.taking_part = {reached.own, *reached.units}
        self.strict, self.loose = Contents(program), Contents(program, loose=True)
        self.variables = program.variables()
        self.shapes = Shapes(program.preamble)

    def merged(self) -> Iterator[tuple[int, int]]:
        """Yield each variable to replace, and its replacement."""
        groups: dict[str, list[tuple[int, int]]] = {}
        for variable, position in self._marked():
            name = self._shared_name(variable, position)
            if name is not None and position in self.taking_part:
                groups.setdefault(name, []).append((variable, position))
        for name, group in groups.items():
            self._check_initialisers(name, [position for _, position in group])
            first, by = group[0]
            for variable, position in group[1:]:
                if self.variables[variable][1] == self.variables[first][1]:
                    yield variable, first
                elif {variable, first} <= set(self.reached.globals):
                    raise self._two_types(name, (first, by), (variable, position))

    def merged_blocks(self) -> Iterator[tuple[int, int]]:
        """Yield each block of built-in variables that another unit's can replace, and that other."""
        groups: dict[str, list[int]] = {}
        for variable, _ in self._marked():
            place = block_of(self.strict, self.variables[variable])
            if place and variable in self.reached.globals:
                groups.setdefault(place, []).append(variable)
        for group in groups.values():
            for widest in [each for each in group if all(self._covers(each, other) for other in group)][:1]:
                for each in group:
                    if self.variables[each][1] != self.variables[widest][1]:
                        yield each, widest

    def _covers(self, one: int, other: int) -> bool:
        """Return whether a block has all members of another, decorated as there, and arrays as long."""
        mine, theirs = (self._block(each) for each in (one, other))
        if len(mine[1]) != len(theirs[1]) or not mine[0] >= theirs[0]:
            return False
        return all(a == b or (a[0] == b[0] and a[1] >= b[1]) for a, b in zip(mine[1], theirs[1], strict=True))

    def _block(self, variable: int) -> tuple[set[tuple[int, ...]], list[tuple[str, int]]]:
        """Return the decorations of a block's members, and of each member its type and, of an array, its length."""
        shapes, number = self.shapes, self.strict.definitions[self.variables[variable][1]][3]
        outer: list[tuple[str, int]] = []
        if shapes.opcode(number) == op.TYPE_ARRAY:
            outer = [("", shapes.element(number)[1])]
            number = self.strict.definitions[number][2]
        marks = {words[2:] for words in self.strict.marks.get(number, ()) if words[0] & 0xFFFF == op.MEMBER_DECORATE}
        members = [shapes.element(each) for each in self.strict.definitions[number][2:]]
        return marks, [*outer, *((self.strict.digest(kind), length) for kind, length in members)]

    def check_places(self, merged: Collection[int]) -> None:
        """Raise LinkError for a place that two units bind to different things, except merged ones."""
        self._check_said("constant_id", "types or defaults", "or give one another constant_id")
        self._check_said("xfb_buffer", "strides", "or let one use another xfb_buffer")
        self._check_said("buffer_reference", "alignments", "or rename one")
        self._check_members()
        places: dict[str, list[tuple[int, int]]] = {}
        for variable, position in self._marked():
            words = self.variables[variable]
            marks = self.strict.decorations(variable)
            place = binding_place(words[3], marks) or block_of(self.strict, words)
            if not place or variable not in self.reached.globals or variable in merged:
                continue
            for other, by in (known := places.setdefault(place, [])):
                if by == position or self._bound(other) == self._bound(variable):
                    continue
                # Vulkan allows resources of different names to share a binding.
                if "binding" not in place or self._names(other) & self._names(variable):
                    raise self._two_types(place, (other, by), (variable, position))
            known.append((variable, position))

    def aliases(self) -> set[int]:
        """Return the resources that are one to the units, but stay several because access to them differs."""
        places: dict[str, list[tuple[int, int]]] = {}
        for variable, position in self._marked():
            marks = self.strict.decorations(variable)
            if BINDING in marks and variable in self.reached.globals:
                place = binding_place(self.variables[variable][3], marks)
                places.setdefault(place, []).append((variable, position))
        return {
            variable
            for group in places.values()
            if len({position for _, position in group}) > 1
            and len({self.strict.bound(variable) for variable, _ in group}) > 1
            for variable, _ in group
        }

    def check_order(self) -> None:
        """Raise LinkError for a variable that the entry point's unit sets after initialisers of another read it."""
        mine = self._initialised(self.reached.own)
        numbers = initialisers_of(self.program)
        names = {each: self._shared_name(each, position) for each, position in self._marked()} if mine else {}
        for at in sorted(self.reached.units) if mine else ():
            read = reach(self.program.graph(), *numbers.get(self.units[at].item.module.attribute("initialiser"), ()))
            for name in sorted({names.get(each) or "" for each in read} & mine - self._initialised(at)):
                raise LinkError(
                    f"initialisers of a library read `{name}` before entry point `{self.reached.entry.name}` sets it",
                    context=[*self._rows([at, self.reached.own])],
                    hint="initialise it in the library that reads it, or in a header that both include",
                )

    def _initialised(self, position: int) -> set[str]:
        return {name for name, value in self.units[position].implied.shared if value}

    def _marked(self) -> Iterator[tuple[int, int]]:
        for variable in self.variables:
            _, mark, position = self.strict.names.get(variable, "").rpartition(_MARK)
            if mark:
                yield variable, int(position)

    def _shared_name(self, variable: int, position: int) -> str | None:
        known = {name for name, _ in self.units[position].implied.shared}
        name = shared_name(self.variables[variable], self._name(variable))
        return name if name in known else None

    def _name(self, variable: int) -> str:
        own = self.strict.names.get(variable, "").rpartition(_MARK)[0]
        pointee = self.strict.definitions[self.variables[variable][1]][3]
        return own or self.strict.names.get(pointee, "")

    def _names(self, variable: int) -> set[str]:
        found = resource_names(self.strict, variable, self.variables[variable])
        return {name.partition(_MARK)[0] for name in found} - {""}

    def _check_initialisers(self, name: str, positions: Sequence[int]) -> None:
        values = [(dict(self.units[each].implied.shared)[name], each) for each in positions]
        given = [(value, each) for value, each in values if value]
        for value, each in given[1:]:
            if value != given[0][0] or value == "?":
                what = "by a value that is not constant" if "?" in (value, given[0][0]) else "differently"
                raise LinkError(
                    f"`{name}` is initialised {what} in two units of entry point `{self.reached.entry.name}`",
                    context=[*self._rows([given[0][1], each])],
                    hint="initialise it in one unit, or in all to the same constant",
                )

    def _bound(self, variable: int) -> str:
        """Return the digest of what is bound to a place; for a block, without unused capture decorations."""
        block = block_of(self.strict, self.variables[variable])
        captured = block and any(mark[1] == OFFSET for mark in self._block(variable)[0])
        return self.loose.bound(variable, but=() if captured or not block else _CAPTURE)

    def _check_said(self, kind: str, what: str, otherwise: str) -> None:
        """Raise LinkError for a place that two units declare differently."""
        known: dict[str, tuple[str, int]] = {}
        for at in sorted(self.taking_part):
            for place, digest in self.units[at].implied.placed:
                if place.startswith(kind):
                    value, by = known.setdefault(place, (digest, at))
                    if value != digest:
                        raise LinkError(
                            f"{place} has two {what} in entry point `{self.reached.entry.name}`",
                            context=[*self._rows([by, at])],
                            hint=f"declare it once, in a header that both include, {otherwise}",
                        )

    def _check_members(self) -> None:
        """Raise LinkError for a name that means two members of one block or variable."""
        known: dict[str, list[tuple[str, int]]] = {}
        for at in sorted(self.taking_part):
            for place, text in self.units[at].implied.placed:
                if not place.startswith(MEMBERS):
                    continue
                for other, by in known.setdefault(place, []):
                    if name := misnamed(other, text):
                        raise LinkError(
                            f"`{name}` is not the same member of {place.removeprefix(MEMBERS)} in two units of entry "
                            f"point `{self.reached.entry.name}`",
                            context=[*self._rows([by, at])],
                            hint="declare it once, in a header that both include",
                        )
                known[place].append((text, at))

    def _two_types(self, what: str, one: tuple[int, int], other: tuple[int, int]) -> LinkError:
        shapes = self.shapes
        rows: list[tuple[str, str]] = []
        for variable, position in (one, other):
            kind = shapes.name(shapes.pointee(self.variables[variable][1]))
            rows.append(("declared by", f"{self.units[position].shown}: {kind} {self._name(variable)}".rstrip()))
        name = what if what.endswith(_IN_OUT) or "=" in what or what == "push_constant" else f"`{what}`"
        return LinkError(
            f"{name} is declared differently by units of entry point `{self.reached.entry.name}`",
            context=[("image", self.program.module.name), *self._paths([one[1], other[1]]), *rows],
            hint="declare it once, in a header that both include, or rename one",
        )

    def _rows(self, positions: Sequence[int]) -> Iterator[tuple[str, str]]:
        yield "image", self.program.module.name
        yield from self._paths(positions)
        yield from (("declared by", self.units[each].shown) for each in positions)

    def _paths(self, positions: Sequence[int]) -> Iterator[tuple[str, str]]:
        yield from (("path", self.reached.units[each]) for each in positions if each in self.reached.units)


def _unbounded(program: Program, units: Sequence[ReachedUnit]) -> set[int]:
    """Return the variables of units that lack the layout their arrays depend on."""
    positions = {at for at, unit in enumerate(units) if unit.implied.unbounded}
    names = program.names() if positions else {}
    marks = {f"{_MARK}{at}" for at in positions}
    return {each for each in program.variables() if (name := names.get(each, ""))[name.find(_MARK) :] in marks}


def _unrestricted(program: Program, variables: Collection[int]) -> Program:
    """Return a program in which no access to these variables is promised to be the only one."""
    if not variables:
        return program
    definitions = {number: words for words in program.preamble if (number := result(words)) is not None}
    blocks = {block_type(definitions, words) for each, words in program.variables().items() if each in variables}
    preamble = [
        words
        for words in program.preamble
        if not (words[0] & 0xFFFF == op.DECORATE and words[1] in variables and words[2] == RESTRICT)
        and not (words[0] & 0xFFFF == op.MEMBER_DECORATE and words[1] in blocks and words[3] == RESTRICT)
    ]
    return replace(program, preamble=tuple(preamble))


def _unmarked(program: Program) -> Program:
    preamble: list[Instruction] = []
    for words in program.preamble:
        if words[0] & 0xFFFF == op.NAME:
            name, mark, _ = string(words, 2)[0].rpartition(_MARK)
            preamble.append(build(op.NAME, words[1], *literal(name)) if mark else words)
        else:
            preamble.append(words)
    return replace(program, preamble=tuple(preamble))


def _ends_names(words: Instruction) -> bool:
    opcode = words[0] & 0xFFFF
    if opcode in (op.DECORATE, op.MEMBER_DECORATE, op.DECORATE_ID, op.DECORATE_STRING, op.MODULE_PROCESSED):
        return True
    return result(words) is not None and opcode not in (op.EXT_INST_IMPORT, op.STRING)
