"""Repairs NonSemantic.Shader.DebugInfo after SPIRV-Tools' optimizer.

Inlining replaces a parameter by its argument, in the parameter's description too. That description is only valid for
variables, so values and parts of variables have to be described differently.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..binary import opcodes as op
from ..binary.debug_info import DEBUG_DECLARE, DEBUG_VALUE, SET_NAME, is_debug_set
from ..binary.module import build, parse, result
from ..binary.operands import Instruction
from ..binary.program import Program

_IN_MEMORY = frozenset({op.VARIABLE, op.FUNCTION_PARAMETER})
_TERMINATORS = frozenset(
    {
        *range(op.BRANCH, op.UNREACHABLE + 1),
        *(op.TERMINATE_INVOCATION, op.IGNORE_INTERSECTION_KHR, op.TERMINATE_RAY_KHR, op.EMIT_MESH_TASKS_EXT),
    }
)
_CHAINS = frozenset({op.ACCESS_CHAIN, op.IN_BOUNDS_ACCESS_CHAIN})
_DECLARE_INDEXES_AT = 8


def repair_inlined_debug_info(data: bytes) -> bytes:
    """Return an optimized module with debug information only about what exists."""
    if SET_NAME.encode() not in data:
        return data
    program = Program.of(parse(data, "module"))
    sets = {words[1] for words in program.preamble if is_debug_set(words)}
    pointers = {words[1] for words in program.preamble if words[0] & 0xFFFF == op.TYPE_POINTER}
    known = {each: words for words in program.preamble if (each := result(words)) is not None}
    known |= {function: () for function in program.functions}
    functions = {
        function: tuple(_repaired_body(body, sets, pointers, known)) for function, body in program.functions.items()
    }
    return replace(program, functions=functions).encode() if functions != program.functions else data


def _repaired_body(
    body: tuple[Instruction, ...], sets: set[int], pointers: set[int], outside: dict[int, Instruction]
) -> Iterator[Instruction]:
    known = ChainMap({each: words for words in body if (each := result(words)) is not None}, outside)
    in_block = False
    for words in body:
        opcode = words[0] & 0xFFFF
        in_block = opcode == op.LABEL or (in_block and opcode not in _TERMINATORS)
        if opcode == op.EXT_INST and words[3] in sets:
            # Before the first block is what follows an `OpLine`; after a block, lines of removed code.
            if not in_block or not all(each in known for each in words[5:]):
                continue
            if words[4] == DEBUG_DECLARE:
                described = _described(words, known, pointers)
                if described is not None:
                    yield described
                continue
        yield words


def _described(words: Instruction, known: Mapping[int, Instruction], pointers: set[int]) -> Instruction | None:
    """Return the description of a variable: its declaration, that of its part, or its value."""
    about = known.get(words[6])
    if about is None:
        return None
    if about[0] & 0xFFFF in _IN_MEMORY:
        return words
    indexes: tuple[int, ...] = ()
    while about is not None and about[0] & 0xFFFF in _CHAINS:
        indexes = (*about[4:], *indexes)
        base = about[3]
        about = known.get(base)
        if about is not None and about[0] & 0xFFFF in _IN_MEMORY:
            return build(op.EXT_INST, *words[1:6], base, words[7], *indexes, *words[_DECLARE_INDEXES_AT:])
    if about is None or about[1] in pointers:
        return None
    return build(op.EXT_INST, *words[1:4], DEBUG_VALUE, *words[5:8])
