"""State shared by units: blocks, memory, constants, globals, built-in variables and textures."""

from __future__ import annotations

import numpy as np

from tests.spirv.language.feature import (
    BIAS,
    BOTH,
    COUNT,
    GROUP,
    INDEX,
    PARAMS,
    SCALE,
    TABLE,
    TABLE_BLOCK,
    TEXELS,
    Feature,
    Floats,
    opposite,
)

_LOCAL = INDEX % GROUP


def _sampled(x: Floats) -> Floats:
    """Return the second channel of the texture at (x / 4, 0.5), filtered."""
    columns = TEXELS[1:3, :, 1].astype(np.float64).mean(axis=0)
    result: Floats = np.interp(np.clip(x, 0.5, 3.5) - 0.5, np.arange(4), columns)
    return result


STATE: tuple[Feature, ...] = (
    Feature(
        name="uniform block",
        glsl=(PARAMS + "float affine(float x) { return x * params.scale + params.bias; }",),
        declare="float affine(float x);",
        code="r = affine(x);",
        expected=lambda x, c: x * SCALE + BIAS,
        callers=BOTH,
    ),
    Feature(
        name="storage block",
        glsl=(
            TABLE_BLOCK + "float look_up(uint i) { return table[i]; }",
            TABLE_BLOCK + "uint entries() { return uint(table.length()); }\n"
            "float update(uint i, float x) { float was = table[i]; table[i] = x; memoryBarrierBuffer();\n"
            "  float now = table[i]; table[i] = was; return now; }",
        ),
        declare="float look_up(uint i); uint entries(); float update(uint i, float x);",
        code="r = look_up(id) + float(entries()) + update(id, x) * 10.0;",
        expected=lambda x, c: TABLE.astype(np.float64) + COUNT + 10 * x,
        callers=BOTH,
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
        expected=lambda x, c: 21 * opposite(x),
        callers=BOTH,
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
            PARAMS + TABLE_BLOCK + "float lazy = params.bias * 2.0; float chained = lazy + params.scale;\n"
            "float mine = table[gl_GlobalInvocationID.x];\n"
            "float prepare(float x) { return x * 3.0; }\nfloat called = prepare(lazy);\n"
            "float known(float x) { return x + chained + called + mine; }",
        ),
        declare="float known(float x);",
        code="r = known(x);",
        expected=lambda x, c: x + (2 * BIAS + SCALE) + 6 * BIAS + TABLE.astype(np.float64),
        callers=BOTH,
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
        callers=BOTH,
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
        expected=lambda x, c: 2 * INDEX + _LOCAL + 100.0 * (INDEX // GROUP) + 4000,
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
        expected=lambda x, c: _sampled(x) + 10.0 * TEXELS[1, INDEX % 4, 2],
    ),
)
