"""Merges equal global variables, which units that were compiled separately each declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..binary import enumerants as spv
from ..binary import opcodes as op
from ..binary.module import build
from ..binary.operands import Instruction
from ..binary.program import Program, reach

# Entry points that capture their outputs differ in these.
_CAPTURE = frozenset({spv.STREAM, spv.OFFSET, spv.XFB_BUFFER, spv.XFB_STRIDE})
# An entry point may have one of each.
_SINGLE = frozenset(
    {
        spv.INCOMING_CALLABLE_DATA,
        spv.HIT_ATTRIBUTE,
        spv.INCOMING_RAY_PAYLOAD,
        spv.SHADER_RECORD_BUFFER,
        spv.TASK_PAYLOAD,
    }
)

Decorations = Mapping[int, list[tuple[int, ...]]]
VariableKey = tuple[object, ...]


def merge_variables(program: Program) -> Program:
    """Merge built-ins, interface variables and descriptors that differ in name only.

    Built-ins and descriptors of one name merge throughout the module, since Vulkan's rules allow one of each; inputs
    and outputs with a location, built-ins that are captured for transform feedback in different ways, and descriptors
    of other names, by which hosts look them up, only where one entry point uses both. Different types at one binding
    stay aliases.
    """
    decorations = _decorations(program)
    located, built_in = _located_types(program)
    built_ins: dict[VariableKey, list[int]] = {}
    everywhere: dict[VariableKey, list[int]] = {}
    places: dict[VariableKey, dict[str, list[int]]] = {}
    names = program.names()
    by_entry: dict[VariableKey, list[int]] = {}
    for variable, words in program.variables().items():
        own = decorations.get(variable, [])
        marks = {each[1]: each for each in own}
        key: VariableKey = (words[1], *words[3:])
        if words[3] in (spv.INPUT, spv.OUTPUT) and (spv.BUILT_IN in marks or words[1] in built_in):
            built_ins.setdefault((*key, marks.get(spv.BUILT_IN), spv.FLAT in marks), []).append(variable)
        elif words[3] in _SINGLE or (
            words[3] in (spv.INPUT, spv.OUTPUT) and (spv.LOCATION in marks or words[1] in located)
        ):
            by_entry.setdefault((*key, *sorted(own)), []).append(variable)
        elif spv.BINDING in marks or words[3] == spv.PUSH_CONSTANT:
            places.setdefault((*key, *sorted(own)), {}).setdefault(names.get(variable, ""), []).append(variable)
    for place, called in places.items():
        everywhere |= {(*place, name): group for name, group in called.items()}
        if len(called) > 1:
            by_entry[place] = [variable for group in called.values() for variable in group]
    for key, group in built_ins.items():
        ways = {tuple(each for each in decorations.get(variable, ()) if each[1] in _CAPTURE) for variable in group}
        (everywhere if len(ways) == 1 else by_entry)[key] = group
    merged = {other: group[0] for group in everywhere.values() for other in group[1:]}
    merged = _merged_by_entry(program, [group for group in by_entry.values() if len(group) > 1], merged)
    return _substitute(program, merged, decorations) if merged else program


def _decorations(program: Program) -> Decorations:
    found: dict[int, list[tuple[int, ...]]] = {}
    for words in program.preamble:
        if words[0] & 0xFFFF in (op.DECORATE, op.DECORATE_ID, op.DECORATE_STRING):
            found.setdefault(words[1], []).append((words[0] & 0xFFFF, *words[2:]))
    return found


def _located_types(program: Program) -> tuple[set[int], set[int]]:
    """Return the pointer types of blocks whose members have locations, and of those that hold built-ins."""
    members: dict[int, set[int]] = {spv.LOCATION: set(), spv.BUILT_IN: set()}
    for words in program.preamble:
        opcode = words[0] & 0xFFFF
        if opcode == op.MEMBER_DECORATE and words[3] in members:
            members[words[3]].add(words[1])
        elif opcode in (op.TYPE_ARRAY, op.TYPE_POINTER):
            element = words[2] if opcode == op.TYPE_ARRAY else words[3]
            for types in members.values():
                if element in types:
                    types.add(words[1])
    return members[spv.LOCATION], members[spv.BUILT_IN]


def _merged_by_entry(program: Program, groups: list[list[int]], before: Mapping[int, int]) -> dict[int, int]:
    merged = dict(before)
    if not groups:
        return merged
    graph = program.graph()
    reached = [reach(graph, entry.function) for entry in program.entries()]
    for group in groups:
        for touched in reached:
            together = [each for each in group if each in touched]
            for each in together[1:]:
                first, second = sorted((_last(merged, together[0]), _last(merged, each)), key=group.index)
                if first != second:
                    merged[second] = first
    return {each: _last(merged, each) for each in merged}


def _last(merged: Mapping[int, int], variable: int) -> int:
    while variable in merged:
        variable = merged[variable]
    return variable


def _substitute(program: Program, merged: Mapping[int, int], decorations: Decorations) -> Program:
    rewrite = program.module.rewrite
    preamble = tuple(_rewritten_preamble(program, merged, decorations))
    functions = {
        function: tuple([rewrite(words, merged) for words in body]) for function, body in program.functions.items()
    }
    return replace(program, preamble=preamble, functions=functions)


def _rewritten_preamble(program: Program, merged: Mapping[int, int], decorations: Decorations) -> Iterator[Instruction]:
    strict = set(_not_all_relaxed(merged, decorations))
    stated = {(kept, each) for kept in set(merged.values()) for each in decorations.get(kept, ())}
    # A block of built-ins that is not captured has the buffer and stride that its unit declares for others.
    captured = {kept: {each[1] for each in decorations.get(kept, ())} for kept in set(merged.values())}
    for words in program.preamble:
        opcode = words[0] & 0xFFFF
        if opcode == op.NAME and words[1] in merged:
            continue
        if opcode == op.VARIABLE and words[2] in merged:
            continue
        if opcode in (op.DECORATE, op.DECORATE_ID, op.DECORATE_STRING):
            kept = merged.get(words[1], words[1])
            if words[2] == spv.RELAXED_PRECISION and kept in strict:
                continue
            if kept != words[1]:
                mark = (kept, (opcode, *words[2:]))
                if mark not in stated and not (words[2] in _CAPTURE and words[2] in captured.get(kept, ())):
                    stated.add(mark)
                    yield build(opcode, kept, *words[2:])
                continue
        yield program.module.rewrite(words, merged)


def _not_all_relaxed(merged: Mapping[int, int], decorations: Decorations) -> Iterable[int]:
    relaxed = (op.DECORATE, spv.RELAXED_PRECISION)
    for other, kept in merged.items():
        if relaxed not in decorations.get(other, ()) or relaxed not in decorations.get(kept, ()):
            yield kept
