"""An image only asks a device for what its own code needs, whatever else its libraries can do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from cratewright_spirv.binary import opcodes as op
from cratewright_spirv.binary.module import parse
from tests.support.shader_build import Image, ShaderBuild


@dataclass(frozen=True)
class Feature:
    """A function `costly` that needs something special; `head` comes before it."""

    name: str
    head: str
    body: str
    stage: str = "comp"


_EXPLICIT = "#extension GL_EXT_shader_explicit_arithmetic_types_"
FEATURES = (
    Feature(
        "atomics",
        "#extension GL_EXT_shader_atomic_float : require\nlayout(set=0, binding=3) buffer A { float sum; };",
        "atomicAdd(sum, x)",
    ),
    Feature("layers", "layout(set=0, binding=3) uniform samplerCubeArray t;", "textureLod(t, vec4(x), 0).x"),
    Feature(
        "offsets",
        "layout(set=0, binding=3) uniform sampler2D t;",
        "textureGatherOffset(t, vec2(x), ivec2(int(x), 1)).x",
    ),
    Feature("bytes", f"{_EXPLICIT}int8 : require", "float(int8_t(x) + int8_t(1))"),
    Feature(
        "bytes-stored",
        f"#extension GL_EXT_shader_8bit_storage : require\n{_EXPLICIT}int8 : require\n"
        "layout(set=0, binding=3) buffer A { int8_t stored; };",
        "float(stored)",
    ),
    Feature(
        "halves-stored",
        "#extension GL_EXT_shader_16bit_storage : require\nlayout(set=0, binding=3) buffer A { float16_t stored; };",
        "float(stored)",
    ),
    Feature("halves", f"{_EXPLICIT}float16 : require", "float(float16_t(x) * float16_t(x))"),
    Feature("doubles", "", "float(double(x) * 1.1LF)"),
    Feature("longs", f"{_EXPLICIT}int64 : require", "float(int64_t(x) * 3L)"),
    Feature("shorts", f"{_EXPLICIT}int16 : require", "float(int16_t(x) * int16_t(x))"),
    Feature("clock", "#extension GL_EXT_shader_realtime_clock : require", "float(clockRealtime2x32EXT().x)"),
    Feature("subgroups", "#extension GL_KHR_shader_subgroup_arithmetic : require", "subgroupAdd(x)"),
    Feature(
        "sparse",
        "#extension GL_ARB_sparse_texture2 : require\nlayout(set=0, binding=3) uniform sampler2D t;\n"
        "float resident(float x) { vec4 texel; return float(sparseTextureLodARB(t, vec2(x), 0, texel)); }",
        "resident(x)",
    ),
    Feature(
        "bindless",
        "#extension GL_EXT_nonuniform_qualifier : require\nlayout(set=0, binding=3) uniform sampler2D t[];",
        "textureLod(t[nonuniformEXT(int(x))], vec2(x), 0).x",
    ),
    Feature(
        "addresses",
        "#extension GL_EXT_buffer_reference : require\n"
        "layout(buffer_reference) buffer Node;\nlayout(buffer_reference) buffer Node { float value; Node next; };\n"
        "layout(set=0, binding=3) uniform A { Node first; };",
        "first.next.value",
    ),
    Feature(
        "rays",
        "#extension GL_EXT_ray_query : require\nlayout(set=0, binding=3) uniform accelerationStructureEXT scene;\n"
        "float hit(float x) { rayQueryEXT q; rayQueryInitializeEXT(q, scene, 0, 255, vec3(x), 0, vec3(1), 1);"
        " rayQueryProceedEXT(q); return rayQueryGetIntersectionTEXT(q, true); }",
        "hit(x)",
    ),
    Feature("formats", "layout(set=0, binding=3, rg16f) uniform image2D i;", "imageLoad(i, ivec2(x)).x"),
    Feature("samples", "layout(set=0, binding=3, rgba8) uniform image2DMS i;", "imageLoad(i, ivec2(x), 0).x"),
    Feature("lines", "layout(set=0, binding=3) uniform sampler1D t;", "textureLod(t, x, 0).x"),
    Feature("texels", "layout(set=0, binding=3) uniform samplerBuffer t;", "texelFetch(t, int(x)).x"),
    Feature("sizes", "layout(set=0, binding=3) uniform sampler2D t;", "float(textureSize(t, 0).x)"),
    Feature("each-sample", "", "x * float(gl_SampleID)", "frag"),
    Feature("at-offset", "layout(location=1) in float v;", "interpolateAtOffset(v, vec2(x))", "frag"),
    Feature("fine", "", "dFdxFine(x)", "frag"),
    Feature(
        "demoted", "#extension GL_EXT_demote_to_helper_invocation : require", "float(helperInvocationEXT())", "frag"
    ),
    Feature("views", "#extension GL_EXT_multiview : require", "float(gl_ViewIndex)", "frag"),
    Feature(
        "corners",
        "#extension GL_EXT_fragment_shader_barycentric : require",
        "gl_BaryCoordEXT.x",
        "frag",
    ),
    Feature("draws", "", "float(gl_DrawID)", "vert"),
)
LAYOUTS = {
    "comp": "layout(local_size_x=1) in; layout(set=0, binding=0) buffer O { float o; };",
    "frag": "layout(location=0) out float o;",
    "vert": "layout(location=0) out float o;",
}


def _needs(image: Image) -> set[tuple[int, ...]]:
    """Return the capabilities, extensions and memory model that an image declares."""
    words = parse(image.data, "image").instructions
    return {each for each in words if each[0] & 0xFFFF in (op.CAPABILITY, op.EXTENSION, op.MEMORY_MODEL)}


@pytest.mark.parametrize(("lto", "level"), [("off", 0), ("off", 3), ("thin", 0), ("fat", 3)])
@pytest.mark.parametrize("feature", FEATURES, ids=lambda each: each.name)
def test_image_declares_no_more_than_one_unit_with_all_its_code(
    tmp_path: Path, feature: Feature, lto: str, level: int
) -> None:
    costly = f"{feature.head}\nfloat costly(float x) {{ return {feature.body}; }}\n"
    plain = "float plain(float x) { return x * 3; }\n"
    layout = f"{LAYOUTS[feature.stage]}\n"
    stage = feature.stage
    build = ShaderBuild(tmp_path)
    build.write(
        {
            f"library.{stage}": f"#version 460\n{plain}{costly}",
            **{
                f"{name}.{stage}": f"#version 460\n{layout}float {name}(float x);\nvoid main() {{ o = {name}(2); }}\n"
                for name in ("plain", "costly")
            },
            f"plain_alone.{stage}": f"#version 460\n{layout}{plain}void main() {{ o = plain(2); }}\n",
            f"costly_alone.{stage}": f"#version 460\n{costly}{layout}void main() {{ o = costly(2); }}\n",
        }
    )
    options = {"lto": lto, "opt_level": level, "multimodule": True}
    library = build.compile("library", [f"library.{stage}"])
    linked = build.link(build.compile("linked", [f"plain.{stage}", f"costly.{stage}"]), [library], **options)
    alone = build.link(build.compile("alone", [f"plain_alone.{stage}", f"costly_alone.{stage}"]), **options)
    for name in ("plain", "costly"):
        # Fewer are right as well: one capability may imply another. All images are validated.
        assert _needs(linked[f"{name}.{stage}"]) <= _needs(alone[f"{name}_alone.{stage}"])
