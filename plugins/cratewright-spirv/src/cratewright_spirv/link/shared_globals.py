"""One variable for each name that the units of an entry point share, as in GLSL; units that disagree are refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from cratewright import LinkError

from ..base.implied import MEMBERS
from ..binary import opcodes as op
from ..binary.bindings import block_of, block_type, slot_of
from ..binary.contents import substituted, unify
from ..binary.enumerants import BINDING, RESTRICT
from ..binary.module import result
from ..binary.program import Program, reach
from ..binary.signatures import misnamed
from .built_in_inputs import with_common_inputs
from .qualified_outputs import with_qualified_outputs
from .reached import Reached, ReachedUnit, initialisers_of
from .stage_arrays import with_stage_arrays
from .unit_variables import MARK, UnitVariables, unmarked


def with_shared_globals(program: Program, reached: Reached, units: Sequence[ReachedUnit]) -> Program:
    """Return a program of marked modules and one entry point with variables of the same name merged.

    Raises: LinkError naming both files for one name with different types or initialisers, and for one slot to which
    different things are bound.
    """
    program = with_qualified_outputs(program, reached, units, MARK)
    program = unify(with_stage_arrays(program, reached.entry, _unbounded(program, units)))
    program = with_common_inputs(program, reached.globals)
    found = UnitVariables(program, reached, units)
    merging = _Merging(found)
    merged = {**dict(merging.merged()), **dict(merging.merged_blocks())}
    _check_slots(found, merged)
    _check_order(found)
    program = _unrestricted(program, merging.aliases())
    return unmarked(substituted(program, merged) if merged else program)


class _Merging:
    def __init__(self, found: UnitVariables) -> None:
        self.found = found

    def merged(self) -> Iterator[tuple[int, int]]:
        """Yield each variable to replace, and its replacement."""
        groups: dict[str, list[tuple[int, int]]] = {}
        for variable, position in self.found.marked():
            name = self.found.shared_name(variable, position)
            if name is not None and position in self.found.taking_part:
                groups.setdefault(name, []).append((variable, position))
        for name, group in groups.items():
            self._check_initialisers(name, [position for _, position in group])
            first, by = group[0]
            for variable, position in group[1:]:
                if self.found.variables[variable][1] == self.found.variables[first][1]:
                    yield variable, first
                elif {variable, first} <= set(self.found.reached.globals):
                    raise self.found.two_types(name, (first, by), (variable, position))

    def merged_blocks(self) -> Iterator[tuple[int, int]]:
        """Yield each block of built-in variables that another unit's can replace, and that other."""
        groups: dict[str, list[int]] = {}
        for variable, _ in self.found.marked():
            slot = block_of(self.found.strict, self.found.variables[variable])
            if slot and variable in self.found.reached.globals:
                groups.setdefault(slot, []).append(variable)
        for group in groups.values():
            for widest in [each for each in group if all(self._covers(each, other) for other in group)][:1]:
                for each in group:
                    if self.found.variables[each][1] != self.found.variables[widest][1]:
                        yield each, widest

    def _covers(self, one: int, other: int) -> bool:
        """Return whether a block has all members of another, decorated as there, and arrays as long."""
        mine, theirs = (self.found.block_of(each) for each in (one, other))
        if len(mine[1]) != len(theirs[1]) or not mine[0] >= theirs[0]:
            return False
        return all(a == b or (a[0] == b[0] and a[1] >= b[1]) for a, b in zip(mine[1], theirs[1], strict=True))

    def aliases(self) -> set[int]:
        """Return the resources that are one to the units, but stay several because access to them differs."""
        slots: dict[str, list[tuple[int, int]]] = {}
        for variable, position in self.found.marked():
            marks = self.found.strict.decorations(variable)
            if BINDING in marks and variable in self.found.reached.globals:
                slot = slot_of(self.found.variables[variable][3], marks)
                slots.setdefault(slot, []).append((variable, position))
        return {
            variable
            for group in slots.values()
            if len({position for _, position in group}) > 1
            and len({self.found.strict.bound(variable) for variable, _ in group}) > 1
            for variable, _ in group
        }

    def _check_initialisers(self, name: str, positions: Sequence[int]) -> None:
        values = [(dict(self.found.units[each].implied.shared)[name], each) for each in positions]
        given = [(value, each) for value, each in values if value]
        for value, each in given[1:]:
            if value != given[0][0] or value == "?":
                what = "by a value that is not constant" if "?" in (value, given[0][0]) else "differently"
                raise LinkError(
                    f"`{name}` is initialised {what} in two units of entry point `{self.found.reached.entry.name}`",
                    context=[*self.found.rows([given[0][1], each])],
                    hint="initialise it in one unit, or in all to the same constant",
                )


def _unbounded(program: Program, units: Sequence[ReachedUnit]) -> set[int]:
    """Return the variables of units that lack the layout their arrays depend on."""
    positions = {at for at, unit in enumerate(units) if unit.implied.unbounded}
    names = program.names() if positions else {}
    marks = {f"{MARK}{at}" for at in positions}
    return {each for each in program.variables() if (name := names.get(each, ""))[name.find(MARK) :] in marks}


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


def _check_slots(found: UnitVariables, merged: Collection[int]) -> None:
    """Raise LinkError for a slot that two units bind to different things, except merged ones."""
    _check_alike(found, "constant_id", "types or defaults", "or give one another constant_id")
    _check_alike(found, "xfb_buffer", "strides", "or let one use another xfb_buffer")
    _check_alike(found, "buffer_reference", "alignments", "or rename one")
    _check_members(found)
    slots: dict[str, list[tuple[int, int]]] = {}
    for variable, position in found.marked():
        words = found.variables[variable]
        marks = found.strict.decorations(variable)
        slot = slot_of(words[3], marks) or block_of(found.strict, words)
        if not slot or variable not in found.reached.globals or variable in merged:
            continue
        for other, by in (known := slots.setdefault(slot, [])):
            if by == position or found.bound(other) == found.bound(variable):
                continue
            # Vulkan allows resources of different names to share a binding.
            if "binding" not in slot or found.names_of(other) & found.names_of(variable):
                raise found.two_types(slot, (other, by), (variable, position))
        known.append((variable, position))


def _check_order(found: UnitVariables) -> None:
    """Raise LinkError for a variable that the entry point's unit sets after initialisers of another read it."""
    mine = found.initialised(found.reached.own)
    numbers = initialisers_of(found.program)
    names = {each: found.shared_name(each, position) for each, position in found.marked()} if mine else {}
    for at in sorted(found.reached.units) if mine else ():
        read = reach(found.program.graph(), *numbers.get(found.units[at].item.module.attribute("initialiser"), ()))
        for name in sorted({names.get(each) or "" for each in read} & mine - found.initialised(at)):
            raise LinkError(
                f"initialisers of a library read `{name}` before entry point `{found.reached.entry.name}` sets it",
                context=[*found.rows([at, found.reached.own])],
                hint="initialise it in the library that reads it, or in a header that both include",
            )


def _check_alike(found: UnitVariables, kind: str, detail: str, otherwise: str) -> None:
    """Raise LinkError for something that two units declare differently."""
    known: dict[str, tuple[str, int]] = {}
    for at in sorted(found.taking_part):
        for what, digest in found.units[at].implied.declared:
            if what.startswith(kind):
                value, by = known.setdefault(what, (digest, at))
                if value != digest:
                    raise LinkError(
                        f"{what} has two {detail} in entry point `{found.reached.entry.name}`",
                        context=[*found.rows([by, at])],
                        hint=f"declare it once, in a header that both include, {otherwise}",
                    )


def _check_members(found: UnitVariables) -> None:
    """Raise LinkError for a name that means two members of one block or variable."""
    known: dict[str, list[tuple[str, int]]] = {}
    for at in sorted(found.taking_part):
        for what, text in found.units[at].implied.declared:
            if not what.startswith(MEMBERS):
                continue
            for other, by in known.setdefault(what, []):
                if name := misnamed(other, text):
                    raise LinkError(
                        f"`{name}` is not the same member of {what.removeprefix(MEMBERS)} in two units of entry "
                        f"point `{found.reached.entry.name}`",
                        context=[*found.rows([by, at])],
                        hint="declare it once, in a header that both include",
                    )
            known[what].append((text, at))
