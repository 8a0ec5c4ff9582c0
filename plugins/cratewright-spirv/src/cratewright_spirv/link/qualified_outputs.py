"""Built-in outputs that one unit redeclares as `invariant` or `precise`, and others of its entry point write.

As in one file of GLSL, an output is invariant whoever writes it. What is precise depends on how code is compiled, so
all units that write such an output must say so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from cratewright import LinkError

from ..base.implied import INVARIANT_OUTPUT, PRECISE_OUTPUT
from ..binary import opcodes as op
from ..binary.enumerants import BUILT_IN, INVARIANT, OUTPUT
from ..binary.module import build, result, string
from ..binary.operands import Instruction
from ..binary.program import Program
from .reached import Reached, ReachedUnit

_ALL = f"{INVARIANT_OUTPUT}(all)"
_CHAINS = (op.ACCESS_CHAIN, op.IN_BOUNDS_ACCESS_CHAIN)
_Member = tuple[int, int]
"""A block's type and a member's index, or a variable and -1."""


def with_qualified_outputs(program: Program, reached: Reached, units: Sequence[ReachedUnit], mark: str) -> Program:
    """Return a program of marked modules in which outputs are invariant if a unit of the entry point says so.

    Shape: `mark` stands between a variable's name and the position of its unit.
    Raises: LinkError naming both files for an output that is precise, or all that are invariant, in one unit only.
    """
    declared: dict[str, list[int]] = {}
    for at in sorted({reached.own, *reached.units}):
        for what, _ in units[at].implied.declared:
            if what.startswith((INVARIANT_OUTPUT, PRECISE_OUTPUT)):
                declared.setdefault(what, []).append(at)
    if not declared:
        return program
    outputs = _Outputs(program, mark)
    written = {at: set(outputs.written(at, reached.globals)) for at in sorted({reached.own, *reached.units})}
    for what, positions in declared.items():
        name = what.partition(" ")[2]
        for at, names in written.items():
            if at not in positions and (names if what == _ALL else what.startswith(PRECISE_OUTPUT) and name in names):
                raise _not_declared(what, reached, units, positions[0], at, program.module.name)
    return outputs.invariant(
        {what.removeprefix(INVARIANT_OUTPUT) for what in declared if what.startswith(INVARIANT_OUTPUT)}
    )


def _not_declared(
    what: str, reached: Reached, units: Sequence[ReachedUnit], one: int, other: int, image: str
) -> LinkError:
    what, written = ("#pragma STDGL invariant(all)", "outputs") if what == _ALL else (what, "it")
    paths = [("path", reached.units[each]) for each in (one, other) if each in reached.units]
    return LinkError(
        f"`{what}` is declared by one unit of entry point `{reached.entry.name}`, not by another that writes {written}",
        context=[("image", image), *paths, ("declared by", units[one].shown), ("not by", units[other].shown)],
        hint="declare it in both, or in a header that both include",
    )


class _Outputs:
    def __init__(self, program: Program, mark: str) -> None:
        self.program, self.mark = program, mark
        self.definitions = {number: words for words in program.preamble if (number := result(words)) is not None}
        self.names = program.names()
        self.outputs = {each: words for each, words in program.variables().items() if words[3] == OUTPUT}
        self.members: dict[_Member, str] = {}
        self.marks: set[Instruction] = set()
        for words in program.preamble:
            if words[0] & 0xFFFF == op.MEMBER_NAME:
                self.members[words[1], words[2]] = string(words, 3)[0]
            elif words[0] & 0xFFFF in (op.DECORATE, op.MEMBER_DECORATE):
                self.marks.add(words)

    def written(self, position: int, reached: Collection[int]) -> Iterator[str]:
        """Yield the names of the outputs that a unit uses; those of user-defined ones too."""
        own = {each for each in self.outputs if each in reached and self._unit(each) == str(position)}
        whole = dict.fromkeys(own)
        for body in self.program.functions.values():
            for words in body:
                if words[0] & 0xFFFF in _CHAINS and words[3] in own:
                    members = self._members(words[3])
                    index = self.definitions.get(words[4 + self._is_array(words[3])] if len(words) > 4 else 0)
                    if members and index is not None and index[0] & 0xFFFF == op.CONSTANT:
                        whole.pop(words[3], None)
                        yield members.get(index[3], "")
        for each in whole:
            yield from self._members(each).values() or (self._name(each),)

    def invariant(self, names: Collection[str]) -> Program:
        """Return the program with these built-in outputs invariant."""
        added: list[Instruction] = []
        for each in self.outputs:
            if self._name(each) in names and any(words[1:3] == (each, BUILT_IN) for words in self.marks):
                added.append(build(op.DECORATE, each, INVARIANT))
            block = self._block(each)
            added += (
                build(op.MEMBER_DECORATE, block, index, INVARIANT)
                for index, name in self._members(each).items()
                if name in names
            )
        missing = [words for words in dict.fromkeys(added) if words not in self.marks]
        preamble = list(self.program.preamble)
        at = next((index for index, words in enumerate(preamble) if words in self.marks), len(preamble))
        preamble[at:at] = missing
        return replace(self.program, preamble=tuple(preamble))

    def _name(self, variable: int) -> str:
        return self.names.get(variable, "").rpartition(self.mark)[0]

    def _unit(self, variable: int) -> str:
        return self.names.get(variable, "").rpartition(self.mark)[2]

    def _pointee(self, variable: int) -> Instruction:
        return self.definitions[self.definitions[self.outputs[variable][1]][3]]

    def _is_array(self, variable: int) -> bool:
        return self._pointee(variable)[0] & 0xFFFF == op.TYPE_ARRAY

    def _block(self, variable: int) -> int:
        pointee = self._pointee(variable)
        return pointee[2] if pointee[0] & 0xFFFF == op.TYPE_ARRAY else pointee[1]

    def _members(self, variable: int) -> Mapping[int, str]:
        """Return the built-in members of a block, by index."""
        block = self._block(variable)
        found = (words for words in self.marks if words[0] & 0xFFFF == op.MEMBER_DECORATE and words[1] == block)
        indices = sorted(words[2] for words in found if words[3] == BUILT_IN)
        return {index: self.members.get((block, index), "") for index in indices}
