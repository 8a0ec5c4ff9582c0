"""Refuses images with recursive calls, or with operations that their stage does not allow.

Functions are identified by debug names, which the caller can describe.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from cratewright import LinkError, dataclass

from . import enumerants as spv
from . import opcodes as op
from .module import parse, string
from .program import Program, ProgramEntry
from .restrictions import BUILT_INS, EXTENDED, INTERFACES, OPERATIONS, Restriction, located_variable, shared_variable
from .workgroup import asks_for_size

_WORKGROUP_SCOPE = 2
# Bits of memory semantics: what a barrier orders.
_WORKGROUP_MEMORY, _ALL_MEMORY = 0x100, 0xFC0
_VERSION_1_3 = 0x10300

Graph = Mapping[int, Collection[int]]


@dataclass(frozen=True, slots=True)
class _Finding:
    restriction: Restriction
    entry: ProgramEntry
    path: Sequence[int]


def check(data: bytes, *, name: str, describe: Callable[[str], str]) -> None:
    """Check the calls of a finalised module; `describe` makes a function's debug name readable.

    Raises: LinkError for recursion, and for an operation that an entry point reaches but its stage lacks: the first in
    module order, with the number of others.
    """
    check_program(Program.of(parse(data, name)), name=name, describe=describe)


def check_program(program: Program, *, name: str, describe: Callable[[str], str]) -> None:
    """Check a finalised program, as `check` does with its bytes.

    Raises: LinkError, as there.
    """
    graph, names, entries = program.graph(), program.names(), program.entries()
    cycle = _cycle(graph, program.functions)
    restricted = {} if cycle else _restricted(program, graph, names)
    findings = [each for entry in entries for each in _findings(program, graph, restricted, entry)]
    if not cycle and not findings:
        return
    titles = {each: describe(names.get(each, f"%{each}")) for each in program.functions}
    titles.update({entry.function: entry.name for entry in entries})
    raise _recursion(name, cycle, titles) if cycle else _wrong_stage(name, findings, titles)


def _recursion(name: str, cycle: Sequence[int], titles: Mapping[int, str]) -> LinkError:
    return LinkError(
        f"{titles[cycle[0]]} calls itself, which SPIR-V does not allow",
        context=[("image", name), ("path", _arrows(cycle, titles))],
        hint="turn the recursion into a loop",
    )


def _wrong_stage(name: str, findings: Sequence[_Finding], titles: Mapping[int, str]) -> LinkError:
    first, others = findings[0], len(findings) - 1
    restriction, entry = first.restriction, first.entry
    *but_last, last = restriction.stages
    allowed = f"{', '.join(but_last)} or {last}" if but_last else last
    article = "an" if allowed[0] in "aeiou" else "a"
    rows = [("image", name), ("path", _arrows(first.path, titles))]
    if others:
        rows.append(("others", f"{others} more"))
    where = titles[first.path[-1]]
    return LinkError(
        f"{restriction.what} {restriction.verb} in {article} {allowed} shader, "
        f"but {entry.stage} entry point `{entry.name}` reaches it",
        context=rows,
        hint=restriction.hint or f"take it out of {where}, or do not call that from {entry.stage} shaders",
    )


def _arrows(path: Iterable[int], titles: Mapping[int, str]) -> str:
    return " -> ".join(titles[each] for each in path)


def _cycle(graph: Graph, functions: Iterable[int]) -> list[int]:
    """Return the functions of the first cycle of calls, which ends where it starts, or nothing."""
    known = set(functions)
    done: set[int] = set()
    for start in functions:
        path: dict[int, Iterator[int]] = {} if start in done else {start: iter(graph.get(start, ()))}
        while path:
            function, callees = next(reversed(path.items()))
            callee = next((each for each in callees if each in known and each not in done), None)
            if callee is None:
                done.add(function)
                del path[function]
            elif callee in path:
                cycle = list(path)
                return [*cycle[cycle.index(callee) :], callee]
            else:
                path[callee] = iter(graph.get(callee, ()))
    return []


def _findings(
    program: Program, graph: Graph, restricted: Mapping[int, Iterable[Restriction]], entry: ProgramEntry
) -> Iterator[_Finding]:
    """Yield what the entry point must not reach, nearest first, each with its shortest path."""
    modes = {
        words[2] for words in program.preamble if words[0] & 0xFFFF == op.EXECUTION_MODE and words[1] == entry.function
    }
    paths = {entry.function: [entry.function]}
    for function in (queue := [entry.function]):
        for restriction in restricted.get(function, ()):
            if not restriction.permits(entry.stage, modes):
                yield _Finding(restriction, entry, paths[function])
        for callee in graph.get(function, ()):
            if callee in program.functions and callee not in paths:
                paths[callee] = [*paths[function], callee]
                queue.append(callee)


def _restricted(program: Program, graph: Graph, names: Mapping[int, str]) -> dict[int, list[Restriction]]:
    """Return the restricted operations of each function, without repeats."""
    variables = _restricted_variables(program, names)
    sized = asks_for_size(program)
    asking = program.references(sized) if sized else {}
    barriers, extended, shared = _workgroup_scopes(program), _extended_sets(program), _shared_semantics(program)
    found: dict[int, list[Restriction]] = {}
    for function, body in program.functions.items():
        own = {variables[each]: None for each in graph.get(function, ()) if each in variables}
        if asking.get(function):
            own[BUILT_INS[spv.WORKGROUP_SIZE]] = None
        for words in body:
            opcode = words[0] & 0xFFFF
            restriction = OPERATIONS.get(opcode)
            if opcode == op.EXT_INST and words[3] in extended:
                restriction = EXTENDED.get(words[4])
            elif (opcode == op.CONTROL_BARRIER and barriers is not None and words[1] not in barriers) or (
                opcode == op.MEMORY_BARRIER and words[2] not in shared
            ):
                restriction = None
            if restriction:
                own[restriction] = None
        found[function] = list(own)
    return found


def _restricted_variables(program: Program, names: Mapping[int, str]) -> dict[int, Restriction]:
    marks: dict[int, dict[int, int]] = {}
    elements: dict[int, int] = {}
    pointees: dict[int, int] = {}
    found: dict[int, Restriction] = {}
    for words in program.preamble:
        opcode = words[0] & 0xFFFF
        if opcode in (op.DECORATE, op.MEMBER_DECORATE):
            kind, *values = words[2:] if opcode == op.DECORATE else words[3:]
            marks.setdefault(words[1], {}).setdefault(kind, values[0] if values else 0)
        elif opcode == op.TYPE_ARRAY:
            elements[words[1]] = words[2]
        elif opcode == op.TYPE_POINTER:
            pointees[words[1]] = words[3]
        elif opcode == op.VARIABLE:
            name, storage, held = names.get(words[2]) or f"%{words[2]}", words[3], pointees[words[1]]
            if storage == spv.WORKGROUP:
                found[words[2]] = shared_variable(name)
                continue
            inner = elements.get(held, held)
            own = {**marks.get(elements.get(inner, inner), {}), **marks.get(inner, {}), **marks.get(words[2], {})}
            number = own.get(spv.BUILT_IN, -1)
            # Distances are arrays, outside of blocks.
            depth = 1 + (number in (spv.CLIP_DISTANCE, spv.CULL_DISTANCE) and spv.BUILT_IN in marks.get(words[2], {}))
            is_array = held in elements and (depth == 1 or inner in elements)
            if number in BUILT_INS or (storage, is_array, number) in INTERFACES:
                found[words[2]] = INTERFACES.get((storage, is_array, number)) or BUILT_INS[number]
            elif spv.LOCATION in own and storage in (spv.INPUT, spv.OUTPUT) and spv.PER_TASK not in own:
                found[words[2]] = located_variable(name, storage, is_array=is_array, is_patch=spv.PATCH in own)
    return found


def _workgroup_scopes(program: Program) -> set[int] | None:
    """Return the constants that mean the scope of a workgroup, or None if every barrier is restricted."""
    if program.module.version < _VERSION_1_3:
        return None
    return {
        words[2] for words in program.preamble if words[0] & 0xFFFF == op.CONSTANT and words[3:] == (_WORKGROUP_SCOPE,)
    }


def _shared_semantics(program: Program) -> set[int]:
    """Return the constants that order accesses of shared variables and of nothing else."""
    return {
        words[2]
        for words in program.preamble
        if words[0] & 0xFFFF == op.CONSTANT and words[3] & _ALL_MEMORY == _WORKGROUP_MEMORY
    }


def _extended_sets(program: Program) -> set[int]:
    return {
        words[1]
        for words in program.preamble
        if words[0] & 0xFFFF == op.EXT_INST_IMPORT and string(words, 2)[0] == "GLSL.std.450"
    }
