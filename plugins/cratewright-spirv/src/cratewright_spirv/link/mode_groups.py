"""Execution modes: which exclude each other, and how GLSL declares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..base.implied import Mode
from ..binary import enumerants as spv

__all__ = ["as_declared", "group_of"]

_ONE_OF: Mapping[str, Sequence[int]] = {
    "depth": (spv.DEPTH_REPLACING, spv.DEPTH_GREATER, spv.DEPTH_LESS, spv.DEPTH_UNCHANGED),
    "interlock": range(spv.PIXEL_INTERLOCK_ORDERED, spv.SHADING_RATE_INTERLOCK_UNORDERED + 1),
    "derivative group": (spv.DERIVATIVE_GROUP_QUADS, spv.DERIVATIVE_GROUP_LINEAR),
    "input primitive": range(spv.INPUT_POINTS, spv.ISOLINES + 1),
    "output primitive": (
        spv.OUTPUT_POINTS,
        spv.OUTPUT_LINE_STRIP,
        spv.OUTPUT_TRIANGLE_STRIP,
        spv.OUTPUT_TRIANGLES,
        spv.OUTPUT_LINES,
    ),
    "vertices": (spv.OUTPUT_VERTICES,),
    "primitives": (spv.OUTPUT_PRIMITIVES,),
    "invocations": (spv.INVOCATIONS,),
    "spacing": (spv.SPACING_EQUAL, spv.SPACING_FRACTIONAL_EVEN, spv.SPACING_FRACTIONAL_ODD),
    "order": (spv.VERTEX_ORDER_CW, spv.VERTEX_ORDER_CCW),
    "origin": (spv.ORIGIN_UPPER_LEFT, spv.ORIGIN_LOWER_LEFT),
    "size": (spv.LOCAL_SIZE, spv.LOCAL_SIZE_ID),
    "front stencil": range(spv.STENCIL_REF_UNCHANGED_FRONT, spv.STENCIL_REF_LESS_FRONT + 1),
    "back stencil": range(spv.STENCIL_REF_UNCHANGED_BACK, spv.STENCIL_REF_LESS_BACK + 1),
}
_GROUP = {mode: name for name, modes in _ONE_OF.items() for mode in modes}
_BY_WIDTH = {
    **dict.fromkeys((spv.DENORM_PRESERVE, spv.DENORM_FLUSH_TO_ZERO), "denorms"),
    **dict.fromkeys((spv.ROUNDING_MODE_RTE, spv.ROUNDING_MODE_RTZ), "rounding"),
}
_NAMES = {
    spv.INVOCATIONS: "invocations = {}",
    spv.SPACING_EQUAL: "equal_spacing",
    spv.SPACING_FRACTIONAL_EVEN: "fractional_even_spacing",
    spv.SPACING_FRACTIONAL_ODD: "fractional_odd_spacing",
    spv.VERTEX_ORDER_CW: "cw",
    spv.VERTEX_ORDER_CCW: "ccw",
    spv.PIXEL_CENTER_INTEGER: "pixel_center_integer",
    spv.EARLY_FRAGMENT_TESTS: "early_fragment_tests",
    spv.POINT_MODE: "point_mode",
    spv.XFB: "xfb_buffer",
    spv.DEPTH_REPLACING: "depth_any",
    spv.DEPTH_GREATER: "depth_greater",
    spv.DEPTH_LESS: "depth_less",
    spv.DEPTH_UNCHANGED: "depth_unchanged",
    spv.LOCAL_SIZE: "local_size = {} {} {}",
    **dict.fromkeys((spv.INPUT_POINTS, spv.OUTPUT_POINTS), "points"),
    **dict.fromkeys((spv.INPUT_LINES, spv.OUTPUT_LINES), "lines"),
    spv.INPUT_LINES_ADJACENCY: "lines_adjacency",
    **dict.fromkeys((spv.TRIANGLES, spv.OUTPUT_TRIANGLES), "triangles"),
    spv.INPUT_TRIANGLES_ADJACENCY: "triangles_adjacency",
    spv.QUADS: "quads",
    spv.ISOLINES: "isolines",
    spv.OUTPUT_VERTICES: "vertices = {}",
    spv.OUTPUT_LINE_STRIP: "line_strip",
    spv.OUTPUT_TRIANGLE_STRIP: "triangle_strip",
    spv.POST_DEPTH_COVERAGE: "post_depth_coverage",
    spv.OUTPUT_PRIMITIVES: "max_primitives = {}",
    spv.DERIVATIVE_GROUP_QUADS: "derivative_group_quadsNV",
    spv.DERIVATIVE_GROUP_LINEAR: "derivative_group_linearNV",
    spv.PIXEL_INTERLOCK_ORDERED: "pixel_interlock_ordered",
    spv.PIXEL_INTERLOCK_UNORDERED: "pixel_interlock_unordered",
    spv.SAMPLE_INTERLOCK_ORDERED: "sample_interlock_ordered",
    spv.SAMPLE_INTERLOCK_UNORDERED: "sample_interlock_unordered",
}


def group_of(mode: Mode) -> object:
    """Return the group of a mode, of which an entry point can have only one."""
    if mode[0] in _BY_WIDTH:
        return _BY_WIDTH[mode[0]], mode[1]
    return _GROUP.get(mode[0], (mode,))


def as_declared(mode: Mode) -> str:
    """Return a mode as a source declares it."""
    if mode[0] == spv.LOCAL_SIZE_ID:
        pairs = zip("xyz", mode[1::2], mode[2::2], strict=True)
        return ", ".join(
            f"local_size_{axis}_id = {number}" if number >= 0 else f"local_size_{axis} = {value}"
            for axis, value, number in pairs
        )
    name = _NAMES.get(mode[0])
    return name.format(*mode[1:]) if name else f"execution mode {' '.join(map(str, mode))}"
