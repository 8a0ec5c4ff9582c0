"""Workgroup sizes, as declared for a module, for an entry point, or in code that reads its entry point's size.

A constant decorated with WorkgroupSize applies to every entry point of its module, so modules that have one cannot
simply be merged. `LocalSizeId`, which compilers emit from Vulkan 1.3 on, applies to one entry point.
"""

from __future__ import annotations

from dataclasses import replace

from cratewright import LinkError

from ..base.implied import Mode
from . import opcodes as op
from .enumerants import BUILT_IN, LOCAL_SIZE, LOCAL_SIZE_ID, SPEC_ID, WORKGROUP_SIZE
from .module import build, result
from .operands import Instruction
from .program import Program, ProgramEntry

RESERVED = 0x7CA7_E000
"""The id of the first of three constants that represent the entry point's workgroup size until it is known."""
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
    """Return the program with LocalSizeId as WorkgroupSize again, if the target does not have the former.

    Raises: LinkError if not all entry points share one.
    """
    modes = [words for words in program.preamble if _is_mode(words)]
    if not modes or target not in _LAST_WITHOUT:
        return program
    sized = {
        words[1] for words in program.preamble if words[0] & 0xFFFF == op.EXECUTION_MODE and words[2] == LOCAL_SIZE
    }
    if len({words[3:] for words in modes}) == 1 and not sized:
        return _with_one_size(program, modes)
    raise LinkError(
        f"{program.module.name}: entry points of one module differ in how their workgroup's size is specialised",
        context=(("target", target),),
        hint="set multimodule=True, or target vulkan1.3",
    )


def entry_size(program: Program, entry: ProgramEntry) -> Mode | None:
    """Return the size of an entry point's workgroups as a mode with each constant's default and id, if it has one."""
    constants = {defined: words for words in program.preamble if (defined := result(words)) is not None}
    ids = {words[1]: words[3] for words in program.preamble if _is_spec_id(words)}
    for words in program.preamble:
        if words[0] & 0xFFFF not in (op.EXECUTION_MODE, op.EXECUTION_MODE_ID) or words[1] != entry.function:
            continue
        if words[2] in (LOCAL_SIZE, LOCAL_SIZE_ID):
            size = next((constants[each[1]][3:] for each in program.preamble if _is_size(each)), ())
            parts = size or (words[3:] if words[2] == LOCAL_SIZE_ID else ())
            if not parts:
                return words[2:]
            pairs = [(constants[each][3], ids.get(each, -1)) for each in parts]
            if all(number < 0 for _, number in pairs):
                return (LOCAL_SIZE, *(value for value, _ in pairs))
            return (LOCAL_SIZE_ID, *(word for pair in pairs for word in pair))
    return None


def with_entry_size(program: Program, entry: ProgramEntry, size: Mode) -> Program:
    """Return the program with the size of an entry point's workgroups, as `entry_size` gives it."""
    bound, added, marks = program.module.bound, list[Instruction](), list[Instruction]()
    mode = build(op.EXECUTION_MODE, entry.function, *size)
    if size[0] == LOCAL_SIZE_ID:
        scalar = next((w[1] for w in program.preamble if w[0] & 0xFFFF == op.TYPE_INT and w[2:] == (32, 0)), 0)
        if not scalar:
            scalar, bound = bound, bound + 1
            added.append(build(op.TYPE_INT, scalar, 32, 0))
        for value, number in zip(size[1::2], size[2::2], strict=True):
            added.append(build(op.CONSTANT if number < 0 else op.SPEC_CONSTANT, scalar, bound, value))
            marks += [build(op.DECORATE, bound, SPEC_ID, number)] if number >= 0 else []
            bound += 1
        mode = build(op.EXECUTION_MODE_ID, entry.function, LOCAL_SIZE_ID, *range(bound - 3, bound))
    preamble: list[Instruction] = []
    decorated = False
    for words in program.preamble:
        if not decorated and _ends_annotations(words):
            decorated = True
            preamble += marks
        is_mode = words[0] & 0xFFFF in (op.EXECUTION_MODE, op.EXECUTION_MODE_ID) and words[1] == entry.function
        preamble.append(mode if is_mode and words[2] in (LOCAL_SIZE, LOCAL_SIZE_ID) else words)
    return replace(program, module=replace(program.module, bound=bound), preamble=(*preamble, *added))


def asks_for_size(program: Program) -> dict[int, None]:
    """Return the constants, types and variables that depend on the size of whatever entry point reaches them."""
    found = {words[1]: None for words in program.preamble if _is_reserved(words)}
    if found:
        for words in program.preamble:
            defined = result(words)
            if defined is not None and any(words[at] in found for at in program.module.ids(words)):
                found[defined] = None
    return found


def with_bound_size(program: Program, size: Mode) -> Program:
    """Return the program with the constants that stand for the entry point's size bound to it."""
    axes = {words[1]: words[3] - RESERVED for words in program.preamble if _is_reserved(words)}
    if not axes:
        return program
    pairs = (
        list(zip(size[1::2], size[2::2], strict=True))
        if size[0] == LOCAL_SIZE_ID
        else [(each, -1) for each in size[1:]]
    )
    preamble: list[Instruction] = []
    for words in program.preamble:
        at = axes.get(words[1]) if _is_reserved(words) else axes.get(result(words) or 0)
        if at is None:
            preamble.append(words)
            continue
        value, number = pairs[at]
        if words[0] & 0xFFFF == op.DECORATE:
            preamble += [build(op.DECORATE, words[1], SPEC_ID, number)] if number >= 0 else []
        else:
            preamble.append(build(op.CONSTANT if number < 0 else op.SPEC_CONSTANT, words[1], words[2], value))
    return replace(program, preamble=tuple(preamble))


def _ends_annotations(words: Instruction) -> bool:
    return result(words) is not None and words[0] & 0xFFFF not in _BEFORE_DECORATIONS


def _is_spec_id(words: Instruction) -> bool:
    return words[0] & 0xFFFF == op.DECORATE and words[2] == SPEC_ID


def _is_reserved(words: Instruction) -> bool:
    return _is_spec_id(words) and RESERVED <= words[3] < RESERVED + 3


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
        if not decorated and _ends_annotations(words):
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
