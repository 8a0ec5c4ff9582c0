"""Additions that make an incomplete unit compilable: stubs, layouts, a main function, a workgroup size.

The compiler's errors show what is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cratewright import pattern

from ..base.implied import Mode
from ..binary import enumerants as spv
from ..compilers.glslang import StageSource
from ..compilers.keep_uncalled import MAIN
from ..text.diagnostics import STUB_STRING, GlslangMessage
from ..text.scan import Function
from .objects import MARKER

# A stub main needs these where the unit has no layout of its own: the compiler's request, a layout that satisfies it,
# and the resulting execution mode. Arrays get the maximum length; the link corrects it.
_LAYOUTS: dict[str, tuple[tuple[str, bytes, Mode], ...]] = {
    "geom": (
        ("input layout primitive", b"layout(triangles_adjacency) in;", (spv.INPUT_TRIANGLES_ADJACENCY,)),
        ("output layout primitive", b"layout(points) out;", (spv.OUTPUT_POINTS,)),
        ("max_vertices", b"layout(max_vertices = 1) out;", (spv.OUTPUT_VERTICES, 1)),
    ),
    "tesc": (("vertices", b"layout(vertices = 32) out;", (spv.OUTPUT_VERTICES, 32)),),
    "tese": (("input layout primitive", b"layout(triangles) in;", (spv.TRIANGLES,)),),
    "mesh": (
        ("output layout primitive", b"layout(triangles) out;", (spv.OUTPUT_TRIANGLES,)),
        ("max_vertices", b"layout(max_vertices = 256) out;", (spv.OUTPUT_VERTICES, 256)),
        ("max_primitives", b"layout(max_primitives = 256) out;", (spv.OUTPUT_PRIMITIVES, 256)),
    ),
}
_EXTENSIONS = dict.fromkeys(("mesh", "task"), b"#extension GL_EXT_mesh_shader : enable\n")
_LAYOUT_WANTED = pattern(r"Linking .* stage: At least one shader must specify (.*)")
# For a workgroup size left to the entry point: the maximum, because the compiler refuses constant indexes beyond the
# number of invocations, and valid for every derivative group.
_SIZE = b"layout(%s) in; " % b", ".join(
    b"local_size_%c = %%d, local_size_%c_id = %%d" % (axis, axis) for axis in b"xyz"
)
_SIZES = {"comp": (1024, 1024, 64), "task": (32, 32, 32), "mesh": (32, 32, 32)}
_LAST_CONSTANT = 2046
_DECLARES_SIZE = pattern(rb"\blocal_size_[xyz](?:_id)?\b")
_TAKES_SIZE = pattern(rb"\bgl_WorkGroupSize\b|\bderivative_group_\w+\b")
_CODE = pattern(rb"^[ \t]*[^\s#]", re.M)


def with_size(source: StageSource, text: bytes) -> tuple[int, bytes]:
    """Return a text whose workgroup size, if undeclared, is set by constants, and the first one's id, or 0."""
    if source.language != "glsl" or source.stage not in _SIZES or declares_size(text) or not _TAKES_SIZE.search(text):
        return 0, text
    first = _LAST_CONSTANT - 2
    while any(str(first + axis).encode() in text for axis in range(3)):
        first -= 1
    code = _CODE.search(text)
    at = code.end() - 1 if code is not None else len(text)
    x, y, z = _SIZES[source.stage]
    return first, text[:at] + _SIZE % (x, first, y, first + 1, z, first + 2) + text[at:]


def declares_size(text: bytes) -> bool:
    """Return whether a preprocessed GLSL text declares a workgroup size."""
    return b"local_size_" in text and _DECLARES_SIZE.search(text) is not None


def layouts_wanted(stage: str, messages: Iterable[GlslangMessage]) -> Iterator[tuple[bytes, Mode]]:
    """Yield the layouts that the compiler asks for, and the resulting execution modes."""
    for message in messages:
        wanted = _LAYOUT_WANTED.match(message.text)
        for words, layout, mode in _LAYOUTS.get(stage, ()) if wanted is not None else ():
            if wanted is not None and words in wanted[1]:
                yield layout, mode


def tail(source: StageSource, stubs: Sequence[Function], layout: bytes, library: bool) -> bytes:
    """Return the text to append: a line for each stub, with a number of its own, then a main."""
    parts = [b"\n#line 1 %d\n" % STUB_STRING]
    for stub in stubs:
        result = b"" if stub.result.split()[-1:] == [b"void"] else b" %s cw_result; return cw_result;" % stub.result
        parts.append(b"%s { int %s; %s = 0;%s }\n" % (stub.header, MARKER.encode(), MARKER.encode(), result))
    if library and source.language == "glsl":
        parts.append(_EXTENSIONS.get(source.stage, b"") + layout + MAIN)
    return b"".join(parts)
