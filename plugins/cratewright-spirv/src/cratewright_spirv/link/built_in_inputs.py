"""One variable for each built-in input of an entry point, where GLSL and HLSL declare it differently.

HLSL's vertex and primitive numbers are unsigned, and what its fragment shaders read is flat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ..binary import opcodes as op
from ..binary.contents import Contents, substituted
from ..binary.enumerants import BUILT_IN, INPUT, RELAXED_PRECISION
from ..binary.module import build
from ..binary.operands import Instruction
from ..binary.program import Program


def with_common_inputs(program: Program, reached: Collection[int]) -> Program:
    """Return a program of one entry point, which reaches some globals, with inputs of the same number merged.

    Shape: equal types have one id. Inputs of other types than integers of either sign stay as they are, as do those
    that are not simply loaded.
    """
    contents, variables = Contents(program), program.variables()
    groups: dict[int, list[int]] = {}
    for each, words in variables.items():
        number = contents.decorations(each).get(BUILT_IN)
        if words[3] == INPUT and number and each in reached:
            groups.setdefault(number[0], []).append(each)
    merged: dict[int, int] = {}
    for group in groups.values():
        kinds = {_kind(contents, variables[each]) for each in group}
        if len({contents.bound(each) for each in group}) > 1 and len(kinds) == 1:
            merged.update(dict.fromkeys(group[1:], group[0]))
    cast = {each for each, kept in merged.items() if variables[each][1] != variables[kept][1]}
    odd = {merged[each] for each in cast - _only_loaded(program, cast)}
    merged = {each: kept for each, kept in merged.items() if kept not in odd}
    return substituted(_cast(_decorated(program, contents, merged), merged, cast & merged.keys()), merged)


def _kind(contents: Contents, variable: Instruction) -> tuple[int, ...]:
    """Return what a variable's type is, whatever its sign."""
    pointee = contents.definitions[contents.definitions[variable[1]][3]]
    return (op.TYPE_INT, pointee[2]) if pointee[0] & 0xFFFF == op.TYPE_INT else pointee


def _only_loaded(program: Program, variables: Collection[int]) -> set[int]:
    others = {
        words[at]
        for body in program.functions.values()
        for words in body
        if words[0] & 0xFFFF != op.LOAD
        for at in program.module.ids(words)
    }
    return set(variables) - others


def _decorated(program: Program, contents: Contents, merged: Mapping[int, int]) -> Program:
    """Return the program with variables that stay decorated as those they replace."""
    added: dict[Instruction, None] = {}
    for each, kept in merged.items():
        for words in contents.marks.get(each, ()):
            new = (words[0], kept, *words[2:])
            if words[2] != RELAXED_PRECISION and new not in contents.marks[kept]:
                added[new] = None
    at = next((index for index, words in enumerate(program.preamble) if words[0] & 0xFFFF == op.DECORATE), 0)
    return replace(program, preamble=(*program.preamble[:at], *added, *program.preamble[at:]))


def _cast(program: Program, merged: Mapping[int, int], cast: Collection[int]) -> Program:
    """Return the program with loads of these variables loading those that replace them."""
    if not cast:
        return program
    definitions = {words[1]: words for words in program.preamble if words[0] & 0xFFFF == op.TYPE_POINTER}
    kinds = {each: definitions[words[1]][3] for each, words in program.variables().items()}
    bound = program.module.bound

    def loads(body: tuple[Instruction, ...]) -> Iterator[Instruction]:
        nonlocal bound
        for words in body:
            if words[0] & 0xFFFF == op.LOAD and words[3] in cast:
                kept = merged[words[3]]
                yield build(op.LOAD, kinds[kept], bound, kept, *words[4:])
                yield build(op.BITCAST, words[1], words[2], bound)
                bound += 1
            else:
                yield words

    functions = {each: tuple(loads(body)) for each, body in program.functions.items()}
    return replace(program, module=replace(program.module, bound=bound), functions=functions)
