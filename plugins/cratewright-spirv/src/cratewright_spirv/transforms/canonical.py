"""Modules in canonical form: only what their entry points reach, with ids in the order in which it is reached.

The order of declarations, ids, and names that are not kept leave no trace. Equal types, constants and functions, and
equal variables of different modules, become one.
"""

from __future__ import annotations

from collections.abc import Sequence

from cratewright import DebugInfo, Options

from ..base.stopwatch import step
from ..binary import opcodes as op
from ..binary.program import Program, trim
from .canonical_copy import ProgramCopier
from .canonical_module import CanonicalModule, Names

_NEVER = frozenset(
    {op.DECORATION_GROUP, op.GROUP_DECORATE, op.GROUP_MEMBER_DECORATE, op.EXT_INST_WITH_FORWARD_REFS_KHR}
)


def is_orderable(program: Program) -> bool:
    """Return whether all of a module's instructions are known well enough to be reordered."""
    opcodes = {words[0] & 0xFFFF for words in program.module.instructions}
    return opcodes <= op.INSTRUCTIONS.keys() and opcodes.isdisjoint(_NEVER)


@step("canonical form")
def canonical(
    programs: Sequence[Program], *, names: Names, preserve_bindings: bool = False, apart: bool = False
) -> bytes:
    """Return one module with the entry points of all the given ones, and what they reach, in canonical form.

    Shape: entry points in the order given; their names differ within a stage. Variables of one module stay apart; those
    of different modules merge where type and decorations are equal, because entry points never run together, unless
    variables and functions of different modules must stay `apart`.
    Raises: FormatError if memory models differ, or for recursion.
    """
    writer = CanonicalModule(names)
    for index, program in enumerate(programs):
        ProgramCopier(program, writer, preserve_bindings=preserve_bindings, owner=index if apart else 0).read()
    return writer.encode()


@step("canonical form")
def canonical_library(program: Program, functions: Sequence[int], *, preserve_bindings: bool = False) -> bytes:
    """Return a module with only some functions and what they call, with all names, in canonical form.

    Raises: FormatError for recursion.
    """
    writer = CanonicalModule(Names.ALL)
    ProgramCopier(program, writer, preserve_bindings=preserve_bindings, owner=0).read(functions)
    return writer.encode()


def canonical_programs(
    programs: Sequence[Program], options: Options, *, apart: bool = False, all_names: bool = False
) -> bytes:
    """Return programs in canonical form with all names or those that the options keep; one without a canonical form is
    returned unchanged.
    """
    if len(programs) == 1 and not is_orderable(programs[0]):
        return trim(programs[0], preserve_bindings=options.flag("preserve_bindings")).encode()
    some = options.debuginfo is DebugInfo.NONE and not all_names
    kept = Names(options.text("spirv_metadata")) if some else Names.ALL
    return canonical(programs, names=kept, preserve_bindings=options.flag("preserve_bindings"), apart=apart)
