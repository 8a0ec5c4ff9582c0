"""Arrays that are as long as a stage has vertices or primitives, in units that leave the number to the shader.

The compiler gave these arrays the length of a layout that was added to the unit; in the linked program they get the
entry point's length.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ..base.implied import Mode
from ..binary import enumerants as spv
from ..binary import opcodes as op
from ..binary.module import build
from ..binary.operands import Instruction
from ..binary.program import Program, ProgramEntry

_VERTICES_OF = {
    spv.INPUT_POINTS: 1,
    spv.INPUT_LINES: 2,
    spv.INPUT_LINES_ADJACENCY: 4,
    spv.TRIANGLES: 3,
    spv.INPUT_TRIANGLES_ADJACENCY: 6,
}
_INDICES = range(spv.PRIMITIVE_POINT_INDICES, spv.PRIMITIVE_TRIANGLE_INDICES + 1)


def with_stage_arrays(program: Program, entry: ProgramEntry, variables: Collection[int]) -> Program:
    """Return the program with such arrays at the length that its entry point says.

    Shape: `variables` are those of units to which layouts were added.
    """
    modes = [
        words[2:] for words in program.preamble if words[0] & 0xFFFF == op.EXECUTION_MODE and words[1] == entry.function
    ]
    constants = {words[2]: words for words in program.preamble if words[0] & 0xFFFF == op.CONSTANT}
    arrays = {words[1]: words for words in program.preamble if words[0] & 0xFFFF == op.TYPE_ARRAY}
    pointers = {words[1]: words for words in program.preamble if words[0] & 0xFFFF == op.TYPE_POINTER}
    marks = _marks(program)
    bound = program.module.bound
    preamble: list[Instruction] = []
    for words in program.preamble:
        is_open = words[0] & 0xFFFF == op.VARIABLE and words[2] in variables
        array = arrays.get(pointers[words[1]][3]) if is_open else None
        length = _length(entry.stage, words, marks, array, modes) if array is not None else None
        if array is None or length is None:
            preamble.append(words)
            continue
        preamble += [
            build(op.CONSTANT, constants[array[3]][1], bound, length),
            build(op.TYPE_ARRAY, bound + 1, array[2], bound),
            build(op.TYPE_POINTER, bound + 2, words[3], bound + 1),
            build(op.VARIABLE, bound + 2, *words[2:]),
        ]
        bound += 3
    return replace(program, module=replace(program.module, bound=bound), preamble=tuple(preamble))


def _marks(program: Program) -> dict[int, dict[int, tuple[int, ...]]]:
    """Return the decorations of everything, and those of a struct's members as its own."""
    found: dict[int, dict[int, tuple[int, ...]]] = {}
    for words in program.preamble:
        if words[0] & 0xFFFF == op.DECORATE:
            found.setdefault(words[1], {})[words[2]] = words[3:]
        elif words[0] & 0xFFFF == op.MEMBER_DECORATE:
            found.setdefault(words[1], {})[words[3]] = words[4:]
    return found


def _length(
    stage: str,
    variable: Instruction,
    marks: Mapping[int, Mapping[int, tuple[int, ...]]],
    array: Instruction,
    modes: Iterable[Mode],
) -> int | None:
    """Return the new length of an array, None if no layout decides it."""
    own = {**marks.get(array[2], {}), **marks.get(variable[2], {})}
    if stage == "geometry" and variable[3] == spv.INPUT:
        return next((_VERTICES_OF[mode[0]] for mode in modes if mode[0] in _VERTICES_OF), None)
    if stage not in ("tess-control", "mesh") or variable[3] != spv.OUTPUT or spv.PATCH in own:
        return None
    primitive = stage == "mesh" and (spv.PER_PRIMITIVE in own or own.get(spv.BUILT_IN, (0,))[0] in _INDICES)
    kind = spv.OUTPUT_PRIMITIVES if primitive else spv.OUTPUT_VERTICES
    return next((mode[1] for mode in modes if mode[0] == kind), None)
