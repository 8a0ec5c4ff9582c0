"""Blocks, images, push constants and specialisation constants of several units."""

from __future__ import annotations

from tests.spirv.units.case import INDEX, OUT, compute

RESOURCES = (
    compute(
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
    compute(
        "a specialisation constant",
        "INCLUDE\nuint f@() { return N * 10u + (ON ? 1u : 0u); }\n",
        header="layout(constant_id = 1) const uint N = 3u;\nlayout(constant_id = 0) const bool ON = true;\n",
        before="INCLUDE\n",
        call="f@() + N",
        constants=({}, {1: 5, 0: 0}),
    ),
    compute(
        "a specialisation constant of a library",
        "layout(constant_id = 0) const uint N = 3u;\nconst uint M = N * 2u;\n"
        "uint f@() { uint a[N]; a[1] = M; return a[1] + a.length(); }\n",
        call="f@()",
        constants=({}, {0: 5}),
    ),
    compute(
        "a storage block",
        f"{OUT}void f@(uint i, uint v) {{ data[i] = v; }}\n",
        declare="void f@(uint, uint);",
        call=f"f@(gl_GlobalInvocationID.x, {INDEX}); data[0] = data[0];",
        one=f"layout(local_size_x = 64) in;\n{OUT}void f@(uint i, uint v) {{ data[i] = v; }}\n"
        f"void main() {{ f@(gl_GlobalInvocationID.x, {INDEX}); data[0] = data[0]; }}\n",
    ),
    compute(
        "a uniform block of an array",
        "INCLUDE\nuint f@() { return uint(p.k[1].x); }\n",
        header="layout(set = 0, binding = 1) uniform P { vec4 k[4]; mat3 m; } p;\n",
        before="INCLUDE\n",
        call="f@() + uint(p.k[0].y) + uint(p.m[0].x)",
    ),
    compute(
        "push constants",
        "INCLUDE\nuint f@() { return push.a + uint(push.b.y); }\n",
        header="layout(push_constant) uniform Push { uint a; vec2 b; } push;\n",
        before="INCLUDE\n",
        call="f@() * 10u + push.a",
    ),
    compute(
        "push constants of a library",
        "layout(push_constant) uniform Push { uint a; vec2 b; } push;\nuint f@() { return push.a + uint(push.b.y); }\n",
        call="f@()",
    ),
    compute(
        "an image",
        "INCLUDE\nuint f@() { return uint(imageSize(image).x); }\n",
        header="layout(set = 0, binding = 2, r32ui) uniform uimage2D image;\n",
        before="INCLUDE\n",
        size=0,
        layout="layout(local_size_x = 64) in;\n",
        call="f@() + imageLoad(image, ivec2(0)).x",
    ),
    compute(
        "an array of samplers",
        "INCLUDE\nfloat f@(int k) { return textureLod(textures[k], vec2(0), 0.0).x; }\n",
        header="layout(set = 0, binding = 3) uniform sampler2D textures[4];\n",
        before="INCLUDE\n",
        size=0,
        layout="layout(local_size_x = 64) in;\n",
        declare="float f@(int);",
        call="uint(f@(1) + textureLod(textures[0], vec2(0), 0.0).y)",
    ),
    compute(
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
    compute(
        "built-in variables",
        "uint f@() { return gl_LocalInvocationID.x * 3u + gl_WorkGroupID.x; }\n",
        call="f@() + gl_GlobalInvocationID.x + gl_LocalInvocationIndex",
    ),
    compute(
        "built-in variables of subgroups",
        "uint f@() { return gl_SubgroupSize; }\n",
        size=0,
        extensions=("GL_KHR_shader_subgroup_basic",),
        layout="layout(local_size_x = 64) in;\n",
        call="f@() + gl_SubgroupInvocationID",
    ),
    compute(
        "a derivative group",
        "layout(derivative_group_quadsNV) in;\nfloat f@(float x) { return dFdx(x); }\n",
        extensions=("GL_NV_compute_shader_derivatives",),
        size=0,
        declare="float f@(float);",
        layout="layout(local_size_x = 8, local_size_y = 8) in;\n",
        call="uint(f@(float(gl_LocalInvocationID.x)))",
    ),
    compute(
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
