"""Global variables of several units, and what initialises them."""

from __future__ import annotations

from tests.spirv.units.case import AT, INDEX, OUT, Linked, compute

GLOBALS = (
    compute(
        "a global",
        "INCLUDE\nvoid f@() { g = g * 10u + 7u; }\n",
        header="uint g;\n",
        before="INCLUDE\n",
        declare="void f@();",
        call=f"g = {INDEX}; f@(); {AT}g;",
    ),
    compute(
        "a global that the shader initialises",
        "uint g;\nuint f@() { return g * 10u; }\n",
        before="uint g = 4u;\n",
        call="f@() + g",
        one=f"layout(local_size_x = 64) in;\nuint g = 4u;\nuint f@() {{ return g * 10u; }}\n{OUT}"
        f"void main() {{ {AT}f@() + g; }}\n",
    ),
    compute(
        "a global that the library initialises",
        "uint g = 4u;\nuint f@() { return g * 10u; }\n",
        before="uint g;\n",
        call="f@() + g",
        one=f"layout(local_size_x = 64) in;\nuint g = 4u;\nuint f@() {{ return g * 10u; }}\n{OUT}"
        f"void main() {{ {AT}f@() + g; }}\n",
    ),
    compute(
        "a global that both initialise",
        "INCLUDE\nuint f@() { g += 3u; return g; }\n",
        header="uint g = 4u;\nuint h[3] = uint[](1u, 2u, 3u);\nvec2 v = vec2(1.0, 2.0);\n",
        before="INCLUDE\n",
        call=f"g += 10u; h[1] += 5u; v.x = 9.0; uint r = f@(); {AT}g * 100u + r + h[1] + uint(v.x);",
    ),
    compute(
        "a global that is initialised by what is no constant",
        "uint g;\nuint f@() { return g * 10u; }\n",
        before="uint g = gl_GlobalInvocationID.x + 1u;\n",
        call="f@() + g",
        one=f"layout(local_size_x = 64) in;\nuint g = gl_GlobalInvocationID.x + 1u;\n"
        f"uint f@() {{ return g * 10u; }}\n{OUT}void main() {{ {AT}f@() + g; }}\n",
    ),
    compute(
        "a global that a library initialises by what is no constant",
        "uint g = gl_GlobalInvocationID.x + 1u;\nuint f@() { return g * 10u; }\n",
        before="uint g;\n",
        call="f@() + g",
        one=f"layout(local_size_x = 64) in;\nuint g = gl_GlobalInvocationID.x + 1u;\n"
        f"uint f@() {{ return g * 10u; }}\n{OUT}void main() {{ {AT}f@() + g; }}\n",
    ),
    compute(
        "a global struct, of two libraries",
        "INCLUDE\nvoid g@() { s.a = 3u; s.b[1] = 2.0; }\n",
        "INCLUDE\nuint f@() { return s.a + uint(s.b[1]) * 10u; }\n",
        header="struct S { uint a; float b[2]; };\nS s;\n",
        declare="uint f@(); void g@();",
        call=f"g@(); {AT}f@();",
    ),
    compute(
        "a global that is initialised from those of units behind it",
        "uint m@();\nuint A@ = m@() + 1u;\nuint f@() { return A@; }\n",
        "uint z@();\nuint M@ = z@() * 3u;\nuint m@() { return M@; }\n",
        "uint Z@ = 5u;\nuint z@() { return Z@; }\n",
        call="f@()",
        one="layout(local_size_x = 64) in;\nuint Z = 5u;\nuint z() { return Z; }\n"
        "uint M = z() * 3u;\nuint m() { return M; }\nuint A = m() + 1u;\nuint f() { return A; }\n"
        f"{OUT}void main() {{ {AT}f(); }}\n",
    ),
    compute(
        "an array that another unit's initialiser reads an element of",
        "uint t[3] = uint[](gl_WorkGroupID.x, 5u, 7u);\nuint g@() { return t[1]; }\n",
        "uint g@(); uint t[3];\nuint A@ = t[2] * 10u;\nuint f@() { return A@ + g@(); }\n",
        call="f@()",
        one="layout(local_size_x = 64) in;\nuint t[3] = uint[](gl_WorkGroupID.x, 5u, 7u);\nuint g() { return t[1]; }\n"
        f"uint A = t[2] * 10u;\nuint f() {{ return A + g(); }}\n{OUT}void main() {{ {AT}f(); }}\n",
    ),
    compute(
        "a global that only an initialiser shares with another unit",
        "uint s; uint g@();\nuint h@() { s = 4u; return g@(); }\nuint A@ = h@();\nuint f@() { return A@; }\n",
        "uint s;\nuint g@() { return s * 2u; }\n",
        call="f@()",
        one="layout(local_size_x = 64) in;\nuint s;\nuint g() { return s * 2u; }\n"
        "uint h() { s = 4u; return g(); }\nuint A = h();\nuint f() { return A; }\n"
        f"{OUT}void main() {{ {AT}f(); }}\n",
    ),
    Linked(
        name="a buffer that only an initialiser writes",
        layout="layout(local_size_x = 64) in;\n",
        libraries=(
            f"{OUT}uint h@() {{ {AT}gl_GlobalInvocationID.x + 3u; return 1u; }}\nuint A@ = h@();\n"
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
            f"{OUT}uint h@() {{ return atomicAdd({AT.removesuffix(' = ')}, 7u); }}\nuint A@ = h@();\n"
            "uint g@() { return 1u; }\n",
        ),
        shader="uint f@();\nvoid main() { f@(); }\n",
        size=64,
        one="layout(local_size_x = 64) in;\n"
        f"{OUT}uint h() {{ return atomicAdd({AT.removesuffix(' = ')}, 7u); }}\nuint A = h();\n"
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
    compute(
        "constants of one name, which are each unit's own",
        "const uint K = 5u;\nuint f@() { return K; }\n",
        before="const uint K = 7u;\n",
        call="f@() * 10u + K",
        one=f"layout(local_size_x = 64) in;\nuint f@() {{ return 5u; }}\n{OUT}const uint K = 7u;\n"
        f"void main() {{ {AT}f@() * 10u + K; }}\n",
    ),
    compute(
        "a global of two entry points",
        "INCLUDE\nvoid f@() { g = g * 10u + 7u; }\n",
        header="uint g = 2u;\n",
        before="INCLUDE\n",
        declare="void f@();",
        call=f"g += {INDEX}; f@(); {AT}g;",
        others=(
            ("layout(local_size_x = 64) in;\n", f"{OUT}INCLUDE\nvoid f@();\nvoid main() {{ f@(); f@(); {AT}g; }}\n"),
        ),
    ),
)
