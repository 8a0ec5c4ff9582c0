"""Functions of values: their types, arguments, results and control flow."""

from __future__ import annotations

import numpy as np

from tests.spirv.language.feature import BOTH, COUNT, INDEX, Feature

VALUES: tuple[Feature, ...] = (
    Feature(
        name="scalar",
        glsl=("float square(float x) { return x * x; }",),
        declare="float square(float x);",
        code="r = square(x) + square(2.0);",
        expected=lambda x, c: x * x + 4,
        callers=BOTH,
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
        expected=lambda x, c: x / 2 + 6 + np.where(x > 1, 10, 0) + np.where(x > 2, 20, 0) + INDEX,
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
        name="what includes bring stays private",
        glsl=(
            '#include "private.h"\nfloat one(float x) { return mine(x) + KEY; }',
            '#define KEY_IS 5.0\n#include "private.h"\nfloat two(float x) { return mine(x) * KEY; }',
        ),
        declare="float one(float x); float two(float x);",
        code="r = one(x) + two(x);",
        expected=lambda x, c: (x + 2 + 2) + (x + 5) * 5,
        callers=BOTH,
    ),
)
