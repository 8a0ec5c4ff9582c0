"""Turns the linker's result into an image that Vulkan accepts, and splits or renames its entry points.

All functions take and return bytes.

A capability that only a dropped function needed stays; `spirv-opt --trim-capabilities` removes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cratewright import LinkError

from ..base.implied import INITIALISER
from ..base.stopwatch import step
from ..binary import opcodes as op
from ..binary.lines import DEBUG_LINE, DEFINITION, SCOPE, is_debug_set
from ..binary.module import Instruction, build, literal, parse
from ..binary.program import Program, ProgramEntry, entry_of, reach, trim
from .merge import merge_variables

__all__ = [
    "EntryKey",
    "finalize",
    "finalize_program",
    "keep_entry_points",
    "only_entry_points",
    "rename_entry_points",
    "strip_names",
    "with_entry_names",
]

LINKAGE_CAPABILITY = 5
LINKAGE_ATTRIBUTES = 41
_CHAINS = frozenset(
    {
        op.ACCESS_CHAIN,
        op.IN_BOUNDS_ACCESS_CHAIN,
        op.PTR_ACCESS_CHAIN,
        op.IN_BOUNDS_PTR_ACCESS_CHAIN,
        op.COPY_OBJECT,
    }
)
_READS = _CHAINS | {op.LOAD, op.ARRAY_LENGTH}
# what may appear among the variables at the start of a function
_WITH_VARIABLES = frozenset({op.VARIABLE, op.LINE, op.NO_LINE, op.EXT_INST, op.UNDEF})

EntryKey = tuple[str, str]


def finalize(
    data: bytes,
    *,
    name: str,
    initialisers: Sequence[str],
    preserve_bindings: bool = False,
    merge_descriptors: bool = True,
) -> bytes:
    """Return a linked module with variables merged, initialisers called and unreached code dropped.

    `initialisers` are the debug names of functions that set up the global variables of units without an entry
    point. Each is called, in the order given, by the entry points that touch a variable it writes.
    Raises: LinkError if there is no entry point.
    """
    return finalize_program(
        Program.of(parse(data, name)),
        initialisers=initialisers,
        preserve_bindings=preserve_bindings,
        merge_descriptors=merge_descriptors,
    ).encode()


@step("finalise")
def finalize_program(
    program: Program,
    *,
    initialisers: Sequence[str],
    preserve_bindings: bool = False,
    merge_descriptors: bool = True,
) -> Program:
    """Return a linked program finalised, as `finalize` does with its bytes.

    Raises: LinkError if there is no entry point.
    """
    if not program.entries():
        raise LinkError(
            f"{program.module.name} has no entry point",
            hint="give one of its sources a stage and a main function, or build it as an rlib",
        )
    program = merge_variables(_without_repeats(program), merge_descriptors=merge_descriptors)
    program = _call_initialisers(program, initialisers)
    return trim(program, preserve_bindings=preserve_bindings)


def keep_entry_points(
    data: bytes, keep: Collection[EntryKey], *, name: str = "module", preserve_bindings: bool = False
) -> bytes:
    """Return the module with only these (stage, name) entry points and what they reach.

    Raises: LinkError for one that the module does not have.
    """
    program = only_entry_points(Program.of(parse(data, name)), keep)
    return trim(program, preserve_bindings=preserve_bindings).encode()


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


def rename_entry_points(data: bytes, renames: Mapping[EntryKey, str], *, name: str = "module") -> bytes:
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


def strip_names(data: bytes, keep_variables: bool, *, name: str = "module") -> bytes:
    """Return the module without debug names, save those of variables if they are wanted."""
    module = parse(data, name)
    variables = (
        {words[2] for words in module.instructions if words[0] & 0xFFFF == op.VARIABLE}
        if keep_variables
        else set[int]()
    )
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
    seen: set[Instruction] = set() if linked else {build(op.CAPABILITY, LINKAGE_CAPABILITY)}
    preamble = []
    for words in program.preamble:
        if words[0] & 0xFFFF in (op.CAPABILITY, op.EXTENSION):
            if words in seen:
                continue
            seen.add(words)
        preamble.append(words)
    return replace(program, preamble=tuple(preamble))


def _call_initialisers(program: Program, names: Sequence[str]) -> Program:
    if not names:
        return program
    known = program.names()
    # Units of one source, compiled with different macros, have one name.
    functions = [each for name in dict.fromkeys(names) for each in program.functions if known.get(each) == name]
    graph, variables = program.graph(), program.variables()
    writes = {
        each: {
            variable
            for function in reach(graph, each)
            if function in program.functions
            for variable in _written(program, function, variables)
        }
        for each in functions
    }
    functions = _in_order(program, functions, graph)
    calls: dict[int, set[int]] = {}
    for entry in program.entries():
        calls.setdefault(entry.function, set()).update(_needed(graph, entry.function, writes))
    bound = program.module.bound
    sets = {words[1] for words in program.preamble if is_debug_set(words)}
    bodies = dict(program.functions)
    for entry_function, needed in calls.items():
        called = [each for each in functions if each in needed]
        instructions = [
            build(op.FUNCTION_CALL, _return_type(bodies[each]), bound + index, each)
            for index, each in enumerate(called)
        ]
        bound += len(called)
        bodies[entry_function] = _with_first(bodies[entry_function], instructions, sets)
    return replace(program, module=replace(program.module, bound=bound), functions=bodies)


def _in_order(program: Program, functions: Sequence[int], graph: Mapping[int, Iterable[int]]) -> list[int]:
    """Return initialisers so that each comes after those of the variables it reads, else as they were.

    Raises: LinkError for some that need one another.
    """
    variables = program.variables()
    sets = {each: set(_written(program, each, variables)) for each in functions}
    reads = {each: reach(graph, each).keys() - sets[each] for each in functions}
    before = {each: [other for other in functions if not sets[other].isdisjoint(reads[each])] for each in functions}
    done: dict[int, None] = {}
    while len(done) < len(functions):
        left = [each for each in functions if each not in done]
        ready = next((each for each in left if done.keys() >= set(before[each])), None)
        if ready is None:
            names = program.names()
            units = [names[each].removeprefix(INITIALISER) for each in left]
            raise LinkError(
                "global variables of several units are initialised from one another",
                context=[("image", program.module.name), ("units", ", ".join(units))],
                hint="initialise them in one unit, or in a function that the entry point calls",
            )
        done[ready] = None
    return list(done)


def _needed(graph: Mapping[int, Iterable[int]], function: int, writes: Mapping[int, Collection[int]]) -> set[int]:
    """Return the initialisers that write what the function, or another initialiser, touches."""
    needed: set[int] = set()
    while True:
        touched = reach(graph, function, *needed)
        more = {each for each, written in writes.items() if not touched.keys().isdisjoint(written)} - needed
        if not more:
            return needed
        needed |= more


def _written(program: Program, function: int, variables: Collection[int]) -> Iterator[int]:
    """Yield the global variables that a function may change, directly or through a pointer it passes on."""
    bases: dict[int, int] = {}
    for words in program.functions[function]:
        opcode = words[0] & 0xFFFF
        if opcode in _CHAINS:
            bases[words[2]] = bases.get(words[3], words[3])
        if opcode not in _READS:
            for at in program.module.ids(words):
                base = bases.get(words[at], words[at])
                if base in variables:
                    yield base


def _return_type(body: Iterable[Instruction]) -> int:
    return next(words[1] for words in body if words[0] & 0xFFFF == op.FUNCTION)


def _with_first(
    body: tuple[Instruction, ...], instructions: Iterable[Instruction], debug_sets: Collection[int]
) -> tuple[Instruction, ...]:
    """Return a function's body with instructions inserted after the variables of its first block.

    Shape: if debug information begins there, it covers them as well.
    """
    at = 1 + next(index for index, words in enumerate(body) if words[0] & 0xFFFF == op.LABEL)
    after = at
    while body[at][0] & 0xFFFF in _WITH_VARIABLES:
        at += 1
        if body[at - 1][0] & 0xFFFF == op.VARIABLE:
            after = at
    for kind in (DEFINITION, SCOPE, DEBUG_LINE):
        words = body[after]
        if words[0] & 0xFFFF == op.EXT_INST and words[3] in debug_sets and words[4] == kind:
            after += 1
    return (*body[:after], *instructions, *body[after:])
