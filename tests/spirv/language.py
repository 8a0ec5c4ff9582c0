"""A program that uses every feature of GLSL and HLSL that separate compilation could break, piece by piece.

Each feature is library sources, the prototypes that a caller needs, a statement that sets `r` from `x`, and what `r`
has to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BIAS", "COUNT", "FEATURES", "GROUP", "INPUT", "SCALE", "TABLE", "TEXELS", "Feature", "main", "usable_from"]

Floats = NDArray[np.float64]

GROUP, COUNT = 64, 256
SCALE, BIAS = 2.5, 0.75
INPUT = np.linspace(0.1, 3.1, COUNT, dtype=np.float32)
TABLE = np.linspace(-1, 1, COUNT, dtype=np.float32)
TEXELS = np.arange(64, dtype=np.float32).reshape(4, 4, 4) / 7

_PARAMS = "layout(set = 0, binding = 1) uniform Params { float scale; float bias; } params;\n"
_TABLE = "layout(set = 0, binding = 3) buffer Table { float table[]; };\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature.

    Shape: `glsl` and `hlsl` are the sources of libraries; `declare` and `code` have to be good in the languages
    of `callers`. `expected` is given x in double precision and the specialisation constant.
    """

    name: str
    glsl: tuple[str, ...] = ()
    hlsl: tuple[str, ...] = ()
    declare: str
    code: str
    expected: Callable[[Floats, float], Floats]
    callers: tuple[str, ...] = ("glsl",)


_BOTH = ("glsl", "hlsl")
_INDEX = np.arange(COUNT)
_LOCAL = _INDEX % GROUP


def _reversed(x: Floats) -> Floats:
    """Return x with each workgroup's values in the opposite order."""
    return x.reshape(-1, GROUP)[:, ::-1].reshape(-1)


def _sampled(x: Floats) -> Floats:
    """Return the second channel of the texture at (x / 4, 0.5), filtered."""
    columns = TEXELS[1:3, :, 1].astype(np.float64).mean(axis=0)
    found: Floats = np.interp(np.clip(x, 0.5, 3.5) - 0.5, np.arange(4), columns)
    return found


FEATURES: tuple[Feature, ...] = (
    Feature(
        name="scalar",
        glsl=("float square(float x) { return x * x; }",),
        declare="float square(float x);",
        code="r = square(x) + square(2.0);",
        expected=lambda x, c: x * x + 4,
        callers=_BOTH,
    ),
    Feature(
        name="overloads",
        glsl=(
            "float f(float x) { return x + 3.0; } vec2 f(vec2 x) { return x * 2.0; }\n"
            "int f(int x) { return x * x; } uint f(uint x) { return x + 7u; }",
            "float f(float x, vec3 y) { return x * dot(y, y); } float f(bool x) { return x ? 0.5 : 0.25; }",
        ),
        declare="float f(float); vec2 f(vec2 a); int f(int); uint f(in highp uint b);\n"
        "float f(float, vec3); float f(bool);",
        code="r = f(x) + f(vec2(x)).y + float(f(3)) + float(f(4u)) + f(x, vec3(1, 2, 3)) + f(x > 1.5);",
        expected=lambda x, c: x + 3 + 2 * x + 9 + 11 + 14 * x + np.where(x > 1.5, 0.5, 0.25),
    ),
    Feature(
        name="structs",
        glsl=(
            "struct Inner { vec3 n; float w[2]; }; struct Outer { Inner a; int k; mat2 m; };\n"
            "Outer make(float x) { Outer o; o.a.n = vec3(x, 2.0 * x, 1.0); o.a.w = float[](x, 3.0);\n"
            "  o.k = 2; o.m = mat2(x, 0, 0, 5.0); return o; }",
            "struct Inner { vec3 n; float w[2]; }; struct Outer { Inner a; int k; mat2 m; };\n"
            "float weigh(Outer o) { \n"
            "  return dot(o.a.n, vec3(1)) + o.a.w[0] * o.a.w[1] + float(o.k) + (o.m * vec2(1)).x; }",
        ),
        declare="struct Inner { vec3 n; float w[2]; }; struct Outer { Inner a; int k; mat2 m; };\n"
        "Outer make(float); float weigh(Outer);",
        code="Outer o = make(x); o.k += 1; r = weigh(o);",
        expected=lambda x, c: (3 * x + 1) + 3 * x + 3 + x,
    ),
    Feature(
        name="arrays",
        glsl=(
            "float total(float a[4]) { return a[0] + a[1] + a[2] + a[3]; }\n"
            "float[3] powers(float x) { return float[3](x, x * x, x * x * x); }\n"
            "vec2 pick(vec2 table[3], int i) { return table[i]; }\n"
            "float grid(float g[2][3]) { return g[1][2] - g[0][1]; }",
        ),
        declare="float total(float a[4]); float[3] powers(float x); vec2 pick(vec2 t[3], int i);\n"
        "float grid(float[2][3] g);",
        code="float p[3] = powers(x); r = total(float[4](p[0], p[1], p[2], 1.0))\n"
        "  + pick(vec2[3](vec2(1), vec2(x), vec2(3)), int(x) % 3).y\n"
        "  + grid(float[2][3](float[3](1, 2, 3), float[3](4, 5, x)));",
        expected=lambda x, c: x + x**2 + x**3 + 1 + np.choose(x.astype(int) % 3, [np.ones(COUNT), x, 3]) + x - 2,
    ),
    Feature(
        name="out and inout",
        glsl=(
            "void swap(inout float a, inout float b) { float t = a; a = b; b = t; }\n"
            "void split(float x, out float whole, out vec2 rest) {\n"
            "  whole = floor(x); rest = vec2(x - whole, whole * 2.0); }\n"
            "bool raise(inout vec3 v, const float by) { v += by; return v.x > 2.0; }\n"
            "void rewrite(inout float a[3]) { a[1] = a[0] + a[2]; }",
        ),
        declare="void swap(inout float a, inout float b); void split(float x, out float whole, out vec2 rest);\n"
        "bool raise(inout vec3 v, const float by); void rewrite(inout float a[3]);",
        code="vec3 v = vec3(x, 1.0, 4.0); swap(v.x, v.z); float a[3] = float[3](x, 0.0, 2.0); swap(a[0], v.y);\n"
        "  rewrite(a); float w; vec2 rest; split(x, w, rest.yx); bool big = raise(v, x);\n"
        "  r = v.x + 10.0 * v.y + 100.0 * v.z + a[1] + w + rest.x * 3.0 + rest.y * 5.0 + (big ? 0.5 : 0.0);",
        # v = (4, x, x) + x after the swaps; a = (1, 3, 2); rest.yx = (fraction, 2 * whole)
        expected=lambda x, c: 4 + x + 10 * 2 * x + 100 * 2 * x + 3 + np.floor(x) * 7 + (x - np.floor(x)) * 5 + 0.5,
    ),
    Feature(
        name="matrices",
        glsl=(
            "vec3 apply(mat3 m, vec3 v) { return m * v; } mat3x2 narrow(mat2x3 m) { return transpose(m); }\n"
            "float corner(mat4 m) { return m[3][0] * 10.0 + m[0][3]; }\n"
            "mat2 grow(mat2 m, float k) { return m * k; }",
        ),
        declare="vec3 apply(mat3 m, vec3 v); mat3x2 narrow(mat2x3 m); float corner(mat4 m); mat2 grow(mat2, float);",
        code="mat3 m = mat3(1, 2, 3, 4, 5, 6, 7, 8, x); mat4 q = mat4(1.0); q[3][0] = x; q[0][3] = 2.0;\n"
        "  r = apply(m, vec3(1, x, 2)).z + narrow(mat2x3(1, 2, 3, 4, x, 6))[1].y + corner(q)\n"
        "    + determinant(grow(mat2(x), 2.0));",
        expected=lambda x, c: (3 + 6 * x + 2 * x) + x + 10 * x + 2 + 4 * x * x,
    ),
    Feature(
        name="uniform block",
        glsl=(_PARAMS + "float affine(float x) { return x * params.scale + params.bias; }",),
        declare="float affine(float x);",
        code="r = affine(x);",
        expected=lambda x, c: x * SCALE + BIAS,
        callers=_BOTH,
    ),
    Feature(
        name="storage block",
        glsl=(
            _TABLE + "float look_up(uint i) { return table[i]; }",
            _TABLE + "uint entries() { return uint(table.length()); }\n"
            "float update(uint i, float x) { float was = table[i]; table[i] = x; memoryBarrierBuffer();\n"
            "  float now = table[i]; table[i] = was; return now; }",
        ),
        declare="float look_up(uint i); uint entries(); float update(uint i, float x);",
        code="r = look_up(id) + float(entries()) + update(id, x) * 10.0;",
        expected=lambda x, c: TABLE.astype(np.float64) + COUNT + 10 * x,
        callers=_BOTH,
    ),
    Feature(
        name="shared memory",
        glsl=(
            "shared float tile[64];\n"
            "float opposite(float x) { tile[gl_LocalInvocationID.x] = x; barrier();\n"
            "  float y = tile[63u - gl_LocalInvocationID.x]; barrier(); return y; }",
        ),
        declare="float opposite(float x);",
        code="r = opposite(x) + opposite(2.0 * x) * 10.0;",
        expected=lambda x, c: 21 * _reversed(x),
        callers=_BOTH,
    ),
    Feature(
        name="specialisation constants",
        glsl=(
            "layout(constant_id = 3) const float FACTOR = 4.0;\nlayout(constant_id = 7) const int ROUNDS = 3;\n"
            "const int MORE = ROUNDS + 1; float derived = FACTOR * 2.0;\n"
            "float scaled(float x) {\n"
            "  float s = 0.0; for (int i = 1; i < MORE; ++i) s += x * FACTOR; return s + derived; }",
            "layout(constant_id = 3) const float FACTOR = 4.0;\nfloat factor() { return FACTOR; }",
        ),
        declare="float scaled(float x); float factor();",
        code="r = scaled(x) + factor();",
        expected=lambda x, c: 3 * c * x + 3 * c,
    ),
    Feature(
        name="initialised globals",
        glsl=(
            "float counter = 1.5; const float STEPS[3] = float[](0.25, 0.5, 1.0); vec2 pair = vec2(3.0, STEPS[1]);\n"
            "float count(float x) { counter += x; return counter + pair.x * pair.y; }",
            "float weights[3] = float[](1.0, 2.0, 4.0); int turn = 0;\nfloat weight() { return weights[turn++ % 3]; }",
        ),
        declare="float count(float x); float weight();",
        code="float first = count(x); float second = count(x); r = first + 10.0 * second;\n"
        "  r += weight(); r += 10.0 * weight(); r += 100.0 * weight();",
        expected=lambda x, c: (1.5 + x + 1.5) + 10 * (1.5 + 2 * x + 1.5) + 421,
    ),
    Feature(
        name="globals from what is known at run time",
        glsl=(
            _PARAMS + _TABLE + "float lazy = params.bias * 2.0; float chained = lazy + params.scale;\n"
            "float mine = table[gl_GlobalInvocationID.x];\n"
            "float prepare(float x) { return x * 3.0; }\nfloat called = prepare(lazy);\n"
            "float known(float x) { return x + chained + called + mine; }",
        ),
        declare="float known(float x);",
        code="r = known(x);",
        expected=lambda x, c: x + (2 * BIAS + SCALE) + 6 * BIAS + TABLE.astype(np.float64),
        callers=_BOTH,
    ),
    Feature(
        name="state of a library",
        glsl=(
            "float sum = 0.0; void deposit(float x) { sum += x; } float balance() { return sum; }",
            "void deposit(float x); void deposit_twice(float x) { deposit(x); deposit(x); }",
        ),
        declare="void deposit(float x); void deposit_twice(float x); float balance();",
        code="deposit(1.0); deposit_twice(x); r = balance();",
        expected=lambda x, c: 1 + 2 * x,
        callers=_BOTH,
    ),
    Feature(
        name="built-in variables",
        glsl=(
            "uint where() { return gl_GlobalInvocationID.x; }\n"
            "float place() {\n"
            "  return float(gl_LocalInvocationIndex + 100u * gl_WorkGroupID.x + 1000u * gl_NumWorkGroups.x); }",
            "uint where_too() { return gl_GlobalInvocationID.x; }",
        ),
        declare="uint where(); uint where_too(); float place();",
        code="r = float(where()) + float(where_too()) + place();",
        expected=lambda x, c: 2 * _INDEX + _LOCAL + 100.0 * (_INDEX // GROUP) + 4000,
    ),
    Feature(
        name="sampler arguments and globals",
        glsl=(
            "float sampled(sampler2D image, float x) { return textureLod(image, vec2(x / 4.0, 0.5), 0.0).y; }",
            "layout(set = 0, binding = 4) uniform sampler2D picture;\n"
            "float fetched(int i) { return texelFetch(picture, ivec2(i, 1), 0).z; }",
        ),
        declare="layout(set = 0, binding = 4) uniform sampler2D image;\n"
        "float sampled(sampler2D image, float x); float fetched(int i);",
        code="r = sampled(image, x) + fetched(int(id % 4u)) * 10.0;",
        expected=lambda x, c: _sampled(x) + 10.0 * TEXELS[1, _INDEX % 4, 2],
    ),
    Feature(
        name="other types",
        glsl=(
            "double half_of(double x) { return x * 0.5lf; } ivec3 down(ivec3 v) { return v - 1; }\n"
            "bvec2 both(bvec2 a, bvec2 b) { return bvec2(a.x && b.x, a.y || b.y); }\n"
            "uvec4 twist(uvec4 v) { return v.wzyx; }",
        ),
        declare="double half_of(double x); ivec3 down(ivec3 v); bvec2 both(bvec2 a, bvec2 b); uvec4 twist(uvec4 v);",
        code="bvec2 b = both(bvec2(x > 1.0, x > 2.0), bvec2(true, false));\n"
        "  r = float(half_of(double(x))) + float(down(ivec3(5, 6, 7)).z) + (b.x ? 10.0 : 0.0) + (b.y ? 20.0 : 0.0)\n"
        "    + float(twist(uvec4(1, 2, 3, id)).x);",
        expected=lambda x, c: x / 2 + 6 + np.where(x > 1, 10, 0) + np.where(x > 2, 20, 0) + _INDEX,
    ),
    Feature(
        name="control flow",
        glsl=(
            "float steps(float x, int kind) {\n"
            "  switch (kind) { case 0: return x; case 1: x *= 2.0; break; case 2: x += 1.0; default: x = -x; }\n"
            "  for (int i = 0; i < 10; ++i) { if (i == 2) continue; if (x > 20.0) break; x += float(i); }\n"
            "  do { x *= 0.5; } while (x > 8.0);\n  return x; }",
        ),
        declare="float steps(float x, int kind);",
        code="r = steps(1.0, 0) + 10.0 * steps(3.0, 1) + 100.0 * steps(0.5, 2) + 1000.0 * steps(7.0, 3) + x;",
        # 6 + 0 1 3 4 5 6 = 25 halved to 6.25; -1.5 + 0 1 3 4 5 6 = 17.5, + 7 = 24.5 to 6.125;
        # -7 + 0 1 3 4 5 6 7 8 = 27 to 6.75
        expected=lambda x, c: 1 + 62.5 + 612.5 + 6750 + x,
    ),
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
        callers=_BOTH,
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
        callers=_BOTH,
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
        callers=_BOTH,
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
            + 100 * _reversed(x)
            + 2 * TABLE.astype(np.float64)
        ),
        callers=_BOTH,
    ),
    Feature(
        name="what includes bring stays private",
        glsl=(
            '#include "private.h"\nfloat one(float x) { return mine(x) + KEY; }',
            '#define KEY_IS 5.0\n#include "private.h"\nfloat two(float x) { return mine(x) * KEY; }',
        ),
        declare="float one(float x); float two(float x);",
        code="r = one(x) + two(x);",
        expected=lambda x, c: (x + 2 + 2) + (x + 5) * 5,
        callers=_BOTH,
    ),
)

_GLSL_MAIN = """\
#version 460
#define VEC3 vec3
layout(local_size_x = {group}) in;
layout(set = 0, binding = 0) readonly buffer Input {{ float inputs[]; }};
layout(set = 0, binding = 2) writeonly buffer Results {{ float results[]; }};
{declarations}
void main() {{
  uint id = gl_GlobalInvocationID.x; float x = inputs[id]; float r;
{body}}}
"""
_HLSL_MAIN = """\
#define VEC3 float3
[[vk::binding(0, 0)]] StructuredBuffer<float> inputs;
[[vk::binding(2, 0)]] RWStructuredBuffer<float> results;
{declarations}
[numthreads({group}, 1, 1)] void main(uint3 thread : SV_DispatchThreadID) {{
  uint id = thread.x; float x = inputs[id]; float r;
{body}}}
"""


def usable_from(language: str) -> tuple[Feature, ...]:
    """Return the features that a caller in a language can use, in the order of their results."""
    return tuple(feature for feature in FEATURES if language in feature.callers)


def main(language: str) -> str:
    """Return a compute shader that uses them all; result `k` of invocation `id` is `results[k * COUNT + id]`."""
    features = usable_from(language)
    declarations = "\n".join(feature.declare for feature in features)
    body = "".join(f"  {{ {f.code} }} results[{k * COUNT}u + id] = r;\n" for k, f in enumerate(features))
    template = _GLSL_MAIN if language == "glsl" else _HLSL_MAIN
    return template.format(group=GROUP, declarations=declarations, body=body)
