"""Valid images from every kind of source: all stages and ways to specify them, GLSL, HLSL, assembly and binaries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import entry_points

Validate = Callable[[Path], None]

TRIANGLE = "gl_MeshVerticesEXT[0].gl_Position = vec4(half_of(1.0));"
STAGES = {
    "vert": "#version 460\nfloat half_of(float x);\nvoid main() { gl_Position = vec4(half_of(1.0)); }\n",
    "frag": "#version 460\nfloat half_of(float x);\nlayout(location = 0) out vec4 colour;\n"
    "void main() { colour = vec4(half_of(gl_FragCoord.x)); }\n",
    "comp": compute("store.data[i] = half_of(store.data[i]);", before="float half_of(float x);"),
    "geom": "#version 460\nfloat half_of(float x);\nlayout(points) in;\nlayout(points, max_vertices = 1) out;\n"
    "void main() { gl_Position = gl_in[0].gl_Position * half_of(1.0); EmitVertex(); EndPrimitive(); }\n",
    "tesc": "#version 460\nfloat half_of(float x);\nlayout(vertices = 1) out;\n"
    "void main() { gl_TessLevelOuter[0] = half_of(2.0);\n"
    "gl_out[gl_InvocationID].gl_Position = gl_in[0].gl_Position; }\n",
    "tese": "#version 460\nfloat half_of(float x);\nlayout(triangles) in;\n"
    "void main() { gl_Position = gl_in[0].gl_Position * half_of(gl_TessCoord.x); }\n",
    "mesh": "#version 460\n#extension GL_EXT_mesh_shader : require\nfloat half_of(float x);\n"
    "layout(local_size_x = 1) in;\nlayout(triangles, max_vertices = 3, max_primitives = 1) out;\n"
    f"void main() {{ SetMeshOutputsEXT(3, 1); {TRIANGLE}\n"
    "gl_PrimitiveTriangleIndicesEXT[0] = uvec3(0, 1, 2); }\n",
    "task": "#version 460\n#extension GL_EXT_mesh_shader : require\nfloat half_of(float x);\n"
    "layout(local_size_x = 1) in;\nvoid main() { EmitMeshTasksEXT(uint(half_of(2.0)), 1, 1); }\n",
    "rgen": "#version 460\n#extension GL_EXT_ray_tracing : require\nfloat half_of(float x);\n"
    "layout(set = 0, binding = 0, rgba32f) uniform image2D target;\n"
    "void main() { imageStore(target, ivec2(gl_LaunchIDEXT.xy), vec4(half_of(1.0))); }\n",
    "rint": "#version 460\n#extension GL_EXT_ray_tracing : require\nfloat half_of(float x);\n"
    "void main() { reportIntersectionEXT(half_of(1.0), 0); }\n",
    "rahit": "#version 460\n#extension GL_EXT_ray_tracing : require\nfloat half_of(float x);\n"
    "layout(location = 0) rayPayloadInEXT float value;\n"
    "void main() { value = half_of(1.0); if (value > 2.0) { ignoreIntersectionEXT; } }\n",
    "rchit": "#version 460\n#extension GL_EXT_ray_tracing : require\nfloat half_of(float x);\n"
    "layout(location = 0) rayPayloadInEXT float value;\nvoid main() { value = half_of(gl_HitTEXT); }\n",
    "rmiss": "#version 460\n#extension GL_EXT_ray_tracing : require\nfloat half_of(float x);\n"
    "layout(location = 0) rayPayloadInEXT float value;\nvoid main() { value = half_of(1.0); }\n",
    "rcall": "#version 460\n#extension GL_EXT_ray_tracing : require\nfloat half_of(float x);\n"
    "layout(location = 0) callableDataInEXT float value;\nvoid main() { value = half_of(value); }\n",
}
HALF = {"lib/half.glsl": "#version 460\nfloat half_of(float x) { return 0.5 * x; }\n"}
LIBRARY = 'lib = env.Crate("lib", Glob("lib/*"))\n'


def test_every_stage(any_shaders: ShaderProject, validate: Validate) -> None:
    """All use one library function that was compiled without a stage."""
    any_shaders.crates(
        LIBRARY + 'env.Crate("app", Glob("s.*"), deps=[lib], crate_type="cdylib", multimodule=True)\n',
        HALF | {f"s.{stage}": text for stage, text in STAGES.items()},
    )
    any_shaders.scons()
    assert any_shaders.images("app") == sorted(f"s.{stage}.spv" for stage in STAGES)
    for stage in STAGES:
        image = any_shaders.path / f"app.spvs/s.{stage}.spv"
        validate(image)
        assert entry_points(image) == [(stage, "main")]
    assert any_shaders.manifest("app")["module"]["s.tesc"] == "app.spvs/s.tesc.spv"
    assert any_shaders.up_to_date()


def test_all_stages_in_one_module(shaders: ShaderProject, validate: Validate) -> None:
    shaders.crates(
        LIBRARY + 'env.Crate("app", Glob("s.*"), deps=[lib], crate_type="cdylib")\n',
        HALF | {f"s.{stage}": text for stage, text in STAGES.items()},
    )
    shaders.scons()
    validate(shaders.path / "app.spv")
    # Different stages do not clash, so all keep their name.
    assert sorted(entry_points(shaders.path / "app.spv")) == sorted((stage, "main") for stage in STAGES)


PRAGMA = "#version 460\n#pragma shader_stage(fragment)\nlayout(location = 0) out float c;\nvoid main() { c = 1.0; }\n"
HLSL_PIXEL = "float4 main(float4 at : SV_Position) : SV_Target { return at; }\n"
HLSL_SEVERAL = """\
RWStructuredBuffer<float> data : register(u0);
float thrice(float x) { return 3.0 * x; }
[shader("compute")] [numthreads(64, 1, 1)]
void scale(uint3 id : SV_DispatchThreadID) { data[id.x] = thrice(data[id.x]); }
[shader("vertex")]
float4 corner(uint id : SV_VertexID) : SV_Position { return thrice(id); }
[shader("pixel")]
float4 paint(float4 at : SV_Position) : SV_Target { return at; }
"""
ASSEMBLY = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "ready_made"
OpExecutionMode %main LocalSize 1 1 1
%void = OpTypeVoid
%function = OpTypeFunction %void
%main = OpFunction %void None %function
%label = OpLabel
OpReturn
OpFunctionEnd
"""
EXPORTING = """\
OpCapability Shader
OpCapability Linkage
OpMemoryModel Logical GLSL450
OpDecorate %half LinkageAttributes "half_of(f1;" Export
%float = OpTypeFloat 32
%pointer = OpTypePointer Function %float
%function = OpTypeFunction %float %pointer
%one_half = OpConstant %float 0.5
%half = OpFunction %float None %function
%x = OpFunctionParameter %pointer
%label = OpLabel
%value = OpLoad %float %x
%result = OpFMul %float %value %one_half
OpReturnValue %result
OpFunctionEnd
"""

STAGE_SPECIFIERS = {
    "compound suffix": ({"a.comp.glsl": compute("store.data[i] = 1.0;")}, {"a.comp.spv": [("comp", "main")]}),
    "pragma": ({"a.glsl": PRAGMA}, {"a.frag.spv": [("frag", "main")]}),
    "suffix and HLSL": ({"a.frag.hlsl": HLSL_PIXEL}, {"a.frag.spv": [("frag", "main")]}),
    "several HLSL entry points": (
        {"a.hlsl": HLSL_SEVERAL},
        {
            "a.corner.spv": [("vert", "corner")],
            "a.paint.spv": [("frag", "paint")],
            "a.scale.spv": [("comp", "scale")],
        },
    ),
    "assembly": ({"a.spvasm": ASSEMBLY}, {"a.comp.spv": [("comp", "ready_made")]}),
    "assembly with a stage": ({"a.comp.spvasm": ASSEMBLY}, {"a.comp.spv": [("comp", "ready_made")]}),
}


@pytest.mark.parametrize("name", STAGE_SPECIFIERS)
def test_ways_to_specify_a_stage(shaders: ShaderProject, validate: Validate, name: str) -> None:
    files, expected = STAGE_SPECIFIERS[name]
    shaders.crates('env.Crate("app", Glob("a.*"), crate_type="cdylib", multimodule=True)\n', files)
    shaders.scons()
    assert shaders.images("app") == sorted(expected)
    for image, entries in expected.items():
        validate(shaders.path / "app.spvs" / image)
        assert entry_points(shaders.path / "app.spvs" / image) == entries


def test_assembly_exports_to_glsl(any_shaders: ShaderProject, validate: Validate) -> None:
    any_shaders.crates(
        LIBRARY + 'env.Crate("app", ["s.comp"], deps=[lib], crate_type="cdylib")\n',
        {"lib/half.spvasm": EXPORTING, "s.comp": STAGES["comp"]},
    )
    any_shaders.scons()
    validate(any_shaders.path / "app.spv")


def test_image_is_a_source_of_another_crate(shaders: ShaderProject, validate: Validate) -> None:
    shaders.crates(
        'made = env.Crate("made", ["a.spvasm"], crate_type="cdylib")\n'
        'env.Crate("app", [made.image, "b.comp"], crate_type="cdylib")\n',
        {"a.spvasm": ASSEMBLY, "b.comp": compute("store.data[i] = 1.0;")},
    )
    shaders.scons()
    validate(shaders.path / "app.spv")
    assert entry_points(shaders.path / "app.spv") == [("comp", "ready_made"), ("comp", "main")]
