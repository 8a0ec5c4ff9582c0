"""The interface of a finished module: entry points, descriptors, constants, inputs and outputs.

All answers are plain values in a fixed order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from cratewright import EntryPoint, ToolError, content_digest

from ..base.stopwatch import step
from ..binary import enumerants as spv
from ..binary import opcodes as op
from ..binary.module import HEADER_WORDS, MAGIC_BYTES, parse
from ..binary.operands import Instruction
from ..binary.program import VERSION_1_4, Program, ProgramEntry, reach
from ..binary.shapes import ScalarValue, Shapes
from ..spirv_tools.library import load
from .blocks import Blocks, Row

_DIM_BUFFER, _DIM_SUBPASS = 5, 6
_STORAGE_IMAGE = 2
_NOT_BLOCKS = {
    op.TYPE_SAMPLER: "sampler",
    op.TYPE_ACCELERATION_STRUCTURE_KHR: "acceleration-structure",
}


def entry_points(data: bytes, *, name: str = "module") -> tuple[EntryPoint, ...]:
    """Return the entry points in module order."""
    return tuple(EntryPoint(each.stage, each.name) for each in Program.of(parse(data, name)).entries())


def instruction_count(data: bytes) -> int:
    """Return how many instructions a well-formed module has."""
    with suppress(ToolError):
        return int(load().cratewright_spirv_instructions(data, len(data)))
    return count_instructions(data)


def count_instructions(data: bytes) -> int:
    """The same without the library."""
    words = memoryview(data).cast("I")
    count, at = 0, HEADER_WORDS
    while at < len(words):
        at += words[at] >> 16
        count += 1
    return count


@step("describe interface")
def interface(data: bytes, *, name: str = "module") -> Row:
    """Return what a host must know to use the module, as JSON values.

    Shape: `entry_points`, each with its stage, name, workgroup_size, descriptors, push_constant_size, inputs
    and outputs, and `spec_constants` of the whole module. A descriptor count of 0 is an array without bound.
    Descriptors that are blocks and `push_constants` have a `block`: a layout as of `Blocks`.
    From SPIR-V 1.4 on an entry point's own list of globals is taken, which may name what it declares and does
    not use; before that, what its calls reach.
    Units: push_constant_size in bytes
    """
    listed = int.from_bytes(data[4:8], "little") >= VERSION_1_4
    program = Program.of(parse(data, name, bodies=not listed))
    shapes = Shapes(program.preamble)
    layouts = Blocks(shapes)
    graph, variables = {} if listed else program.graph(), program.variables()
    rows: list[Row] = []
    for entry in program.entries():
        reached = program.interface(entry) if listed else reach(graph, entry.function)
        used = [words for each, words in variables.items() if each in reached]
        size = _local_size(program, shapes, entry)
        row: Row = {"stage": entry.stage, "name": entry.name}
        row.update({"workgroup_size": [int(value or 0) for value in size]} if size else {})
        row["descriptors"] = _descriptors(shapes, used, layouts)
        pushed = max(
            (shapes.pointee(each[1]) for each in used if each[3] == spv.PUSH_CONSTANT), key=shapes.size, default=None
        )
        row["push_constant_size"] = 0 if pushed is None else shapes.size(pushed)
        if pushed is not None:
            row["push_constants"] = {"name": shapes.names.get(pushed, ""), "block": layouts.layout(pushed)}
        row["inputs"] = _located(shapes, [each for each in used if each[3] == spv.INPUT])
        row["outputs"] = _located(shapes, [each for each in used if each[3] == spv.OUTPUT])
        rows.append(row)
    return {"entry_points": rows, "spec_constants": _spec_constants(shapes)}


def _local_size(program: Program, shapes: Shapes, entry: ProgramEntry) -> Sequence[ScalarValue | None]:
    """Return the size of an entry point's workgroup, empty in stages without any."""
    for each, marks in shapes.decorations.items():
        # a constant decorated so overrides every entry point's own size
        if marks.get(spv.BUILT_IN) == (spv.WORKGROUP_SIZE,) and each in shapes.definitions:
            return shapes.components(each)
    for words in program.preamble:
        opcode = words[0] & 0xFFFF
        if opcode not in (op.EXECUTION_MODE, op.EXECUTION_MODE_ID) or words[1] != entry.function:
            continue
        if words[2] == spv.LOCAL_SIZE:
            return words[3:6]
        if words[2] == spv.LOCAL_SIZE_ID:
            return [shapes.value(each) for each in words[3:6]]
    return ()


def _descriptors(shapes: Shapes, variables: list[Instruction], layouts: Blocks) -> list[Row]:
    found = []
    for words in variables:
        marks = shapes.decorations.get(words[2], {})
        if spv.BINDING in marks:
            type_id, count = shapes.element(shapes.pointee(words[1]))
            row: Row = {
                "set": marks.get(spv.DESCRIPTOR_SET, (0,))[0],
                "binding": marks[spv.BINDING][0],
                "kind": _kind(shapes, words[3], type_id),
                "name": shapes.names.get(words[2]) or shapes.names.get(type_id, ""),
                "count": count,
            }
            if shapes.opcode(type_id) == op.TYPE_STRUCT:
                row["block"] = layouts.layout(type_id)
            found.append(row)
    return sorted(found, key=descriptor_order)


def descriptor_order(row: Row) -> list[Any]:
    """Return a key by which descriptors are sorted."""
    return [row[word] for word in ("set", "binding", "kind", "name")]


def _kind(shapes: Shapes, storage: int, type_id: int) -> str:
    if storage == spv.STORAGE_BUFFER or spv.BUFFER_BLOCK in shapes.decorations.get(type_id, {}):
        return "storage-buffer"
    if storage == spv.UNIFORM:
        return "uniform-buffer"
    opcode = shapes.opcode(type_id)
    if opcode in _NOT_BLOCKS:
        return _NOT_BLOCKS[opcode]
    sampled = opcode == op.TYPE_SAMPLED_IMAGE
    image = shapes.definitions[shapes.definitions[type_id][2] if sampled else type_id]
    if image[0] & 0xFFFF != op.TYPE_IMAGE:
        return op.INSTRUCTIONS[opcode][0].removeprefix("OpType").lower()
    if image[3] == _DIM_SUBPASS:
        return "input-attachment"
    storage_image = image[7] == _STORAGE_IMAGE
    if image[3] == _DIM_BUFFER:
        return "storage-texel-buffer" if storage_image else "uniform-texel-buffer"
    if sampled:
        return "combined-image-sampler"
    return "storage-image" if storage_image else "sampled-image"


def _located(shapes: Shapes, variables: list[Instruction]) -> list[Row]:
    found = []
    for words in variables:
        name = shapes.names.get(words[2], "")
        marks, type_id = shapes.decorations.get(words[2], {}), shapes.pointee(words[1])
        if spv.LOCATION in marks:
            found.append(_location(marks, name, shapes.name(type_id)))
            continue
        block = shapes.element(type_id)[0]
        for index, member in sorted(shapes.members.get(block, {}).items()):
            if spv.LOCATION in member:
                field = shapes.fields.get((block, index), str(index))
                kind = shapes.name(shapes.definitions[block][2 + index])
                found.append(_location(member, f"{name or shapes.names.get(block, '')}.{field}", kind))
    return sorted(found, key=lambda row: (row["location"], row["component"], row.get("index", 0), row["name"]))


def _location(marks: dict[int, tuple[int, ...]], name: str, kind: str) -> Row:
    return {
        "location": marks[spv.LOCATION][0],
        "component": marks.get(spv.COMPONENT, (0,))[0],
        # One of the two colours of a blended attachment.
        **({"index": marks[spv.INDEX][0]} if spv.INDEX in marks else {}),
        "name": name,
        "type": kind,
    }


def _spec_constants(shapes: Shapes) -> list[Row]:
    found: list[Row] = []
    for each, marks in shapes.decorations.items():
        if spv.SPEC_ID in marks and each in shapes.definitions:
            row: Row = {
                "id": marks[spv.SPEC_ID][0],
                "name": shapes.names.get(each, ""),
                "type": shapes.name(shapes.definitions[each][1]),
                "default": shapes.value(each),
            }
            # each unit that uses a constant declares it
            if row not in found:
                found.append(row)
    return sorted(found, key=lambda row: (row["id"], row["name"]))


def describe_module(path: str, data: bytes) -> Mapping[str, object] | None:
    """Return what `cratewright inspect` shows of a module, None for a file that is none.

    Raises: FormatError for a damaged one.
    """
    if data[:4] != MAGIC_BYTES:
        return None
    found: dict[str, object] = {
        "kind": "SPIR-V module",
        "version": f"{data[6]}.{data[5]}" if len(data) > 6 else "",
        "size": len(data),
        "sha256": content_digest(data),
        "instructions": instruction_count(data),
    }
    return {**found, **interface(data, name=path)}
