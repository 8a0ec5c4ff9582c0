"""The types of cases, and short constructors for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

COUNT = 256
"""The length of the buffer that compute shaders write. As many workgroups run as fill it."""


@dataclass(frozen=True, kw_only=True)
class Linked:
    """A shader and libraries that must behave like one unit with all their sources.

    In all texts, `@` stands for the number of the case and `INCLUDE` for including `header`. `layout` comes before
    everything in one unit, and before `shader` in several. `one` is the single unit where joining the texts would not
    make it. `others` are more shaders that use the same libraries: layout and text. `size` is the workgroup's; 0 if the
    case is compared but not run. `constants` are the specialisations to run it with.
    """

    name: str
    stage: str = "comp"
    extensions: tuple[str, ...] = ()
    layout: str = ""
    header: str = ""
    libraries: tuple[str, ...]
    shader: str
    others: tuple[tuple[str, str], ...] = ()
    hlsl: bool = False
    hlsl_libraries: bool = False
    one: str = ""
    size: int = 0
    constants: tuple[Mapping[int, int], ...] = field(default=({},))


@dataclass(frozen=True, kw_only=True)
class CompileRefused:
    """A shader and a library that contradict each other, and words that the error must contain."""

    name: str
    stage: str = "comp"
    extensions: tuple[str, ...] = ()
    library: str
    shader: str
    words: tuple[str, ...]
    hlsl: bool = False


OUT = "layout(set = 0, binding = 0) buffer Out { uint data[]; };\n"
AT = "data[gl_GlobalInvocationID.x] = "


def compute(
    name: str,
    *libraries: str,
    call: str,
    declare: str = "uint f@();",
    size: int = 64,
    layout: str = "",
    before: str = "",
    **more: object,
) -> Linked:
    """Return a case whose shader writes the result of `call` to its element of the buffer.

    If `call` writes to `data` itself, it is the whole body of `main`.
    """
    return Linked(
        name=name,
        layout=layout or f"layout(local_size_x = {size}) in;\n",
        libraries=libraries,
        shader=f"{OUT}{before}{declare}\nvoid main() {{ {call if 'data[' in call else AT + call + ';'} }}\n",
        size=size,
        **more,  # type: ignore[arg-type]
    )


INDEX = "gl_LocalInvocationIndex"
HLSL_OUT = "[[vk::binding(0, 0)]] RWStructuredBuffer<uint> data;\n"


def hlsl_case(
    name: str, library: str, *, call: str, declare: str = "uint f@();", before: str = "", **more: object
) -> Linked:
    """Return a case in HLSL whose `main` is `call`."""
    main = "[numthreads(64, 1, 1)]\nvoid main(uint3 id : SV_DispatchThreadID, uint index : SV_GroupIndex)"
    return Linked(
        name=name,
        hlsl=True,
        libraries=(library,),
        shader=f"{before}{HLSL_OUT}{declare}\n{main} {{ {call} }}\n",
        size=64,
        **{"hlsl_libraries": True, **more},  # type: ignore[arg-type]
    )


def in_stage(name: str, stage: str, library: str, shader: str, **more: object) -> Linked:
    """Return a case of a stage that is compared, but not run."""
    return Linked(name=name, stage=stage, libraries=(library,), shader=shader, **more)  # type: ignore[arg-type]


COLOUR = "layout(location = 0) out vec4 colour;\n"
DECLARE_F = "float f@(float x);\n"
TRIANGLES = "layout(triangles) in;\nlayout(triangle_strip, max_vertices = 3) out;\n"
MESH = "layout(local_size_x = 32) in;\nlayout(triangles, max_vertices = 64, max_primitives = 126) out;\n"


def refused(
    name: str, library: str, shader: str, *words: str, declare: str = "uint f();", **more: object
) -> CompileRefused:
    """Return a contradiction of two units of a compute shader; `shader` may leave out `main`."""
    text = f"layout(local_size_x = 64) in;\n{OUT}{declare}\n{shader}"
    if "void main" not in shader:
        text += f"\nvoid main() {{ {AT}f(); }}\n"
    return CompileRefused(name=name, library=library, shader=text, words=words, **more)  # type: ignore[arg-type]


def refused_in(stage: str, name: str, library: str, shader: str, *words: str, **more: object) -> CompileRefused:
    """Return a contradiction of two units of another stage."""
    return CompileRefused(name=name, stage=stage, library=library, shader=shader, words=words, **more)  # type: ignore[arg-type]
