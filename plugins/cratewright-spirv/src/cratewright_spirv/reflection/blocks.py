"""The memory layout of blocks: what a host writes into a buffer or a push constant.

Source: the Vulkan specification, "Offset and Stride Assignment"; a module's decorations contain all of it.
"""

from __future__ import annotations

from ..binary import opcodes as op
from ..binary.enumerants import ARRAY_STRIDE, MATRIX_STRIDE, OFFSET, ROW_MAJOR
from ..binary.shapes import POINTER_SIZE, Shapes

Row = dict[str, object]

_DEEPEST = 32
_NOTHING: dict[int, tuple[int, ...]] = {}


class Blocks:
    """The layouts of a module's structs, each computed once."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._known: dict[tuple[int, int], Row] = {}

    def layout(self, type_id: int, depth: int = 0) -> Row:
        """Return the layout of a struct, ready for JSON.

        Shape: `name`, `size` and `members` in order, each with `name`, `type` as in GLSL without its array dimensions,
        `offset` and `size`; where they apply, `array` with the dimensions from the outermost inwards (0 is without
        bound) and `array_strides` in the same order, `matrix_stride`, `row_major`, and `members` of a struct. A pointer
        to a buffer is a `uint64_t`. Array lengths that are specialised have their defaults.
        Units: bytes
        """
        shapes, fields = self._shapes, self._shapes.fields
        marks = shapes.members.get(type_id, {})
        members: list[Row] = []
        for index, kind in enumerate(shapes.definitions[type_id][2:]):
            own = marks.get(index, _NOTHING)
            offset = own.get(OFFSET, (0,))[0]
            members.append({"name": fields.get((type_id, index)), "offset": offset, **self._type(kind, own, depth)})
        return {"name": shapes.names.get(type_id), "size": shapes.size(type_id), "members": members}

    def _type(self, kind: int, own: dict[int, tuple[int, ...]], depth: int) -> Row:
        # Only for matrices does the layout depend on the member's own decorations.
        if MATRIX_STRIDE in own or ROW_MAJOR in own:
            return self._found(kind, own, depth)
        row = self._known.get((kind, depth))
        if row is None:
            row = self._known[kind, depth] = self._found(kind, own, depth)
        return row

    def _found(self, kind: int, own: dict[int, tuple[int, ...]], depth: int) -> Row:
        shapes = self._shapes
        row: Row = {"size": shapes.size(kind, own)}
        dimensions: list[int] = []
        strides: list[int] = []
        while shapes.opcode(kind) in (op.TYPE_ARRAY, op.TYPE_RUNTIME_ARRAY):
            dimensions.append(shapes.length(kind))
            strides.append(shapes.decorations.get(kind, {}).get(ARRAY_STRIDE, (0,))[0])
            kind = shapes.definitions[kind][2]
        if dimensions:
            row |= {"array": dimensions, "array_strides": strides}
        opcode = shapes.opcode(kind)
        if opcode == op.TYPE_STRUCT and depth < _DEEPEST:
            inner = self.layout(kind, depth + 1)
            return {**row, "type": inner["name"], "element_size": inner["size"], "members": inner["members"]}
        if opcode == op.TYPE_POINTER:
            return {**row, "type": "uint64_t", "element_size": POINTER_SIZE}
        if opcode == op.TYPE_MATRIX:
            row |= {"matrix_stride": own.get(MATRIX_STRIDE, (0,))[0], "row_major": ROW_MAJOR in own}
        return {**row, "type": shapes.name(kind), "element_size": shapes.size(kind, own)}
