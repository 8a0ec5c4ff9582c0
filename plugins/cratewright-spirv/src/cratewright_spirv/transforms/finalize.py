"""Turns the linker's result into an image that Vulkan accepts, and splits or renames its entry points.

All functions take and return bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from cratewright import LinkError

from ..base.stopwatch import step
from ..binary import opcodes as op
from ..binary.enumerants import LINKAGE, LINKAGE_ATTRIBUTES
from ..binary.module import build, literal, parse
from ..binary.operands import Instruction
from ..binary.program import Program, ProgramEntry, entry_of, trim
from .initialisers import Initialiser, with_initialisers
from .merge_variables import merge_variables
from .unneeded import without_unneeded

EntryKey = tuple[str, str]


@step("finalise")
def finalize_program(
    program: Program,
    *,
    initialisers: Sequence[Initialiser],
    preserve_bindings: bool = False,
) -> Program:
    """Return a linked program with variables merged, initialisers called and unreached code dropped.

    `initialisers` set up the global variables of units without an entry point. Each is called, in the order given, by
    the entry points that need it.
    Raises: LinkError if there is no entry point.
    """
    if not program.entries():
        raise LinkError(
            f"{program.module.name} has no entry point",
            hint="give one of its sources a stage and a main function, or build it as an rlib",
        )
    program = merge_variables(_without_repeats(program))
    program = with_initialisers(program, initialisers)
    return without_unneeded(trim(program, preserve_bindings=preserve_bindings))


def keep_entry_points(data: bytes, keep: Collection[EntryKey], *, name: str) -> bytes:
    """Return the module with only these (stage, name) entry points and what they reach.

    Raises: LinkError for one that the module does not have.
    """
    return without_unneeded(trim(only_entry_points(Program.of(parse(data, name)), keep))).encode()


def only_entry_points(program: Program, keep: Collection[EntryKey]) -> Program:
    """Return the program with only these entry points; what only others reach stays.

    Raises: LinkError for one that the program does not have.
    """
    entries = program.entries()
    _require(entries, keep, program.module.name)
    functions = {entry.function for entry in entries if (entry.stage, entry.name) in keep}
    preamble = []
    for words in program.preamble:
        opcode = words[0] & 0xFFFF
        if opcode == op.ENTRY_POINT:
            entry = entry_of(words)
            if (entry.stage, entry.name) not in keep:
                continue
        elif opcode in (op.EXECUTION_MODE, op.EXECUTION_MODE_ID) and words[1] not in functions:
            continue
        preamble.append(words)
    return replace(program, preamble=tuple(preamble))


def rename_entry_points(data: bytes, renames: Mapping[EntryKey, str], *, name: str) -> bytes:
    """Return the module with (stage, name) entry points under new names.

    Raises: LinkError for one that the module does not have, or if two of one stage get the same name.
    """
    return with_entry_names(Program.of(parse(data, name)), renames).encode()


def with_entry_names(program: Program, renames: Mapping[EntryKey, str]) -> Program:
    """Return the program with entry points renamed, as `rename_entry_points` does with its bytes.

    Raises: LinkError, as there.
    """
    entries, name = program.entries(), program.module.name
    _require(entries, renames, name)
    taken: set[EntryKey] = set()
    preamble = []
    for words in program.preamble:
        if words[0] & 0xFFFF == op.ENTRY_POINT:
            entry = entry_of(words)
            key = (entry.stage, renames.get((entry.stage, entry.name), entry.name))
            if key in taken:
                raise LinkError(
                    f"{name} would have two {key[0]} entry points named `{key[1]}`",
                    hint="rename one of them in its source",
                )
            taken.add(key)
            preamble.append(build(op.ENTRY_POINT, *words[1:3], *literal(key[1]), *words[entry.interface :]))
        else:
            preamble.append(words)
    return replace(program, preamble=tuple(preamble))


def with_variable_names(data: bytes, *, name: str) -> bytes:
    """Return the module with no debug names but those of variables."""
    module = parse(data, name)
    variables = {words[2] for words in module.instructions if words[0] & 0xFFFF == op.VARIABLE}
    kept = [
        words
        for words in module.instructions
        if words[0] & 0xFFFF not in (op.NAME, op.MEMBER_NAME)
        or (words[0] & 0xFFFF == op.NAME and words[1] in variables)
    ]
    return replace(module, instructions=tuple(kept)).encode()


def _require(entries: Iterable[ProgramEntry], wanted: Iterable[EntryKey], name: str) -> None:
    known = {(entry.stage, entry.name) for entry in entries}
    for stage, entry_name in sorted(wanted):
        if (stage, entry_name) not in known:
            raise LinkError(
                f"{name} has no {stage} entry point `{entry_name}`",
                context=[("it has", ", ".join(f"{s} {n}" for s, n in sorted(known)) or "none")],
                hint="check the stage and the spelling",
            )


def _without_repeats(program: Program) -> Program:
    """Drop what each unit repeats, and the linkage capability once nothing is linked."""
    linked = any(words[0] & 0xFFFF == op.DECORATE and words[2] == LINKAGE_ATTRIBUTES for words in program.preamble)
    seen: set[Instruction] = set() if linked else {build(op.CAPABILITY, LINKAGE)}
    preamble = []
    for words in program.preamble:
        if words[0] & 0xFFFF in (op.CAPABILITY, op.EXTENSION):
            if words in seen:
                continue
            seen.add(words)
        preamble.append(words)
    return replace(program, preamble=tuple(preamble))
