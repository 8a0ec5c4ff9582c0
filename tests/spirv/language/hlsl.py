"""Libraries in HLSL, and callers in both languages."""

from __future__ import annotations

import numpy as np

from tests.spirv.language.feature import BIAS, BOTH, SCALE, TABLE, Feature, opposite

HLSL: tuple[Feature, ...] = (
    Feature(
        name="a chain through both languages",
        glsl=(
            "float inner(float x) { return x + 1.0; }",
            "float middle(float x); float outer(float x) { return 3.0 * middle(x); }",
        ),
        hlsl=("float inner(float x); float middle(float x) { return 2.0 * inner(x) + inner(0.5); }",),
        declare="float outer(float x);",
        code="r = outer(x);",
        expected=lambda x, c: 3 * (2 * (x + 1) + 1.5),
        callers=BOTH,
    ),
    Feature(
        name="hlsl scalars and vectors",
        hlsl=(
            "float3 swirl(float3 v, float k) { return v.zxy * k; } int count_to(int n) { int s = 0;\n"
            "  for (int i = 1; i <= n; i++) s += i; return s; } bool over(float x, uint n) { return x > float(n); }\n"
            "float swirl(float x) { return saturate(x) + frac(x) + lerp(1.0, 3.0, 0.5); }",
        ),
        declare="VEC3 swirl(VEC3 v, float k); int count_to(int n); bool over(float x, uint n); float swirl(float x);",
        code="r = swirl(VEC3(1.0, 2.0, x), 2.0).x + float(count_to(4)) + (over(x, 2u) ? 0.5 : 0.0) + swirl(x);",
        expected=lambda x, c: 2 * x + 10 + np.where(x > 2, 0.5, 0) + np.minimum(x, 1) + x - np.floor(x) + 2,
        callers=BOTH,
    ),
    Feature(
        name="hlsl structs, out and inout",
        hlsl=(
            "struct Pair { float a; float3 b; };\n"
            "void enlarge(inout Pair p, float k) { p.a += k; p.b *= k; }\n"
            "void parts(float x, out float whole, out float rest) { whole = floor(x); rest = x - whole; }\n"
            "Pair mirrored(Pair p) { Pair q; q.a = -p.a; q.b = p.b.zyx; return q; }",
        ),
        declare="struct Pair { float a; VEC3 b; }; void enlarge(inout Pair p, float k); Pair mirrored(Pair p);\n"
        "void parts(float x, out float whole, out float rest);",
        code="Pair p; p.a = x; p.b = VEC3(1.0, 2.0, x); enlarge(p, 2.0); p = mirrored(p);\n"
        "  float w; float f; parts(x, w, f); r = p.a + 10.0 * p.b.x + w * 3.0 + f * 7.0;",
        expected=lambda x, c: -(x + 2) + 20 * x + np.floor(x) * 3 + (x - np.floor(x)) * 7,
        callers=BOTH,
    ),
    Feature(
        name="hlsl matrices are transposed",
        hlsl=(
            "float3 transform(float3x3 m, float3 v) { return mul(m, v); }\nfloat entry(float2x3 m) { return m[1][2]; }",
        ),
        declare="vec3 transform(mat3 m, vec3 v); float entry(mat2x3 m);",
        # A row of HLSL is a column of GLSL.
        code="r = transform(mat3(1, 2, 3, 4, 5, 6, 7, 8, x), vec3(1, x, 2)).y\n"
        "  + entry(mat2x3(1, 2, 3, 4, 5, x)) * 10.0;",
        expected=lambda x, c: 4 + 5 * x + 12 + 10 * x,
    ),
    Feature(
        name="hlsl globals",
        hlsl=(
            "static float gain = 2.5; static const float TABLE[3] = { 1.0, 2.0, 4.0 };\n"
            "[[vk::binding(1, 0)]] cbuffer Params { float scale; float bias; };\n"
            "static float derived = scale + 1.0;\n"
            "float gained(float x) { gain += 1.0; return gain * x + TABLE[uint(x) % 3] + derived + bias; }",
            "groupshared float row[64];\n"
            "float across(float x, uint i) { row[i] = x; GroupMemoryBarrierWithGroupSync(); float y = row[63 - i];\n"
            "  GroupMemoryBarrierWithGroupSync(); return y; }",
            "[[vk::binding(3, 0)]] RWStructuredBuffer<float> data; float stored(uint i) { return data[i] * 2.0; }",
        ),
        declare="float gained(float x); float across(float x, uint i); float stored(uint i);",
        code="r = gained(x) + gained(x) * 10.0 + across(x, id % 64u) * 100.0 + stored(id);",
        expected=lambda x, c: (
            3.5 * x
            + 45 * x
            + 11 * (np.choose(x.astype(int) % 3, [1.0, 2.0, 4.0]) + SCALE + 1 + BIAS)
            + 100 * opposite(x)
            + 2 * TABLE.astype(np.float64)
        ),
        callers=BOTH,
    ),
)
