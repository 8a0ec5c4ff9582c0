"""Sizes of workgroups that specialisation constants decide: said of a module as a whole, or of each entry point.

Knows nothing of linking. A constant decorated as WorkgroupSize holds for every entry point of its module, so it
must not meet another's; `LocalSizeId` says the same of one, but images may use it from Vulkan 1.3 on only.
"""

from __future__ import annotations

from dataclasses import replace

from cratewright.errors import LinkError

from . import opcodes as op
from .module import Instruction, build, result
from .program import Program

__all__ = ["size_by_entry_point", "size_by_module"]

BUILT_IN, WORKGROUP_SIZE = 11, 25
LOCAL_SIZE, LOCAL_SIZE_ID = 17, 38
_BEFORE_DECORATIONS = (op.EXT_INST_IMPORT, op.STRING)
_LAST_WITHOUT = ("vulkan1.0", "vulkan1.1", "vulkan1.2")


def size_by_entry_point(program: Program) -> Program:
    """Return the program with its WorkgroupSize, if it has one, as LocalSizeId of each entry point with a size."""
    sizes = {words[1] for words in program.preamble if _is_size(words)}
    if not sizes:
        return program
    constants = {result(words): words for words in program.preamble}
    spec = [constants[each] for each in sizes if constants[each][0] & 0xFFFF == op.SPEC_CONSTANT_COMPOSITE]
    preamble: list[Instruction] = []
    for words in program.preamble:
        if _is_size(words):
            continue
        if spec and words[0] & 0xFFFF == op.EXECUTION_MODE and words[2] == LOCAL_SIZE:
            words = build(op.EXECUTION_MODE_ID, words[1], LOCAL_SIZE_ID, *spec[0][3:])  # noqa: PLW2901
        preamble.append(words)
    return replace(program, preamble=tuple(preamble))


def size_by_module(program: Program, *, target: str) -> Program:
    """Return the program with LocalSizeId as WorkgroupSize again, where one holds for all its entry points.

    Raises: LinkError if there are several, and the target does not have LocalSizeId.
    """
    modes = [words for words in program.preamble if _is_mode(words)]
    if not modes:
        return program
    sized = {
        words[1] for words in program.preamble if words[0] & 0xFFFF == op.EXECUTION_MODE and words[2] == LOCAL_SIZE
    }
    if len({words[3:] for words in modes}) == 1 and not sized:
        return _with_one_size(program, modes)
    if target in _LAST_WITHOUT:
        raise LinkError(
            f"{program.module.name}: entry points of one module differ in how their workgroup's size is specialised",
            context=(("target", target),),
            hint="set multimodule=True, or target vulkan1.3",
        )
    return program


def _with_one_size(program: Program, modes: list[Instruction]) -> Program:
    constants = {defined: words for words in program.preamble if (defined := result(words)) is not None}
    parts = modes[0][3:]
    bound = program.module.bound
    found = next(
        (
            defined
            for defined, words in constants.items()
            if words[0] & 0xFFFF == op.SPEC_CONSTANT_COMPOSITE and words[3:] == parts
        ),
        None,
    )
    added: list[Instruction] = []
    if found is None:
        scalar = constants[parts[0]][1]
        vector = next((w[1] for w in constants.values() if w[0] & 0xFFFF == op.TYPE_VECTOR and w[2:] == (scalar, 3)), 0)
        if not vector:
            vector, bound = bound, bound + 1
            added.append(build(op.TYPE_VECTOR, vector, scalar, 3))
        found, bound = bound, bound + 1
        added.append(build(op.SPEC_CONSTANT_COMPOSITE, vector, found, *parts))
    defaults = [constants[each][3] if len(constants[each]) > 3 else 0 for each in parts]
    preamble: list[Instruction] = []
    decorated = False
    for words in program.preamble:
        if not decorated and result(words) is not None and words[0] & 0xFFFF not in _BEFORE_DECORATIONS:
            decorated = True
            preamble.append(build(op.DECORATE, found, BUILT_IN, WORKGROUP_SIZE))
        if _is_mode(words):
            words = build(op.EXECUTION_MODE, words[1], LOCAL_SIZE, *defaults)  # noqa: PLW2901
        preamble.append(words)
    return replace(program, module=replace(program.module, bound=bound), preamble=(*preamble, *added))


def _is_size(words: Instruction) -> bool:
    return words[0] & 0xFFFF == op.DECORATE and words[2:] == (BUILT_IN, WORKGROUP_SIZE)


def _is_mode(words: Instruction) -> bool:
    return words[0] & 0xFFFF == op.EXECUTION_MODE_ID and words[2] == LOCAL_SIZE_ID
