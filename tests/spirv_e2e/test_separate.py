"""Functions of separate units link with all types of arguments and results, at every level of debug information.

The results are checked on a device in `tests/spirv`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import constants, opcodes

Validate = Callable[[Path], None]

HEAD = "#version 460\n"
STRUCTS = "struct Ray { vec3 from; vec3 along; float most[2]; };\n"
UNIFORMS = "layout(set = 0, binding = 1) uniform Params { float scale; mat4 place[2]; } params;\n"
TABLE = "layout(set = 0, binding = 2, std430) buffer Table { float row[]; } table;\n"
SAMPLER = "layout(set = 0, binding = 3) uniform sampler2D picture;\n"
LIBRARY = {
    "lib/overloads.glsl": HEAD + "float f(float x) { return x; } float f(vec2 x) { return x.x; }\n"
    "float f(int x) { return float(x); } float f(float x[3]) { return x[0] + x[2]; }\n",
    "lib/structs.glsl": HEAD + STRUCTS + "Ray turned(Ray r, float by) { r.along = r.along.zyx * by; return r; }\n",
    "lib/inout.glsl": HEAD + "void push(inout float x, out float twice) { twice = 2.0 * x; x += 1.0; }\n",
    "lib/uniforms.glsl": HEAD
    + UNIFORMS
    + "float scaled(float x) { return x * params.scale * params.place[1][0].y; }\n",
    "lib/table.glsl": HEAD + TABLE + "float looked_up(uint i) { table.row[i + 1u] += 1.0; return table.row[i]; }\n",
    "lib/sampler.glsl": HEAD + SAMPLER + "float sampled(float x) { return textureLod(picture, vec2(x), 0.0).x; }\n",
    "lib/passed.glsl": HEAD + "float passed(sampler2D s, float x) { return textureLod(s, vec2(x), 0.0).y; }\n",
    "lib/shared.glsl": HEAD + "shared float cells[64];\n"
    "float swapped(float x, uint at) { cells[at] = x; barrier(); return cells[63u - at]; }\n",
    "lib/constants.glsl": HEAD + "layout(constant_id = 7) const float factor = 2.0;\n"
    "float factored(float x) { return x * factor; }\n",
    "lib/globals.glsl": HEAD + "float counter = 3.5; vec4 table[2] = vec4[2](vec4(1.0), vec4(2.0));\n"
    "float counted(uint i) { counter += 1.0; return counter + table[i & 1u].x; }\n",
    "lib/matrices.hlsl": "float dotted(float2x2 m, float2 v) { return dot(mul(m, v), v); }\n"
    "void split(float x, out float whole, inout float part) { whole = floor(x); part += frac(x); }\n",
    "lib/from_glsl.hlsl": "float f(float x);\nfloat by_way_of_hlsl(float x) { return f(x) * 2.0; }\n",
}
PROTOTYPES = (
    STRUCTS
    + SAMPLER
    + """
float f(float x); float f(vec2 x); float f(int x); float f(float x[3]);
Ray turned(Ray r, float by);
void push(inout float x, out float twice);
float scaled(float x);
float looked_up(uint i);
float sampled(float x);
float passed(sampler2D s, float x);
float swapped(float x, uint at);
float factored(float x);
float counted(uint i);
float dotted(mat2 m, vec2 v);
void split(float x, out float whole, inout float part);
float by_way_of_hlsl(float x);
"""
)
BODY = """\
float x = f(store.data[i]) + f(vec2(2.0)) + f(3) + f(float[3](1.0, 2.0, 3.0));
    Ray ray = turned(Ray(vec3(x), vec3(1.0, 2.0, 3.0), float[2](0.0, 1.0)), 2.0);
    float y, z = 0.0;
    push(x, y);
    x += scaled(x) + looked_up(i) + sampled(x) + passed(picture, x) + swapped(x, i & 63u) + factored(x);
    x += counted(i) + dotted(mat2(1.0), vec2(x, y)) + by_way_of_hlsl(x) + ray.along.x + ray.most[1];
    split(x, y, z);
    store.data[i] = x + y + z;"""


@pytest.mark.parametrize("level", ["0", "3"])
@pytest.mark.parametrize("debuginfo", ["none", "line", "full"])
def test_everything_links(shaders: ShaderProject, validate: Validate, debuginfo: str, level: str) -> None:
    shaders.crates(
        f'env["CRATE_DEBUGINFO"] = "{debuginfo}"\nenv["CRATE_OPT_LEVEL"] = "{level}"\n'
        'lib = env.Crate("lib", Glob("lib/*"))\n'
        'env.Crate("app", ["a.comp"], deps=[lib], crate_type="cdylib")\n',
        LIBRARY | {"a.comp": compute(BODY, before=PROTOTYPES)},
    )
    shaders.scons()
    image = shaders.path / "app.spv"
    validate(image)
    present = opcodes(image)
    # Line information has no names; full information is in extended instructions, with names.
    assert (5 in present) == (debuginfo == "full")
    assert (7 in present) == (debuginfo != "none")
    assert (b"NonSemantic.Shader.DebugInfo" in image.read_bytes()) == (debuginfo == "full")
    assert (b"float counted(uint i)" in image.read_bytes()) == (debuginfo == "full")
    assert b"cw_import_stub" not in image.read_bytes()
    if level == "0":
        entry = shaders.manifest("app")["entries"][0]
        assert [row["binding"] for row in entry["descriptors"]] == [0, 1, 2, 3]
        constants = shaders.manifest("app")["modules"][0]["spec_constants"]
        assert [row["id"] for row in constants] == [7]


def test_globals_are_initialised_before_main(shaders: ShaderProject, validate: Validate) -> None:
    """An initialiser with a call runs only if its unit is linked, once per entry point."""
    library = "#version 460\nfloat made(float x);\nfloat state = made(61.0);\nfloat next() { return ++state; }\n"
    shaders.crates(
        'env.Crate("app", Glob("*.comp") + Glob("*.glsl"), crate_type="cdylib", multimodule=True)\n',
        {
            "state.glsl": library,
            "made.glsl": "#version 460\nfloat made(float x) { return x; }\n",
            "uses.comp": compute("store.data[i] = next() + next();", before="float next();"),
            "alone.comp": compute("store.data[i] = 62.0;"),
        },
    )
    shaders.scons()
    bits = (0x42740000).to_bytes(4, "little")
    assert bits in (shaders.path / "app.spvs/uses.comp.spv").read_bytes()
    assert bits not in (shaders.path / "app.spvs/alone.comp.spv").read_bytes()
    validate(shaders.path / "app.spvs/uses.comp.spv")


NARROW = """\
#version 460
#extension GL_EXT_shader_16bit_storage : require
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer Halves { float16_t half_of[]; };
void main() {
    half_of[0] = float16_t(73);
    half_of[1] = float16_t(float16_t(half_of[2]));
}
"""
BYTES = """\
#version 460
#extension GL_EXT_shader_8bit_storage : require
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer Bytes { uint8_t byte_of[]; };
void main() { byte_of[0] = uint8_t(74.75); }
"""


@pytest.mark.parametrize("whole", ["", "float anywhere(float x);\n"])
def test_constants_of_narrow_types(shaders: ShaderProject, validate: Validate, whole: str) -> None:
    """Where such types are only stored, glslang alone would confuse the bits of different types."""
    shaders.crates(
        'env.Crate("app", Glob("*.comp"), crate_type="cdylib", multimodule=True, debuginfo="none")\n',
        {"halves.comp": NARROW.replace("void main", whole + "void main"), "bytes.comp": BYTES},
    )
    shaders.scons()
    for name, word in (("halves", 0x42920000), ("bytes", 74)):
        image = shaders.path / f"app.spvs/{name}.comp.spv"
        assert (word,) in constants(image)
        validate(image)
