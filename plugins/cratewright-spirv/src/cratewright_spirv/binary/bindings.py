"""What a global variable is bound to: a slot in the interface of its stage, or a name that all its units share."""

from __future__ import annotations

from collections.abc import Mapping

from . import enumerants as spv
from . import opcodes as op
from .contents import Contents
from .operands import Instruction

_BOUND_BY_NAME = frozenset({spv.WORKGROUP, spv.PRIVATE, spv.CALLABLE_DATA, spv.RAY_PAYLOAD})
# An entry point has one of each of these, whatever its name.
_SINGLE = {
    spv.INCOMING_CALLABLE_DATA: "callableDataInEXT",
    spv.HIT_ATTRIBUTE: "hitAttributeEXT",
    spv.INCOMING_RAY_PAYLOAD: "rayPayloadInEXT",
    spv.TASK_PAYLOAD: "taskPayloadSharedEXT",
}


def shared_name(variable: Instruction, name: str) -> str:
    """Return the name under which the units of a stage share a variable; empty if each has its own."""
    single = _SINGLE.get(variable[3])
    return single or (name if variable[3] in _BOUND_BY_NAME else "")


def block_type(definitions: Mapping[int, Instruction], variable: Instruction) -> int:
    """Return the type of a variable, or of its elements."""
    pointee = definitions[variable[1]][3]
    while definitions[pointee][0] & 0xFFFF in (op.TYPE_ARRAY, op.TYPE_RUNTIME_ARRAY):
        pointee = definitions[pointee][2]
    return pointee


def resource_names(contents: Contents, number: int, variable: Instruction) -> list[str]:
    """Return the names by which units may know a variable: its own and its block's; none of push constants.

    Shape: in HLSL, glslang lets equal buffers share the block of one of them.
    """
    if variable[3] == spv.PUSH_CONSTANT:
        return []
    pointee = block_type(contents.definitions, variable)
    is_struct = contents.definitions[pointee][0] & 0xFFFF == op.TYPE_STRUCT
    own = contents.names.get(number, "")
    return [name for name in dict.fromkeys((own, contents.names.get(pointee, "") if is_struct else "")) if name]


def block_of(contents: Contents, variable: Instruction) -> str:
    """Return the name of a block of built-in variables, and whether it is input or output."""
    if variable[3] not in (spv.INPUT, spv.OUTPUT):
        return ""
    number = contents.definitions[variable[1]][3]
    if contents.definitions[number][0] & 0xFFFF == op.TYPE_ARRAY:
        number = contents.definitions[number][2]
    is_block = any(
        words[0] & 0xFFFF == op.MEMBER_DECORATE and words[3] == spv.BUILT_IN for words in contents.marks.get(number, ())
    )
    return f"{contents.names.get(number, '')} {'in' if variable[3] == spv.INPUT else 'out'}" if is_block else ""


def slot_of(storage: int, marks: Mapping[int, tuple[int, ...]]) -> str:
    """Return the slot that a variable is bound to, as in GLSL; empty if it has none."""
    if storage == spv.PUSH_CONSTANT:
        return "push_constant"
    if spv.BINDING in marks:
        return f"set = {marks.get(spv.DESCRIPTOR_SET, (0,))[0]}, binding = {marks[spv.BINDING][0]}"
    if storage in (spv.INPUT, spv.OUTPUT):
        word = "in" if storage == spv.INPUT else "out"
        if spv.BUILT_IN in marks:
            return f"built-in {marks[spv.BUILT_IN][0]} {word}"
        if spv.LOCATION in marks:
            more = "".join(
                f", {name} = {marks[each][0]}"
                for each, name in ((spv.COMPONENT, "component"), (spv.INDEX, "index"))
                if marks.get(each, (0,)) != (0,)
            )
            return f"location = {marks[spv.LOCATION][0]}{more} {word}"
    return ""
