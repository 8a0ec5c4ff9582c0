"""Drops what a program declares, but none of its code needs: capabilities and extensions, and types that need them.

A unit declares what all its functions need, an image should only ask a device for what its own functions do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from ..binary import opcodes as op
from ..binary.capabilities import CAPABILITIES, uses
from ..binary.enumerants import LOGICAL, PHYSICAL_STORAGE_BUFFER64, PHYSICAL_STORAGE_BUFFER_ADDRESSES
from ..binary.module import build, result, string
from ..binary.operands import Instruction
from ..binary.program import ANNOTATIONS, Program

_CODE_ONLY = frozenset(
    {
        *range(op.TYPE_VOID, op.TYPE_FUNCTION + 1),
        *(op.TYPE_ACCELERATION_STRUCTURE_KHR, op.TYPE_RAY_QUERY_KHR, op.TYPE_COOPERATIVE_MATRIX_KHR),
        *(op.UNDEF, op.CONSTANT, op.CONSTANT_TRUE, op.CONSTANT_FALSE, op.CONSTANT_COMPOSITE, op.CONSTANT_NULL),
    }
)
"""What only matters to what uses it."""
_FORWARD = ANNOTATIONS | {op.TYPE_FORWARD_POINTER}


def without_unneeded(program: Program) -> Program:
    """Return the program without the capabilities and extensions that nothing in it needs, as far as known."""
    declared = {words[1] for words in program.preamble if words[0] & 0xFFFF == op.CAPABILITY}
    if declared.isdisjoint(CAPABILITIES):
        return program
    dead = _dead(program)
    living = [words for words in program.preamble if not _belongs(words, dead)]
    used = uses(chain(living, *program.functions.values()))
    unneeded = {each for each in declared & CAPABILITIES.keys() if not CAPABILITIES[each].needed_by(used)}
    if not unneeded:
        return program
    extensions = _extensions(unneeded) - _extensions(declared - unneeded)
    kept = [words for words in living if not _declares(words, unneeded, extensions)]
    if PHYSICAL_STORAGE_BUFFER_ADDRESSES in unneeded:
        kept = [_logical(words) for words in kept]
    return replace(program, preamble=tuple(kept))


def _dead(program: Program) -> set[int]:
    """Return the types and constants that no code or variable uses, not even through others."""
    ids = program.module.ids
    known: dict[int, Instruction] = {}
    todo: list[int] = []
    for words in program.preamble:
        opcode = words[0] & 0xFFFF
        defined = result(words)
        if opcode in _CODE_ONLY and defined is not None:
            known[defined] = words
        elif opcode != op.TYPE_FORWARD_POINTER:
            todo += (words[at] for at in ids(words)[opcode in ANNOTATIONS :])
    for words in chain.from_iterable(program.functions.values()):
        todo += (words[at] for at in ids(words))
    dead = set(known)
    while todo:
        each = todo.pop()
        if each in dead:
            dead.discard(each)
            words = known[each]
            todo += (words[at] for at in ids(words))
    return dead


def _belongs(words: Instruction, dead: set[int]) -> bool:
    """Return whether an instruction defines or describes something dead."""
    opcode = words[0] & 0xFFFF
    return words[1] in dead if opcode in _FORWARD else opcode in _CODE_ONLY and result(words) in dead


def _extensions(capabilities: Iterable[int]) -> set[str]:
    return {CAPABILITIES[each].extension for each in capabilities if each in CAPABILITIES}


def _declares(words: Instruction, capabilities: set[int], extensions: set[str]) -> bool:
    opcode = words[0] & 0xFFFF
    if opcode == op.CAPABILITY:
        return words[1] in capabilities
    return opcode == op.EXTENSION and string(words, 1)[0] in extensions


def _logical(words: Instruction) -> Instruction:
    if words[0] & 0xFFFF == op.MEMORY_MODEL and words[1] == PHYSICAL_STORAGE_BUFFER64:
        return build(op.MEMORY_MODEL, LOGICAL, *words[2:])
    return words
