"""Small shaders, one for each feature of GLSL and HLSL that touches more than one unit, and those that contradict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["COUNT", "LINKED", "REFUSED", "CompileRefused", "Linked"]

COUNT = 256
"""How many numbers the buffer has that computing shaders write; their workgroups are as many as fill it."""


@dataclass(frozen=True, kw_only=True)
class Linked:
    """A shader with libraries that computes, and offers, what it would as one unit.

    Shape: `@` in a text is the number of the case. `layout` stands in front of everything in one unit, and in front of
    `shader` in several. INCLUDE is where a text includes `header`. `size` is the workgroup's; 0 for what is not run.
    `one` is the text of one unit where it is not put together from the others. `others` are further shaders that
    use the same libraries: layout and text.
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
    """A shader and a library that contradict each other, and words that the error must have."""

    name: str
    stage: str = "comp"
    extensions: tuple[str, ...] = ()
    library: str
    shader: str
    words: tuple[str, ...]
    hlsl: bool = False


_OUT = "layout(set = 0, binding = 0) buffer Out { uint data[]; };\n"
_AT = "data[gl_GlobalInvocationID.x] = "


def _compute(
    name: str,
    *libraries: str,
    call: str,
    declare: str = "uint f@();",
    size: int = 64,
    layout: str = "",
    before: str = "",
    **more: object,
) -> Linked:
    """Return a case whose shader writes what a call gives to its place of the buffer."""
    return Linked(
        name=name,
        layout=layout or f"layout(local_size_x = {size}) in;\n",
        libraries=libraries,
        shader=f"{_OUT}{before}{declare}\nvoid main() {{ {call if 'data[' in call else _AT + call + ';'} }}\n",
        size=size,
        **more,  # type: ignore[arg-type]
    )


_INDEX = "gl_LocalInvocationIndex"
_SUM = "uint f@() { uint s = 0u; for (uint k = 0u; k < 64u; ++k) s = s * 3u + tile[k]; return s; }\n"
_FILL = f"tile[{_INDEX}] = {_INDEX} * 7u + 1u; barrier(); {_AT}f@() + {_INDEX};"

_SIZES = (
    _compute("the workgroup's size", "uint f@() { return gl_WorkGroupSize.x * 1000u; }\n", call="f@()"),
    _compute(
        "the workgroup's size, by a macro and in every dimension",
        "#define SIZE gl_WorkGroupSize\nuint f@() { return SIZE.x + SIZE.y * 100u + SIZE.z * 10000u; }\n",
        call="f@()",
        layout="layout(local_size_x = 8, local_size_y = 4, local_size_z = 2) in;\n",
    ),
    _compute(
        "the workgroup's size, in a library of the stage",
        "#pragma shader_stage(compute)\nuint f@() { return gl_WorkGroupSize.x * 1000u; }\n",
        call="f@()",
    ),
    _compute(
        "the workgroup's size, specialised",
        "uint f@() { return gl_WorkGroupSize.x * 1000u + gl_WorkGroupSize.y; }\n",
        call="f@()",
        layout="layout(local_size_x_id = 7, local_size_y = 2) in;\n",
        size=0,
    ),
    _compute(
        "the workgroup's size, specialised and run",
        "uint f@() { return gl_WorkGroupSize.x * 1000u + gl_WorkGroupSize.y; }\n",
        call="f@()",
        layout="layout(local_size_x = 32, local_size_x_id = 7) in;\n",
        size=32,
        constants=({}, {7: 32}),
    ),
    _compute(
        "a shared array of the workgroup's size",
        f"shared uint tile[gl_WorkGroupSize.x];\n"
        f"uint f@() {{ tile[{_INDEX}] = {_INDEX} * 5u; barrier(); return tile[63u - {_INDEX}] + tile.length(); }}\n",
        call="f@()",
    ),
    _compute(
        "a shared array of the workgroup's size, in two units",
        f"INCLUDE\nuint f@() {{ return tile[gl_WorkGroupSize.x - 1u - {_INDEX}]; }}\n",
        header="shared uint tile[gl_WorkGroupSize.x];\n",
        before="INCLUDE\n",
        call=f"tile[{_INDEX}] = {_INDEX} * 5u; barrier(); {_AT}f@();",
    ),
    _compute(
        "a shared array of a specialised size, in two units",
        f"INCLUDE\nuint f@() {{ return tile[gl_WorkGroupSize.x - 1u - {_INDEX}]; }}\n",
        header="shared uint tile[gl_WorkGroupSize.x * 2u];\n",
        before="INCLUDE\n",
        layout="layout(local_size_x = 32, local_size_x_id = 5) in;\n",
        size=32,
        call=f"tile[{_INDEX}] = {_INDEX} * 5u; barrier(); {_AT}f@();",
    ),
    _compute(
        "constants of the workgroup's size",
        "const uint AREA = gl_WorkGroupSize.x * gl_WorkGroupSize.y;\nconst uvec2 TWO = gl_WorkGroupSize.xy;\n"
        "const bool WIDE = gl_WorkGroupSize.x > 4u;\n"
        "uint f@() { uint a[AREA]; a[0] = 9u; return AREA * 10u + TWO.y + (WIDE ? 1000u : 0u) + a[0] + a.length(); }\n",
        call="f@()",
        layout="layout(local_size_x = 16, local_size_y = 4) in;\n",
    ),
    _compute(
        "the workgroup's size, two libraries away",
        "uint g@();\nuint f@() { return g@() + 1u; }\n",
        "uint g@() { return gl_WorkGroupSize.x * 10u; }\n",
        call="f@()",
    ),
    _compute(
        "the workgroup's size, of two entry points",
        "shared uint tile[gl_WorkGroupSize.x];\n"
        "uint f@() { tile[0] = 1u; return gl_WorkGroupSize.x + tile.length(); }\n",
        call="f@()",
        others=(
            ("layout(local_size_x = 16) in;\n", f"{_OUT}uint f@();\nvoid main() {{ {_AT}f@(); }}\n"),
            ("layout(local_size_x_id = 3) in;\n", f"{_OUT}uint f@();\nvoid main() {{ {_AT}f@(); }}\n"),
        ),
    ),
    _compute(
        "a size that the library declares",
        "layout(local_size_x = 32) in;\nuint f@() { return gl_WorkGroupSize.x; }\n",
        call="f@() + gl_WorkGroupSize.x",
        layout=" ",
        size=32,
        one=f"layout(local_size_x = 32) in;\n{_OUT}uint f@() {{ return gl_WorkGroupSize.x; }}\n"
        f"void main() {{ {_AT}f@() + gl_WorkGroupSize.x; }}\n",
    ),
    _compute(
        "a specialised size that the library declares",
        "layout(local_size_x = 32, local_size_x_id = 11) in;\nuint f@() { return 5u; }\n",
        call="f@()",
        layout=" ",
        size=32,
    ),
    _compute(
        "a size that both declare",
        "layout(local_size_x = 32) in;\nuint f@() { return gl_WorkGroupSize.x; }\n",
        call="f@()",
        size=32,
    ),
)

_SHARED = (
    _compute("a shared array", f"INCLUDE\n{_SUM}", header="shared uint tile[64];\n", before="INCLUDE\n", call=_FILL),
    _compute(
        "a shared array, each unit's own declaration",
        f"shared uint tile[64];\n{_SUM}",
        before="INCLUDE\n",
        header="shared uint tile[64];\n",
        one=f"layout(local_size_x = 64) in;\nshared uint tile[64];\n{_SUM}{_OUT}void main() {{ {_FILL} }}\n",
        call=_FILL,
    ),
    _compute(
        "a shared struct and a shared matrix",
        "INCLUDE\nuint f@() { return s.a + uint(s.b.y) + uint(m[1][0]); }\n",
        header="struct S { uint a; vec2 b; };\nshared S s;\nshared mat2 m;\n",
        before="INCLUDE\n",
        call=f"if ({_INDEX} == 0u) {{ s.a = 5u; s.b = vec2(1, 8); m = mat2(1, 2, 3, 4); }} barrier(); {_AT}f@();",
    ),
    _compute(
        "a shared array of two libraries, which the shader does not know",
        f"INCLUDE\nvoid g@() {{ tile[{_INDEX}] = {_INDEX} * 3u; barrier(); }}\n",
        f"INCLUDE\nuint f@() {{ return tile[63u - {_INDEX}]; }}\n",
        header="shared uint tile[64];\n",
        declare="uint f@(); void g@();",
        call=f"g@(); {_AT}f@();",
    ),
    _compute(
        "atomics on a shared variable",
        "INCLUDE\nvoid f@(uint by) { atomicAdd(total, by); }\n",
        header="shared uint total;\n",
        before="INCLUDE\n",
        declare="void f@(uint);",
        call=f"if ({_INDEX} == 0u) total = 0u; barrier(); f@({_INDEX}); barrier(); {_AT}total;",
    ),
    _compute(
        "a shared array of a specialised length",
        f"INCLUDE\nuint f@() {{ return tile[({_INDEX} + N) % 64u]; }}\n",
        header="layout(constant_id = 2) const uint N = 64u;\nshared uint tile[N];\n",
        before="INCLUDE\n",
        call=f"tile[{_INDEX}] = {_INDEX} * 5u; barrier(); {_AT}f@();",
        constants=({}, {2: 80}),
    ),
    _compute(
        "a shared array of two entry points, of one length each",
        f"INCLUDE\nvoid f@() {{ tile[{_INDEX}] = {_INDEX}; barrier(); }}\n",
        header="shared uint tile[gl_WorkGroupSize.x];\n",
        before="INCLUDE\n",
        declare="void f@();",
        call=f"f@(); {_AT}tile[gl_WorkGroupSize.x - 1u - {_INDEX}];",
        others=(
            (
                "layout(local_size_x = 16) in;\n",
                f"{_OUT}INCLUDE\nvoid f@();\nvoid main() {{ f@(); {_AT}tile[15u - {_INDEX}]; }}\n",
            ),
        ),
    ),
    _compute(
        "a shared block",
        "INCLUDE\nvoid f@() { a.x[1] = 3u; }\n",
        extensions=("GL_EXT_shared_memory_block",),
        header="shared A { uint x[4]; } a;\nshared B { uint y[4]; };\n",
        before="INCLUDE\n",
        declare="void f@();",
        call=f"y[0] = 1u; f@(); {_AT}a.x[1];",
        size=0,
        layout="layout(local_size_x = 64) in;\n",
    ),
    _compute(
        "a shared array that starts as zeros",
        "INCLUDE\nuint f@() { return tile[3]; }\n",
        extensions=("GL_EXT_null_initializer",),
        header="shared uint tile[64] = {};\n",
        before="INCLUDE\n",
        call="f@() + tile[1]",
        size=0,
        layout="layout(local_size_x = 64) in;\n",
    ),
)

_GLOBALS = (
    _compute(
        "a global",
        "INCLUDE\nvoid f@() { g = g * 10u + 7u; }\n",
        header="uint g;\n",
        before="INCLUDE\n",
        declare="void f@();",
        call=f"g = {_INDEX}; f@(); {_AT}g;",
    ),
    _compute(
        "a global that the shader initialises",
        "uint g;\nuint f@() { return g * 10u; }\n",
        before="uint g = 4u;\n",
        call="f@() + g",
        one=f"layout(local_size_x = 64) in;\nuint g = 4u;\nuint f@() {{ return g * 10u; }}\n{_OUT}"
        f"void main() {{ {_AT}f@() + g; }}\n",
    ),
    _compute(
        "a global that the library initialises",
        "uint g = 4u;\nuint f@() { return g * 10u; }\n",
        before="uint g;\n",
        call="f@() + g",
        one=f"layout(local_size_x = 64) in;\nuint g = 4u;\nuint f@() {{ return g * 10u; }}\n{_OUT}"
        f"void main() {{ {_AT}f@() + g; }}\n",
    ),
    _compute(
        "a global that both initialise",
        "INCLUDE\nuint f@() { g += 3u; return g; }\n",
        header="uint g = 4u;\nuint h[3] = uint[](1u, 2u, 3u);\nvec2 v = vec2(1.0, 2.0);\n",
        before="INCLUDE\n",
        call=f"g += 10u; h[1] += 5u; v.x = 9.0; uint r = f@(); {_AT}g * 100u + r + h[1] + uint(v.x);",
    ),
    _compute(
        "a global that is initialised by what is no constant",
        "uint g;\nuint f@() { return g * 10u; }\n",
        before="uint g = gl_GlobalInvocationID.x + 1u;\n",
        call="f@() + g",
        one=f"layout(local_size_x = 64) in;\nuint g = gl_GlobalInvocationID.x + 1u;\n"
        f"uint f@() {{ return g * 10u; }}\n{_OUT}void main() {{ {_AT}f@() + g; }}\n",
    ),
    _compute(
        "a global that a library initialises by what is no constant",
        "uint g = gl_GlobalInvocationID.x + 1u;\nuint f@() { return g * 10u; }\n",
        before="uint g;\n",
        call="f@() + g",
        one=f"layout(local_size_x = 64) in;\nuint g = gl_GlobalInvocationID.x + 1u;\n"
        f"uint f@() {{ return g * 10u; }}\n{_OUT}void main() {{ {_AT}f@() + g; }}\n",
    ),
    _compute(
        "a global struct, of two libraries",
        "INCLUDE\nvoid g@() { s.a = 3u; s.b[1] = 2.0; }\n",
        "INCLUDE\nuint f@() { return s.a + uint(s.b[1]) * 10u; }\n",
        header="struct S { uint a; float b[2]; };\nS s;\n",
        declare="uint f@(); void g@();",
        call=f"g@(); {_AT}f@();",
    ),
    _compute(
        "a global that is initialised from those of units behind it",
        "uint m@();\nuint A@ = m@() + 1u;\nuint f@() { return A@; }\n",
        "uint z@();\nuint M@ = z@() * 3u;\nuint m@() { return M@; }\n",
        "uint Z@ = 5u;\nuint z@() { return Z@; }\n",
        call="f@()",
        one="layout(local_size_x = 64) in;\nuint Z = 5u;\nuint z() { return Z; }\n"
        "uint M = z() * 3u;\nuint m() { return M; }\nuint A = m() + 1u;\nuint f() { return A; }\n"
        f"{_OUT}void main() {{ {_AT}f(); }}\n",
    ),
    _compute(
        "an array that another unit's initialiser reads an element of",
        "uint t[3] = uint[](gl_WorkGroupID.x, 5u, 7u);\nuint g@() { return t[1]; }\n",
        "uint g@(); uint t[3];\nuint A@ = t[2] * 10u;\nuint f@() { return A@ + g@(); }\n",
        call="f@()",
        one="layout(local_size_x = 64) in;\nuint t[3] = uint[](gl_WorkGroupID.x, 5u, 7u);\nuint g() { return t[1]; }\n"
        f"uint A = t[2] * 10u;\nuint f() {{ return A + g(); }}\n{_OUT}void main() {{ {_AT}f(); }}\n",
    ),
    _compute(
        "a global that only an initialiser shares with another unit",
        "uint s; uint g@();\nuint h@() { s = 4u; return g@(); }\nuint A@ = h@();\nuint f@() { return A@; }\n",
        "uint s;\nuint g@() { return s * 2u; }\n",
        call="f@()",
        one="layout(local_size_x = 64) in;\nuint s;\nuint g() { return s * 2u; }\n"
        "uint h() { s = 4u; return g(); }\nuint A = h();\nuint f() { return A; }\n"
        f"{_OUT}void main() {{ {_AT}f(); }}\n",
    ),
    Linked(
        name="a buffer that only an initialiser writes",
        layout="layout(local_size_x = 64) in;\n",
        libraries=(
            f"{_OUT}uint h@() {{ {_AT}gl_GlobalInvocationID.x + 3u; return 1u; }}\nuint A@ = h@();\n"
            "uint f@() { return 2u; }\n",
        ),
        shader="uint f@();\nvoid main() { f@(); }\n",
        size=64,
    ),
    Linked(
        name="a buffer that only an initialiser writes, two libraries away",
        layout="layout(local_size_x = 64) in;\n",
        libraries=(
            "uint g@();\nuint B@ = g@();\nuint f@() { return B@; }\n",
            f"{_OUT}uint h@() {{ return atomicAdd({_AT.removesuffix(' = ')}, 7u); }}\nuint A@ = h@();\n"
            "uint g@() { return 1u; }\n",
        ),
        shader="uint f@();\nvoid main() { f@(); }\n",
        size=64,
        one="layout(local_size_x = 64) in;\n"
        f"{_OUT}uint h() {{ return atomicAdd({_AT.removesuffix(' = ')}, 7u); }}\nuint A = h();\n"
        "uint g() { return 1u; }\nuint B = g();\nuint f() { return B; }\nvoid main() { f(); }\n",
    ),
    Linked(
        name="outputs that only the shader calls invariant, and only a library writes",
        stage="vert",
        libraries=("void f@(vec4 p) { gl_Position = p; gl_PointSize = 2.0; }\n",),
        shader="invariant gl_Position, gl_PointSize;\nvoid f@(vec4 p);\nvoid main() { f@(vec4(gl_VertexIndex)); }\n",
        one="invariant gl_Position, gl_PointSize;\nvoid f(vec4 p) { gl_Position = p; gl_PointSize = 2.0; }\n"
        "void main() { f(vec4(gl_VertexIndex)); }\n",
    ),
    *(
        Linked(
            name=f"{name} in an HLSL shader and a GLSL library",
            stage=stage,
            libraries=(f"float f@() {{ return float({name}); }}\n",),
            shader=f"float f@();\nfloat4 main({kind} i : {semantic}) : {out} {{ return float4(f@(), i{at}, 0, 1); }}\n",
            hlsl=True,
            one=f"float4 main({kind} i : {semantic}) : {out} {{ return float4(i{at}, i{at}, 0, 1); }}\n",
        )
        for name, stage, kind, semantic, out, at in (
            ("gl_VertexIndex", "vert", "uint", "SV_VertexID", "SV_Position", ""),
            ("gl_InstanceIndex", "vert", "uint", "SV_InstanceID", "SV_Position", ""),
            ("gl_PrimitiveID", "frag", "uint", "SV_PrimitiveID", "SV_Target", ""),
            ("gl_FrontFacing", "frag", "bool", "SV_IsFrontFace", "SV_Target", ""),
            ("gl_SampleID", "frag", "uint", "SV_SampleIndex", "SV_Target", ""),
            ("gl_FragCoord.x", "frag", "float4", "SV_Position", "SV_Target", ".x"),
        )
    ),
    Linked(
        name="an image that only an initialiser writes",
        stage="frag",
        libraries=(
            "layout(set = 0, binding = 3, r32ui) uniform uimage2D image;\n"
            "uint h@() { imageStore(image, ivec2(3), uvec4(1)); return 1u; }\nuint A@ = h@();\n"
            "uint f@() { return 2u; }\n",
        ),
        shader="layout(location = 0) out uint color; uint f@();\nvoid main() { color = f@(); }\n",
    ),
    _compute(
        "constants of one name, which are each unit's own",
        "const uint K = 5u;\nuint f@() { return K; }\n",
        before="const uint K = 7u;\n",
        call="f@() * 10u + K",
        one=f"layout(local_size_x = 64) in;\nuint f@() {{ return 5u; }}\n{_OUT}const uint K = 7u;\n"
        f"void main() {{ {_AT}f@() * 10u + K; }}\n",
    ),
    _compute(
        "a global of two entry points",
        "INCLUDE\nvoid f@() { g = g * 10u + 7u; }\n",
        header="uint g = 2u;\n",
        before="INCLUDE\n",
        declare="void f@();",
        call=f"g += {_INDEX}; f@(); {_AT}g;",
        others=(
            ("layout(local_size_x = 64) in;\n", f"{_OUT}INCLUDE\nvoid f@();\nvoid main() {{ f@(); f@(); {_AT}g; }}\n"),
        ),
    ),
)

_BOUND = (
    _compute(
        "blocks that are laid out alike",
        """struct Lamp { vec4 at; float power; };
struct Paint { vec4 shade; float rough; };
layout(set = 0, binding = 2) uniform Scene { Lamp lamps[2]; Paint paints[2]; } scene;
layout(set = 0, binding = 3) buffer Lows { uint lows[]; };
uint f@() { return uint(scene.lamps[1].power * scene.paints[0].rough) + lows.length(); }
""",
        call="f@() + highs.length()",
        before="layout(set = 0, binding = 4) buffer Highs { uint highs[]; };\n",
        size=0,
        layout="layout(local_size_x = 64) in;\n",
    ),
    _compute(
        "a specialisation constant",
        "INCLUDE\nuint f@() { return N * 10u + (ON ? 1u : 0u); }\n",
        header="layout(constant_id = 1) const uint N = 3u;\nlayout(constant_id = 0) const bool ON = true;\n",
        before="INCLUDE\n",
        call="f@() + N",
        constants=({}, {1: 5, 0: 0}),
    ),
    _compute(
        "a specialisation constant of a library",
        "layout(constant_id = 0) const uint N = 3u;\nconst uint M = N * 2u;\n"
        "uint f@() { uint a[N]; a[1] = M; return a[1] + a.length(); }\n",
        call="f@()",
        constants=({}, {0: 5}),
    ),
    _compute(
        "a storage block",
        f"{_OUT}void f@(uint i, uint v) {{ data[i] = v; }}\n",
        declare="void f@(uint, uint);",
        call=f"f@(gl_GlobalInvocationID.x, {_INDEX}); data[0] = data[0];",
        one=f"layout(local_size_x = 64) in;\n{_OUT}void f@(uint i, uint v) {{ data[i] = v; }}\n"
        f"void main() {{ f@(gl_GlobalInvocationID.x, {_INDEX}); data[0] = data[0]; }}\n",
    ),
    _compute(
        "a uniform block of an array",
        "INCLUDE\nuint f@() { return uint(p.k[1].x); }\n",
        header="layout(set = 0, binding = 1) uniform P { vec4 k[4]; mat3 m; } p;\n",
        before="INCLUDE\n",
        call="f@() + uint(p.k[0].y) + uint(p.m[0].x)",
    ),
    _compute(
        "push constants",
        "INCLUDE\nuint f@() { return push.a + uint(push.b.y); }\n",
        header="layout(push_constant) uniform Push { uint a; vec2 b; } push;\n",
        before="INCLUDE\n",
        call="f@() * 10u + push.a",
    ),
    _compute(
        "push constants of a library",
        "layout(push_constant) uniform Push { uint a; vec2 b; } push;\nuint f@() { return push.a + uint(push.b.y); }\n",
        call="f@()",
    ),
    _compute(
        "an image",
        "INCLUDE\nuint f@() { return uint(imageSize(image).x); }\n",
        header="layout(set = 0, binding = 2, r32ui) uniform uimage2D image;\n",
        before="INCLUDE\n",
        size=0,
        layout="layout(local_size_x = 64) in;\n",
        call="f@() + imageLoad(image, ivec2(0)).x",
    ),
    _compute(
        "an array of samplers",
        "INCLUDE\nfloat f@(int k) { return textureLod(textures[k], vec2(0), 0.0).x; }\n",
        header="layout(set = 0, binding = 3) uniform sampler2D textures[4];\n",
        before="INCLUDE\n",
        size=0,
        layout="layout(local_size_x = 64) in;\n",
        declare="float f@(int);",
        call="uint(f@(1) + textureLod(textures[0], vec2(0), 0.0).y)",
    ),
    _compute(
        "a buffer reference",
        "INCLUDE\nuint f@(R r) { return r.x; }\n",
        size=0,
        extensions=("GL_EXT_buffer_reference",),
        layout="layout(local_size_x = 64) in;\n",
        header="layout(buffer_reference, std430) buffer R { uint x; };\n"
        "layout(push_constant) uniform Push { R r; } push;\n",
        before="INCLUDE\n",
        declare="uint f@(R r);",
        call="f@(push.r) + push.r.x",
    ),
    _compute(
        "built-in variables",
        "uint f@() { return gl_LocalInvocationID.x * 3u + gl_WorkGroupID.x; }\n",
        call="f@() + gl_GlobalInvocationID.x + gl_LocalInvocationIndex",
    ),
    _compute(
        "built-in variables of subgroups",
        "uint f@() { return gl_SubgroupSize; }\n",
        size=0,
        extensions=("GL_KHR_shader_subgroup_basic",),
        layout="layout(local_size_x = 64) in;\n",
        call="f@() + gl_SubgroupInvocationID",
    ),
    _compute(
        "a derivative group",
        "layout(derivative_group_quadsNV) in;\nfloat f@(float x) { return dFdx(x); }\n",
        extensions=("GL_NV_compute_shader_derivatives",),
        size=0,
        declare="float f@(float);",
        layout="layout(local_size_x = 8, local_size_y = 8) in;\n",
        call="uint(f@(float(gl_LocalInvocationID.x)))",
    ),
    _compute(
        "a mode of float controls",
        'spirv_execution_mode(extensions = ["SPV_KHR_float_controls"], capabilities = [4466], 4461, 32);\n'
        "float f@(float x) { return x * 2.0; }\n",
        extensions=("GL_EXT_spirv_intrinsics",),
        size=0,
        declare="float f@(float);",
        layout="layout(local_size_x = 64) in;\n",
        call="uint(f@(1.5))",
    ),
)

_HLSL_OUT = "[[vk::binding(0, 0)]] RWStructuredBuffer<uint> data;\n"


def _hlsl(
    name: str, library: str, *, call: str, declare: str = "uint f@();", before: str = "", **more: object
) -> Linked:
    main = "[numthreads(64, 1, 1)]\nvoid main(uint3 id : SV_DispatchThreadID, uint index : SV_GroupIndex)"
    return Linked(
        name=name,
        hlsl=True,
        libraries=(library,),
        shader=f"{before}{_HLSL_OUT}{declare}\n{main} {{ {call} }}\n",
        size=64,
        **{"hlsl_libraries": True, **more},  # type: ignore[arg-type]
    )


_HLSL = (
    _hlsl(
        "HLSL: groupshared",
        "INCLUDE\nuint f@(uint k) { return tile[63 - k]; }\n",
        header="groupshared uint tile[64];\n",
        before="INCLUDE\n",
        declare="uint f@(uint);",
        call="tile[index] = index * 3; GroupMemoryBarrierWithGroupSync(); data[id.x] = f@(index);",
    ),
    _hlsl(
        "HLSL: static variables are each unit's own",
        "static uint g = 3;\nuint f@() { g += 1; return g; }\n",
        before="static uint g = 40;\n",
        call="data[id.x] = f@() + f@() * 10 + g * 100;",
        one="static uint g2 = 3;\nuint f@() { g2 += 1; return g2; }\nstatic uint g = 40;\n"
        f"{_HLSL_OUT}[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID, uint index : SV_GroupIndex) { uint a = f@(); "
        "uint b = f@(); data[id.x] = a + b * 10 + g * 100; }\n",
    ),
    _hlsl(
        "HLSL: a constant buffer",
        "INCLUDE\nuint f@() { return (uint)k[1].x; }\n",
        header="[[vk::binding(1, 0)]] cbuffer P { float4 k[4]; };\n",
        before="INCLUDE\n",
        call="data[id.x] = f@() + (uint)k[0].y;",
    ),
    _hlsl(
        "HLSL: a specialisation constant",
        "INCLUDE\nuint f@() { return N * 10; }\n",
        header="[[vk::constant_id(4)]] const uint N = 3;\n",
        before="INCLUDE\n",
        call="data[id.x] = f@() + N;",
        constants=({}, {4: 9}),
    ),
    _hlsl(
        "HLSL: the size of its workgroups in a library of GLSL",
        "uint f@() { return gl_WorkGroupSize.x * 10u; }\n",
        hlsl_libraries=False,
        call="data[id.x] = f@() + 1;",
        one=f"{_HLSL_OUT}[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID, uint index : SV_GroupIndex) { data[id.x] = 641; }\n",
    ),
    _hlsl(
        "HLSL: groupshared that a library of GLSL shares",
        "shared uint tile[64];\nuint f@(uint k) { return tile[63u - k]; }\n",
        hlsl_libraries=False,
        before="groupshared uint tile[64];\n",
        declare="uint f@(uint);",
        call="tile[index] = index * 3; GroupMemoryBarrierWithGroupSync(); data[id.x] = f@(index);",
        one=f"groupshared uint tile[64];\n{_HLSL_OUT}uint f(uint k) {{ return tile[63 - k]; }}\n"
        "[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID, uint index : SV_GroupIndex) {\n"
        "tile[index] = index * 3; GroupMemoryBarrierWithGroupSync(); data[id.x] = f(index); }\n",
    ),
)


def _other(name: str, stage: str, library: str, shader: str, **more: object) -> Linked:
    """Return a case of a stage that is compared, but not run."""
    return Linked(name=name, stage=stage, libraries=(library,), shader=shader, **more)  # type: ignore[arg-type]


_COLOUR = "layout(location = 0) out vec4 colour;\n"
_F = "float f@(float x);\n"
_FRAGMENT = (
    _other(
        "two colours that are blended, and a block",
        "frag",
        "layout(location = 0, index = 1) out vec4 second;\nlayout(location = 2) in Surface { vec3 n; } at;\n"
        "void f@() { second = at.n.xyzz; }\n",
        "layout(location = 0, index = 0) out vec4 first;\nvoid f@();\nvoid main() { first = vec4(1); f@(); }\n",
    ),
    _other(
        "early fragment tests",
        "frag",
        "layout(early_fragment_tests) in;\nfloat f@(float x) { return x * 2.0; }\n",
        f"{_COLOUR}{_F}void main() {{ colour = vec4(f@(gl_FragCoord.x)); }}\n",
    ),
    _other(
        "depth that a library writes",
        "frag",
        "void f@(float x) { gl_FragDepth = x * 0.5; }\n",
        f"{_COLOUR}void f@(float x);\nvoid main() {{ colour = vec4(1); f@(gl_FragCoord.z); }}\n",
    ),
    _other(
        "depth that both write",
        "frag",
        "INCLUDE\nvoid f@(float x) { gl_FragDepth = x * 0.5; }\n",
        f"INCLUDE\n{_COLOUR}void f@(float x);\n"
        "void main() { colour = vec4(1); gl_FragDepth = 0.0; if (gl_FragCoord.x > 5.0) f@(gl_FragCoord.z); }\n",
        header="layout(depth_less) out float gl_FragDepth;\n",
    ),
    _other(
        "less depth, in a library",
        "frag",
        "layout(depth_less) out float gl_FragDepth;\nvoid f@(float x) { gl_FragDepth = x * 0.5; }\n",
        f"{_COLOUR}void f@(float x);\nvoid main() {{ colour = vec4(1); f@(gl_FragCoord.z); }}\n",
    ),
    _other(
        "depth in a function that is not called",
        "frag",
        "layout(depth_less) out float gl_FragDepth;\nvoid g@(float x) { gl_FragDepth = x * 0.5; }\n"
        "float f@(float x) { return x; }\n",
        f"{_COLOUR}{_F}void main() {{ colour = vec4(f@(gl_FragCoord.z)); }}\n",
        one=f"{_COLOUR}float f@(float x) {{ return x; }}\nvoid main() {{ colour = vec4(f@(gl_FragCoord.z)); }}\n",
    ),
    _other(
        "a stencil reference",
        "frag",
        "void f@(int x) { gl_FragStencilRefARB = x; }\n",
        f"{_COLOUR}void f@(int x);\nvoid main() {{ colour = vec4(1); f@(3); }}\n",
        extensions=("GL_ARB_shader_stencil_export",),
    ),
    _other(
        "coverage after depth",
        "frag",
        "layout(post_depth_coverage) in;\nint f@() { return gl_SampleMaskIn[0]; }\n",
        f"{_COLOUR}int f@();\nvoid main() {{ colour = vec4(f@()); }}\n",
        extensions=("GL_ARB_post_depth_coverage",),
    ),
    _other(
        "an interlock",
        "frag",
        "layout(pixel_interlock_ordered) in;\nINCLUDE\nvoid f@() { data[0] += 1u; }\n",
        "INCLUDE\nvoid f@();\nvoid main() { beginInvocationInterlockARB(); f@(); endInvocationInterlockARB(); }\n",
        header=_OUT,
        extensions=("GL_ARB_fragment_shader_interlock",),
    ),
    _other(
        "a sample mask",
        "frag",
        "void f@() { gl_SampleMask[0] = 3; }\n",
        f"{_COLOUR}void f@();\nvoid main() {{ colour = vec4(gl_SampleID); f@(); }}\n",
    ),
    _other(
        "inputs",
        "frag",
        "INCLUDE\nfloat f@(float x) { return x * uv.x + float(id); }\n",
        f"INCLUDE\n{_COLOUR}{_F}void main() {{ colour = vec4(f@(uv.y), id, 0, 1); }}\n",
        header="layout(location = 0) in vec2 uv;\nlayout(location = 1) flat in int id;\n"
        "layout(location = 2) in V { vec3 n; float w; } v;\n",
    ),
    _other(
        "inputs of a library",
        "frag",
        "layout(location = 0) in vec2 uv;\nlayout(location = 1) flat in int id;\n"
        "float f@(float x) { return x * uv.x + float(id); }\n",
        f"{_COLOUR}{_F}void main() {{ colour = vec4(f@(1.0)); }}\n",
    ),
    _other(
        "outputs",
        "frag",
        "INCLUDE\nvoid f@(float x) { colour.y = x; second = vec2(x); }\n",
        "INCLUDE\nvoid f@(float x);\nvoid main() { colour = vec4(1); f@(gl_FragCoord.x); }\n",
        header=f"{_COLOUR}layout(location = 1) out vec2 second;\n",
    ),
    _other(
        "an attachment",
        "frag",
        "INCLUDE\nfloat f@(float x) { return x * subpassLoad(before).x; }\n",
        f"INCLUDE\n{_COLOUR}{_F}void main() {{ colour = subpassLoad(before) * f@(2.0); }}\n",
        header="layout(input_attachment_index = 1, set = 0, binding = 4) uniform subpassInput before;\n",
    ),
    _other(
        "discard",
        "frag",
        "void f@(float x) { if (x > 3.0) discard; }\n",
        f"{_COLOUR}void f@(float x);\nvoid main() {{ colour = vec4(1); f@(gl_FragCoord.x); }}\n",
    ),
    _other(
        "a texture's level, implied",
        "frag",
        "INCLUDE\nvec4 f@(vec2 at) { return texture(image, at); }\n",
        f"INCLUDE\n{_COLOUR}vec4 f@(vec2 at);\n"
        f"void main() {{ colour = f@(gl_FragCoord.xy) + texture(image, vec2(1)); }}\n",
        header="layout(set = 0, binding = 5) uniform sampler2D image;\n",
    ),
)

_TRIANGLES = "layout(triangles) in;\nlayout(triangle_strip, max_vertices = 3) out;\n"
_MESH = "layout(local_size_x = 32) in;\nlayout(triangles, max_vertices = 64, max_primitives = 126) out;\n"
_GEOMETRY = (
    _other(
        "the view, in a library of any stage",
        "vert",
        "int f@() { return gl_ViewIndex; }\n",
        "int f@();\nvoid main() { gl_Position = vec4(f@() + gl_ViewIndex); }\n",
        extensions=("GL_EXT_multiview",),
    ),
    _other(
        "triangles, in a library of no stage",
        "geom",
        "layout(triangles) in;\nlayout(location = 0) in vec3 c[];\nvec3 f@(int k) { return c[k]; }\n",
        "layout(location = 0) out vec3 o;\nvec3 f@(int k);\nvoid main() { o = f@(1); EmitVertex(); }\n",
        layout="layout(triangles) in;\nlayout(points, max_vertices = 1) out;\n",
    ),
    _other(
        "a position",
        "vert",
        "void f@(vec4 p) { gl_Position = p; }\n",
        "void f@(vec4 p);\nvoid main() { f@(vec4(gl_VertexIndex)); }\n",
    ),
    _other(
        "a position that both write",
        "vert",
        "void f@(vec4 p) { gl_Position = p; gl_PointSize = 2.0; }\n",
        "void f@(vec4 p);\nvoid main() { gl_Position = vec4(0); if (gl_VertexIndex > 2) f@(vec4(1)); }\n",
    ),
    _other(
        "an invariant position",
        "vert",
        "INCLUDE\nvoid f@(vec4 p) { gl_Position = p; }\n",
        "INCLUDE\nvoid f@(vec4 p);\nvoid main() { f@(vec4(gl_VertexIndex)); gl_Position.x += 1.0; }\n",
        header="invariant gl_Position;\n",
    ),
    _other(
        "distances to clip at",
        "vert",
        "INCLUDE\nvoid f@(float d) { gl_ClipDistance[1] = d; }\n",
        "INCLUDE\nvoid f@(float d);\nvoid main() { gl_Position = vec4(1); gl_ClipDistance[0] = 1.0; f@(2.0); }\n",
        header="out float gl_ClipDistance[2];\n",
    ),
    _other(
        "transform feedback",
        "vert",
        "layout(xfb_buffer = 0, xfb_stride = 16) out;\n"
        "layout(location = 0, xfb_buffer = 0, xfb_offset = 0) out vec4 v;\nvoid f@(vec4 p) { v = p; }\n",
        "void f@(vec4 p);\nvoid main() { gl_Position = vec4(1); f@(vec4(2)); }\n",
    ),
    _other(
        "vertices of a geometry shader",
        "geom",
        "INCLUDE\nvoid f@(int k) { gl_Position = gl_in[k].gl_Position; EmitVertex(); }\n",
        "INCLUDE\nvoid f@(int);\nvoid main() { f@(0); f@(1); f@(2); EndPrimitive(); }\n",
        header=_TRIANGLES,
    ),
    _other(
        "invocations that a library declares",
        "geom",
        "layout(invocations = 4) in;\nvec4 f@() { return vec4(gl_InvocationID); }\n",
        f"{_TRIANGLES}vec4 f@();\nvoid main() {{ gl_Position = f@(); EmitVertex(); }}\n",
        layout=" ",
        one="layout(triangles, invocations = 4) in;\nlayout(triangle_strip, max_vertices = 3) out;\n"
        "vec4 f@() { return vec4(gl_InvocationID); }\nvoid main() { gl_Position = f@(); EmitVertex(); }\n",
    ),
    _other(
        "a library of no layout",
        "geom",
        "void f@(vec4 p) { gl_Position = p; EmitVertex(); }\n",
        "void f@(vec4 p);\nvoid main() { f@(gl_in[0].gl_Position); f@(gl_in[2].gl_Position); }\n",
        layout=_TRIANGLES,
    ),
    _other(
        "levels of tessellation",
        "tesc",
        "void f@(float x) { gl_TessLevelOuter[0] = x; gl_TessLevelInner[1] = x; }\n",
        "void f@(float x);\nvoid main() { f@(float(gl_InvocationID)); }\n",
        layout="layout(vertices = 3) out;\n",
    ),
    _other(
        "control points",
        "tesc",
        "INCLUDE\nvoid f@() { gl_out[gl_InvocationID].gl_Position = gl_in[0].gl_Position; }\n",
        "INCLUDE\nvoid f@();\nvoid main() { f@(); barrier(); }\n",
        header="layout(vertices = 4) out;\n",
    ),
    _other(
        "a patch",
        "tesc",
        "INCLUDE\nvoid f@() { p = vec3(1); }\n",
        "INCLUDE\nvoid f@();\nvoid main() { f@(); p.x += 1.0; }\n",
        layout="layout(vertices = 4) out;\n",
        header="layout(location = 3) patch out vec3 p;\n",
    ),
    _other(
        "points of tessellation",
        "tese",
        "layout(point_mode, fractional_odd_spacing, cw) in;\nvec3 f@() { return gl_TessCoord; }\n",
        "vec3 f@();\nvoid main() { gl_Position = vec4(f@(), 1); }\n",
        layout="layout(quads) in;\n",
    ),
    _other(
        "vertices of a mesh",
        "mesh",
        "INCLUDE\nvoid f@(uint k) { gl_MeshVerticesEXT[k].gl_Position = vec4(k); }\n",
        "INCLUDE\nvoid f@(uint);\nvoid main() { SetMeshOutputsEXT(64u, 126u); f@(gl_LocalInvocationIndex);\n"
        "gl_MeshVerticesEXT[gl_LocalInvocationIndex + 32u].gl_Position = vec4(1); }\n",
        header=_MESH,
        extensions=("GL_EXT_mesh_shader",),
    ),
    _other(
        "the workgroup's size, in a mesh",
        "mesh",
        "uint f@() { return gl_WorkGroupSize.x; }\n",
        "uint f@();\nvoid main() { SetMeshOutputsEXT(f@(), 1u); }\n",
        layout=_MESH,
        extensions=("GL_EXT_mesh_shader",),
    ),
    _other(
        "the payload of a task",
        "task",
        "INCLUDE\nvoid f@() { payload.b[1] = vec2(1); }\n",
        "INCLUDE\nvoid f@();\nvoid main() { payload.a = 1u; f@(); EmitMeshTasksEXT(1u, 1u, 1u); }\n",
        layout="layout(local_size_x = 32) in;\n",
        extensions=("GL_EXT_mesh_shader",),
        header="struct P { uint a; vec2 b[4]; };\ntaskPayloadSharedEXT P payload;\n",
    ),
    _other(
        "the payload of a task, in a mesh",
        "mesh",
        "INCLUDE\nvec2 f@() { return payload.b[1]; }\n",
        "INCLUDE\nvec2 f@();\nvoid main() { SetMeshOutputsEXT(payload.a, uint(f@().x)); }\n",
        layout=_MESH,
        extensions=("GL_EXT_mesh_shader",),
        header="struct P { uint a; vec2 b[4]; };\ntaskPayloadSharedEXT P payload;\n",
    ),
    _other(
        "ids of primitives",
        "vert",
        "layout(location = 5) out vec2 w;\nvoid f@() { w = vec2(gl_InstanceIndex, gl_BaseVertex); }\n",
        "void f@();\nvoid main() { gl_Position = vec4(gl_InstanceIndex); f@(); }\n",
        extensions=("GL_ARB_shader_draw_parameters",),
        one="layout(location = 5) out vec2 w;\nvoid f@() { w = vec2(gl_InstanceIndex, gl_BaseVertex); }\n"
        "void main() { gl_Position = vec4(gl_InstanceIndex); f@(); }\n",
    ),
)

_ARRAYS = (
    _other(
        "arrays of a geometry shader, in a library of no layout",
        "geom",
        "layout(location = 0) in vec4 c[];\nvec4 f@() { return gl_in[2].gl_Position + c[1]; }\n",
        "layout(location = 0) in vec4 c[];\nvec4 f@();\n"
        "void main() { gl_Position = f@() + c[2] + gl_in[1].gl_Position; EmitVertex(); }\n",
        layout=_TRIANGLES,
        one=f"{_TRIANGLES}layout(location = 0) in vec4 c[];\nvec4 f@() {{ return gl_in[2].gl_Position + c[1]; }}\n"
        "void main() { gl_Position = f@() + c[2] + gl_in[1].gl_Position; EmitVertex(); }\n",
    ),
    _other(
        "arrays of a geometry shader that only a library without a layout has",
        "geom",
        "layout(location = 0) in vec4 c[];\nvec4 f@() { return gl_in[2].gl_Position + c[1]; }\n",
        "vec4 f@();\nvoid main() { gl_Position = f@(); EmitVertex(); }\n",
        layout=_TRIANGLES,
    ),
    _other(
        "arrays of a mesh shader, in a library of no layout",
        "mesh",
        "#pragma shader_stage(mesh)\nlayout(location = 0) out vec4 c[];\n"
        "layout(location = 1) perprimitiveEXT out vec4 d[];\n"
        "void f@() { gl_MeshVerticesEXT[5].gl_Position = vec4(1); c[1] = vec4(1); d[2] = vec4(2); }\n",
        "void f@();\nvoid main() { SetMeshOutputsEXT(9u, 3u); f@(); }\n",
        layout=_MESH,
        extensions=("GL_EXT_mesh_shader",),
        one=f"{_MESH}layout(location = 0) out vec4 c[];\nlayout(location = 1) perprimitiveEXT out vec4 d[];\n"
        "void f@() { gl_MeshVerticesEXT[5].gl_Position = vec4(1); c[1] = vec4(1); d[2] = vec4(2); }\n"
        "void main() { SetMeshOutputsEXT(9u, 3u); f@(); }\n",
    ),
    _other(
        "distances to clip at, of which a library knows nothing",
        "vert",
        "void f@() { gl_Position = vec4(2); }\n",
        "void f@();\nvoid main() { f@(); gl_ClipDistance[0] = 1.0; gl_ClipDistance[1] = 1.0; }\n",
        layout="out float gl_ClipDistance[2];\n",
    ),
    _other(
        "an invariant position, in the shader",
        "vert",
        "void f@() { gl_Position = vec4(2); }\n",
        "void f@();\nvoid main() { gl_Position = vec4(1); f@(); }\n",
        layout="invariant gl_Position;\n",
    ),
    _other(
        "an invariant position, in a library",
        "vert",
        "invariant gl_Position;\nvoid f@() { gl_Position = vec4(2); }\n",
        "void f@();\nvoid main() { gl_Position = vec4(1); f@(); }\n",
    ),
)

_RAYS = (
    _other(
        "a payload that comes in",
        "rchit",
        "INCLUDE\nvoid f@() { p.xy = hit; }\n",
        "INCLUDE\nvoid f@();\nvoid main() { p = vec4(0); f@(); p.x += hit.y; }\n",
        header="layout(location = 0) rayPayloadInEXT vec4 p;\nhitAttributeEXT vec2 hit;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    _other(
        "a payload of another name",
        "rmiss",
        "layout(location = 0) rayPayloadInEXT vec4 q;\nvoid f@() { q.x = 1.0; }\n",
        "layout(location = 0) rayPayloadInEXT vec4 p;\nvoid f@();\nvoid main() { p = vec4(0); f@(); }\n",
        extensions=("GL_EXT_ray_tracing",),
        one="layout(location = 0) rayPayloadInEXT vec4 p;\nvoid f@() { p.x = 1.0; }\n"
        "void main() { p = vec4(0); f@(); }\n",
    ),
    _other(
        "two payloads of one type",
        "rgen",
        "INCLUDE\nvec4 f@() { return a - b; }\n",
        f"INCLUDE\nlayout(set = 0, binding = 6) uniform accelerationStructureEXT scene;\n{_OUT}vec4 f@();\n"
        "void main() { a = vec4(1); b = vec4(2); "
        "traceRayEXT(scene, 0u, 255u, 0u, 0u, 0u, vec3(0), 0.1, vec3(1), 9.0, 1);\n"
        "data[0] = uint(f@().x); }\n",
        header="layout(location = 0) rayPayloadEXT vec4 a;\nlayout(location = 1) rayPayloadEXT vec4 b;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    _other(
        "data of a callable",
        "rgen",
        "INCLUDE\nvec4 f@() { executeCallableEXT(0u, 2); return c; }\n",
        f"INCLUDE\n{_OUT}vec4 f@();\nvoid main() {{ c = vec4(1); data[0] = uint(f@().x); }}\n",
        header="layout(location = 2) callableDataEXT vec4 c;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    _other(
        "data that comes into a callable",
        "rcall",
        "INCLUDE\nvoid f@() { c.x = 1.0; }\n",
        "INCLUDE\nvoid f@();\nvoid main() { c = vec4(2); f@(); }\n",
        header="layout(location = 0) callableDataInEXT vec4 c;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    _other(
        "a shader record",
        "rmiss",
        "INCLUDE\nfloat f@() { return record.x; }\n",
        "INCLUDE\nlayout(location = 0) rayPayloadInEXT vec4 p;\nfloat f@();\n"
        "void main() { p = vec4(f@() + record.y); }\n",
        header="layout(shaderRecordEXT) buffer Record { float x; float y; } record;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    _other(
        "an attribute of a hit that is reported",
        "rint",
        "INCLUDE\nvoid f@() { hit = vec2(1); }\n",
        "INCLUDE\nvoid f@();\nvoid main() { f@(); hit.x += 1.0; reportIntersectionEXT(1.0, 0u); }\n",
        header="hitAttributeEXT vec2 hit;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    _other(
        "a place in the subgroup",
        "rgen",
        "uint f@() { return gl_SubgroupInvocationID + gl_SubgroupEqMask.x; }\n",
        f"{_OUT}uint f@();\nvoid main() {{ data[0] = f@(); }}\n",
        extensions=("GL_EXT_ray_tracing", "GL_KHR_shader_subgroup_ballot"),
    ),
    _other(
        "how far a ray goes",
        "rint",
        "float f@() { return gl_RayTmaxEXT; }\n",
        "float f@();\nvoid main() { reportIntersectionEXT(f@(), 0u); }\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
)

LINKED: tuple[Linked, ...] = (*_SIZES, *_SHARED, *_GLOBALS, *_BOUND, *_HLSL, *_FRAGMENT, *_GEOMETRY, *_ARRAYS, *_RAYS)


def _refused(
    name: str, library: str, shader: str, *words: str, declare: str = "uint f();", **more: object
) -> CompileRefused:
    text = f"layout(local_size_x = 64) in;\n{_OUT}{declare}\n{shader}"
    if "void main" not in shader:
        text += f"\nvoid main() {{ {_AT}f(); }}\n"
    return CompileRefused(name=name, library=library, shader=text, words=words, **more)  # type: ignore[arg-type]


def _refused_in(stage: str, name: str, library: str, shader: str, *words: str, **more: object) -> CompileRefused:
    return CompileRefused(name=name, stage=stage, library=library, shader=shader, words=words, **more)  # type: ignore[arg-type]


_AT_1, _AB = "layout(set = 0, binding = 1)", "struct S { float a; float b; };\n"
_REFERENCE = "layout(buffer_reference, std430) buffer R { uint x; };\n"
_READ = "void main() { data[0] = f() + uint(g[0]); }"
_MATRIX = "coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>"

REFUSED: tuple[CompileRefused, ...] = (
    CompileRefused(
        name="a cooperative matrix that is passed to another unit",
        extensions=(
            "GL_KHR_cooperative_matrix",
            "GL_KHR_memory_scope_semantics",
            "GL_EXT_shader_explicit_arithmetic_types",
        ),
        library=f"#pragma use_vulkan_memory_model\n{_MATRIX} f({_MATRIX} a) {{ return a + a; }}\n",
        shader="layout(local_size_x = 32) in;\nlayout(set = 0, binding = 0) buffer B { float16_t x[]; };\n"
        f"{_MATRIX} f({_MATRIX} a);\nvoid main() {{ {_MATRIX} a; coopMatLoad(a, x, 0, 16, 0); a = f(a); "
        "coopMatStore(a, x, 0, 16, 0); }\n",
        words=("cooperative matrices cannot be passed", "lib.glsl", "main.comp"),
    ),
    _refused_in(
        "vert",
        "an output that is precise in the shader only",
        "void f(vec4 p) { gl_Position = p * p + p; }\n",
        "precise gl_Position;\nvoid f(vec4 p);\nvoid main() { f(vec4(gl_VertexIndex)); }\n",
        "`precise gl_Position`",
        "lib.glsl",
        "main.vert",
    ),
    _refused_in(
        "vert",
        "outputs that are all invariant in the shader only",
        "layout(location = 0) out vec4 v;\nvoid f(vec4 p) { v = p; }\n",
        "#pragma STDGL invariant(all)\nvoid f(vec4 p);\nvoid main() { f(vec4(gl_VertexIndex)); }\n",
        "invariant(all)",
        "lib.glsl",
        "main.vert",
    ),
    _refused(
        "shared arrays of two lengths",
        "shared uint g[64];\nuint f() { return g[1]; }\n",
        f"shared uint g[32];\n{_READ}",
        "`g`",
        "uint[64]",
        "uint[32]",
        "lib.glsl",
        "main.comp",
    ),
    _refused(
        "shared arrays of two types",
        "shared float g[64];\nuint f() { return uint(g[1]); }\n",
        f"shared uint g[64];\n{_READ}",
        "`g`",
        "float[64]",
        "lib.glsl",
        "main.comp",
    ),
    _refused(
        "a shared array whose length the workgroup's size makes another",
        "shared uint g[gl_WorkGroupSize.x];\nuint f() { return g[1]; }\n",
        f"shared uint g[32];\n{_READ}",
        "`g`",
        "uint[64]",
        "uint[32]",
    ),
    _refused(
        "globals of two types",
        "float g[2];\nuint f() { return uint(g[1]); }\n",
        f"uint g[2];\n{_READ}",
        "`g`",
        "lib.glsl",
        "main.comp",
    ),
    _refused(
        "two initialisers",
        "uint g = 1u;\nuint f() { return g; }\n",
        "uint g = 2u;\nvoid main() { data[0] = f() + g; }",
        "`g`",
        "initialised",
        "lib.glsl",
        "main.comp",
    ),
    _refused(
        "two initialisers, one no constant",
        "uint g = 1u;\nuint f() { return g; }\n",
        "uint g = gl_LocalInvocationID.x;\nvoid main() { data[0] = f() + g; }",
        "`g`",
        "not constant",
        "main.comp",
    ),
    _refused(
        "two sizes",
        "layout(local_size_x = 32) in;\nuint f() { return 1u; }\n",
        "",
        "local_size = 32 1 1",
        "local_size = 64 1 1",
        "lib.glsl",
        "main.comp",
        " -> f()",
    ),
    _refused(
        "a size and a specialised one",
        "layout(local_size_x_id = 3) in;\nuint f() { return 1u; }\n",
        "",
        "local_size_x_id = 3",
        "local_size = 64 1 1",
        "lib.glsl",
    ),
    _refused(
        "two push constants",
        "layout(push_constant) uniform P { uint a; } p;\nuint f() { return p.a; }\n",
        "layout(push_constant) uniform P { vec2 a; } p;\nvoid main() { data[0] = f() + uint(p.a.x); }",
        "push_constant",
        "lib.glsl",
        "main.comp",
    ),
    _refused(
        "two blocks of one name",
        "layout(set = 0, binding = 1) uniform P { uint a; } p;\nuint f() { return p.a; }\n",
        "layout(set = 0, binding = 1) uniform P { vec2 a; } p;\nvoid main() { data[0] = f() + uint(p.a.x); }",
        "set = 0, binding = 1",
        "lib.glsl",
        "main.comp",
    ),
    _refused(
        "two layouts of one block",
        "layout(set = 0, binding = 1, std140) buffer P { uint a[]; } p;\nuint f() { return p.a[1]; }\n",
        "layout(set = 0, binding = 1, std430) buffer P { uint a[]; } p;\nvoid main() { data[0] = f() + p.a[0]; }",
        "set = 0, binding = 1",
        "lib.glsl",
        "main.comp",
    ),
    _refused(
        "two defaults of a constant",
        "layout(constant_id = 3) const uint N = 1u;\nuint f() { return N; }\n",
        "layout(constant_id = 3) const uint N = 2u;\nvoid main() { data[0] = f() + N; }",
        "constant_id = 3",
        "lib.glsl",
        "main.comp",
    ),
    _refused(
        "two types of a constant",
        "layout(constant_id = 3) const uint N = 1u;\nuint f() { return N; }\n",
        "layout(constant_id = 3) const float X = 1.0;\nvoid main() { data[0] = f() + uint(X); }",
        "constant_id = 3",
        "lib.glsl",
        "main.comp",
    ),
    _refused(
        "a mode of another stage",
        "layout(early_fragment_tests) in;\nuint f() { return 1u; }\n",
        "",
        "early_fragment_tests",
        "fragment",
        "lib.glsl",
        " -> f()",
    ),
    _refused(
        "two derivative groups",
        "layout(derivative_group_linearNV) in;\nuint f() { return 1u; }\n",
        "layout(derivative_group_quadsNV, local_size_y = 4) in;",
        "derivative_group_linearNV",
        "derivative_group_quadsNV",
        extensions=("GL_NV_compute_shader_derivatives",),
    ),
    _refused_in(
        "frag",
        "the workgroup's size in a fragment shader",
        "uint f() { return gl_WorkGroupSize.x; }\n",
        f"{_COLOUR}uint f();\nvoid main() {{ colour = vec4(f()); }}\n",
        "gl_WorkGroupSize",
        "fragment",
        "lib.glsl",
    ),
    _refused_in(
        "frag",
        "two layouts of depth",
        "layout(depth_less) out float gl_FragDepth;\nvoid f() { gl_FragDepth = 0.1; }\n",
        "layout(depth_greater) out float gl_FragDepth;\nvoid f();\nvoid main() { gl_FragDepth = 0.5; f(); }\n",
        "depth_less",
        "depth_greater",
        "lib.glsl",
        "main.frag",
    ),
    _refused_in(
        "frag",
        "a layout of depth, and none",
        "layout(depth_less) out float gl_FragDepth;\nvoid f() { gl_FragDepth = 0.1; }\n",
        "void f();\nvoid main() { gl_FragDepth = 0.5; f(); }\n",
        "depth_less",
        "lib.glsl",
        "main.frag",
    ),
    _refused_in(
        "frag",
        "two interlocks",
        "layout(pixel_interlock_ordered) in;\nfloat f() { return 1.0; }\n",
        f"layout(sample_interlock_ordered) in;\n{_COLOUR}float f();\nvoid main() {{ colour = vec4(f()); }}\n",
        "pixel_interlock_ordered",
        "sample_interlock_ordered",
        extensions=("GL_ARB_fragment_shader_interlock",),
    ),
    _refused_in(
        "frag",
        "two types of an input",
        "layout(location = 0) in vec2 uv;\nfloat f() { return uv.x; }\n",
        f"layout(location = 0) in vec3 uv;\n{_COLOUR}float f();\nvoid main() {{ colour = vec4(f() + uv.z); }}\n",
        "location = 0",
        "vec2",
        "vec3",
        "lib.glsl",
        "main.frag",
    ),
    _refused_in(
        "frag",
        "two interpolations of an input",
        "layout(location = 0) flat in vec2 uv;\nfloat f() { return uv.x; }\n",
        f"layout(location = 0) in vec2 uv;\n{_COLOUR}float f();\nvoid main() {{ colour = vec4(f() + uv.y); }}\n",
        "location = 0",
        "lib.glsl",
        "main.frag",
    ),
    _refused_in(
        "vert",
        "two blocks of built-in variables",
        "out gl_PerVertex { vec4 gl_Position; };\nvoid f() { gl_Position = vec4(1); }\n",
        "void f();\nvoid main() { gl_Position = vec4(1); f(); }\n",
        "gl_PerVertex out",
        "lib.glsl",
        "main.vert",
    ),
    _refused_in(
        "frag",
        "distances to clip at, of two numbers",
        "in float gl_ClipDistance[2];\nfloat f() { return gl_ClipDistance[1]; }\n",
        f"in float gl_ClipDistance[3];\n{_COLOUR}float f();\n"
        f"void main() {{ colour = vec4(f() + gl_ClipDistance[2]); }}\n",
        "float[2] gl_ClipDistance",
        "float[3] gl_ClipDistance",
        "lib.glsl",
    ),
    _refused_in(
        "geom",
        "two counts of vertices",
        "layout(max_vertices = 6) out;\nvoid f() { EmitVertex(); }\n",
        f"{_TRIANGLES}void f();\nvoid main() {{ f(); }}\n",
        "vertices = 6",
        "vertices = 3",
        "lib.glsl",
    ),
    _refused_in(
        "geom",
        "two primitives",
        "layout(lines) in;\nvec4 f() { return gl_in[1].gl_Position; }\n",
        f"{_TRIANGLES}vec4 f();\nvoid main() {{ gl_Position = f(); EmitVertex(); }}\n",
        "lines",
        "triangles",
        "lib.glsl",
    ),
    _refused_in(
        "tese",
        "two spacings",
        "layout(equal_spacing) in;\nvec3 f() { return gl_TessCoord; }\n",
        "layout(quads, fractional_odd_spacing) in;\nvec3 f();\nvoid main() { gl_Position = vec4(f(), 1); }\n",
        "equal_spacing",
        "fractional_odd_spacing",
        "lib.glsl",
    ),
    _refused_in(
        "task",
        "two payloads of a task",
        "taskPayloadSharedEXT uint p;\nvoid f() { p = 1u; }\n",
        "taskPayloadSharedEXT vec2 p;\nvoid f();\nvoid main() { p.x = 1.0; f(); EmitMeshTasksEXT(1u, 1u, 1u); }\n",
        "taskPayloadSharedEXT",
        "lib.glsl",
        "main.task",
        extensions=("GL_EXT_mesh_shader",),
    ),
    _refused_in(
        "rchit",
        "two payloads that come in",
        "layout(location = 0) rayPayloadInEXT vec2 p;\nvoid f() { p.x = 1.0; }\n",
        "layout(location = 0) rayPayloadInEXT vec4 p;\nvoid f();\nvoid main() { p.x = 1.0; f(); }\n",
        "rayPayloadInEXT",
        "lib.glsl",
        "main.rchit",
        extensions=("GL_EXT_ray_tracing",),
    ),
    CompileRefused(
        name="HLSL: groupshared of two types",
        hlsl=True,
        library="groupshared float g[64];\nuint f() { return (uint)g[1]; }\n",
        shader=f"groupshared uint g[64];\n{_HLSL_OUT}uint f();\n[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID) { g[id.x] = 1; data[id.x] = f(); }\n",
        words=("`g`", "lib.hlsl", "main.comp.hlsl"),
    ),
    CompileRefused(
        name="HLSL: buffers of two types, one of which shares its block",
        hlsl=True,
        library="RWStructuredBuffer<float> s : register(u2);\nuint f() { return (uint)s[1]; }\n",
        shader=f"{_HLSL_OUT}RWStructuredBuffer<uint> s : register(u2);\nuint f();\n[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID) { data[id.x] = s[0] + f(); }\n",
        words=("set = 0, binding = 2", "lib.hlsl", "main.comp.hlsl"),
    ),
    CompileRefused(
        name="HLSL: globals that no block holds",
        hlsl=True,
        library="float4 loose;\nuint f() { return (uint)loose.x; }\n",
        shader=f"uint more;\n{_HLSL_OUT}uint f();\n[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID) { data[id.x] = more + f(); }\n",
        words=("set = 0, binding = 0", "$Global", "lib.hlsl", "main.comp.hlsl"),
    ),
    *(
        _refused(
            f"members of one name that are not the same, in {what}",
            f"{declared}uint f() {{ return uint({read}); }}\n",
            declared.replace("float a; float b;", "float b; float a;")
            + f"uint f();\nvoid main() {{ data[0] = f({given}); }}",
            "is not the same member of",
            *words,
            "lib.glsl",
            "main.comp",
            declare="",
        )
        for what, declared, read, given, words in (
            (
                "a block",
                f"{_AT_1} uniform P {{ float a; float b; }} p;\n",
                "p.a",
                ") + uint(p.a",
                ("set = 0, binding = 1",),
            ),
            (
                *("a block in an array", f"{_AT_1} uniform P {{ float a; float b; }} p[2];\n", "p[1].a"),
                *(") + uint(p[0].a", ("set = 0, binding = 1",)),
            ),
            (
                *("a struct in a buffer", f"{_AB}{_AT_1} buffer P {{ S s[]; }} p;\n", "p.s[0].a"),
                *(") + uint(p.s[0].a", ("set = 0, binding = 1",)),
            ),
            (
                *("push constants", "layout(push_constant) uniform P { float a; float b; } p;\n", "p.a"),
                *(") + uint(p.a", ("push_constant",)),
            ),
            ("a shared variable", f"{_AB}shared S s;\n", "s.a", ") + uint(s.a", ("of s",)),
            ("a global", f"{_AB}S s;\n", "s.a", ") + uint(s.a", ("of s",)),
        )
    ),
    *(
        _refused(
            f"members of one name that are not the same, in {what}",
            f"struct S {{ float a; float b; }};\n{definition}\n",
            f"struct S {{ float b; float a; }};\n{declaration};\nvoid main() {{ data[0] = {call}; }}",
            *("is not the same member", "lib.glsl", "main.comp"),
            declare="",
        )
        for what, definition, declaration, call in (
            ("a parameter", "uint f(S s) { return uint(s.a); }", "uint f(S)", "f(S(1.0, 2.0))"),
            (
                "an array",
                "uint f(S s[2]) { return uint(s[1].a); }",
                "uint f(S[2])",
                "f(S[2](S(1.0, 2.0), S(1.0, 2.0)))",
            ),
            ("a result", "S f() { return S(1.0, 2.0); }", "S f()", "uint(f().a)"),
        )
    ),
    _refused(
        "buffer references of two alignments",
        f"#extension GL_EXT_buffer_reference : require\n{_REFERENCE}uint f(R r) {{ return r.x; }}\n",
        "layout(push_constant) uniform P { R r; } p;\nvoid main() { data[0] = f(p.r) + p.r.x; }",
        *("buffer_reference R", "alignments", "lib.glsl", "main.comp"),
        declare="#extension GL_EXT_buffer_reference : require\n"
        f"{_REFERENCE.replace('std430', 'std430, buffer_reference_align = 4')}uint f(R);",
    ),
    _refused(
        "a global that the shader sets after an initialiser has read it",
        "uint g;\nuint h = g + 1u;\nuint f() { return h; }\n",
        "uint g = 4u;\n",
        *("`g`", "lib.glsl", "main.comp"),
    ),
    _refused(
        "two blocks of one name whose instances have two",
        f"{_AT_1} uniform P {{ uint a; }} p;\nuint f() {{ return p.a; }}\n",
        f"{_AT_1} uniform P {{ vec2 a; }} q;\nvoid main() {{ data[0] = f() + uint(q.a.x); }}",
        *("set = 0, binding = 1", "lib.glsl", "main.comp"),
    ),
    *(
        _refused_in(
            stage,
            f"{what} in {stage}",
            "".join(f"#extension {each} : require\n" for each in extensions) + before + f"void f() {{ {code} }}\n",
            "#extension GL_EXT_ray_tracing : enable\nvoid f();\nvoid main() { f(); }\n",
            *(what, long, "lib.glsl"),
        )
        for stage, long, what, code, before, extensions in (
            ("rgen", "raygen", "gl_ViewIndex", "data[0] = uint(gl_ViewIndex);", _OUT, ("GL_EXT_multiview",)),
            ("vert", "vertex", "memoryBarrierShared", "memoryBarrierShared();", "", ()),
            (
                *("vert", "vertex", "gl_CurrentRayTimeNV", "data[0] = uint(gl_CurrentRayTimeNV);", _OUT),
                ("GL_NV_ray_tracing_motion_blur", "GL_EXT_ray_tracing"),
            ),
            (
                *("rgen", "raygen", "gl_HitTriangleVertexPositionsEXT"),
                *("data[0] = uint(gl_HitTriangleVertexPositionsEXT[0].x);", _OUT),
                ("GL_EXT_ray_tracing_position_fetch", "GL_EXT_ray_tracing"),
            ),
            (
                *("vert", "vertex", "gl_BaryCoordSmoothAMD", "data[0] = uint(gl_BaryCoordSmoothAMD.x);", _OUT),
                ("GL_AMD_shader_explicit_vertex_parameter",),
            ),
            ("frag", "fragment", "gl_ViewportMask", "gl_ViewportMask[0] = 1;", "", ("GL_NV_viewport_array2",)),
            (
                *("vert", "vertex", "colorAttachmentReadEXT", "data[0] = uint(colorAttachmentReadEXT(tile).x);"),
                f"{_OUT}layout(location = 0) tileImageEXT highp attachmentEXT tile;\n",
                ("GL_EXT_shader_tile_image",),
            ),
        )
    ),
    _refused(
        "two blocks of one name that share a place with a third",
        "layout(set = 0, binding = 1) uniform P { uint a; } p;\nuint f() { return p.a; }\n",
        "layout(set = 0, binding = 1) uniform Q { uint a; } q;\nlayout(set = 0, binding = 1) uniform P { vec2 a; } p;\n"
        "void main() { data[0] = f() + uint(p.a.x) + q.a; }",
        "set = 0, binding = 1",
        "lib.glsl",
        "main.comp",
    ),
    *(
        _refused_in(
            stage,
            f"{what} in {stage}",
            f"{before}float f(float x) {{ {code} return x; }}\n",
            f"{layout}float f(float x);\nvoid main() {{ f(1.0); }}\n",
            name,
            "only exists in a",
            f"{long} entry point",
            "lib.glsl",
        )
        for stage, long, layout in (
            ("tesc", "tess-control", "layout(vertices = 3) out;\n"),
            ("mesh", "mesh", f"#extension GL_EXT_mesh_shader : require\n{_MESH}"),
            ("comp", "compute", "layout(local_size_x = 8) in;\n"),
            ("geom", "geometry", _TRIANGLES),
        )
        for what, before, code, name in (
            ("one position", "", "gl_Position = vec4(x);", "`gl_Position`"),
            ("one layer", "#extension GL_ARB_shader_viewport_layer_array : require\n", "gl_Layer = 1;", "`gl_Layer`"),
            ("one input", "layout(location = 1) in float v;\n", "x += v;", "the input `v`"),
            ("one output", "layout(location = 1) out float w;\n", "w = x;", "the output `w`"),
        )
        if not (stage == "geom" and what != "one input")
    ),
)
