"""Tests of what a module says about itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cratewright_spirv.reflection.reflect import (
    STAGES,
    ReflectedEntry,
    count_instructions,
    entry_points,
    instruction_count,
    interface,
)
from cratewright_spirv.surgery.finalize import finalize

MODULE = """
OpCapability Shader
OpCapability SampledBuffer
OpCapability RuntimeDescriptorArray
OpCapability Float16
OpCapability Int64
OpExtension "SPV_EXT_descriptor_indexing"
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %comp "step" %ubo %ssbo %pc %heap
OpEntryPoint Fragment %frag "shade" %uv %color %tex %plain %smp %img %texel %attach %vary
OpExecutionMode %comp LocalSize 8 4 1
OpExecutionMode %frag OriginUpperLeft
OpName %ubo "camera"
OpName %ssbo ""
OpName %Data "Data"
OpName %pc "pc"
OpName %uv "uv"
OpName %color "color"
OpName %tex "albedo"
OpName %n "COUNT"
OpName %Vary "Vary"
OpMemberName %Vary 0 "normal"
OpMemberName %Vary 1 "depth"
OpName %vary "vary"
OpDecorate %n SpecId 3
OpDecorate %neg SpecId 1
OpDecorate %flag SpecId 2
OpDecorate %half SpecId 4
OpDecorate %big SpecId 5
OpDecorate %twin SpecId 5
OpDecorate %Cam Block
OpMemberDecorate %Cam 0 Offset 0
OpMemberDecorate %Cam 0 ColMajor
OpMemberDecorate %Cam 0 MatrixStride 16
OpDecorate %Data Block
OpDecorate %arr ArrayStride 4
OpMemberDecorate %Data 0 Offset 0
OpDecorate %Push Block
OpMemberDecorate %Push 0 Offset 0
OpMemberDecorate %Push 1 Offset 16
OpMemberDecorate %Push 1 ColMajor
OpMemberDecorate %Push 1 MatrixStride 16
OpMemberDecorate %Push 2 Offset 64
OpMemberDecorate %Push 3 Offset 112
OpMemberDecorate %Push 3 RowMajor
OpMemberDecorate %Push 3 MatrixStride 16
OpDecorate %pushed ArrayStride 16
OpDecorate %ubo DescriptorSet 1
OpDecorate %ubo Binding 0
OpDecorate %ssbo DescriptorSet 0
OpDecorate %ssbo Binding 2
OpDecorate %heap DescriptorSet 0
OpDecorate %heap Binding 3
OpDecorate %tex DescriptorSet 0
OpDecorate %tex Binding 0
OpDecorate %plain DescriptorSet 0
OpDecorate %plain Binding 4
OpDecorate %smp DescriptorSet 0
OpDecorate %smp Binding 5
OpDecorate %img DescriptorSet 0
OpDecorate %img Binding 6
OpDecorate %texel DescriptorSet 0
OpDecorate %texel Binding 7
OpDecorate %attach DescriptorSet 0
OpDecorate %attach Binding 8
OpDecorate %attach InputAttachmentIndex 0
OpDecorate %uv Location 0
OpDecorate %uv Component 2
OpDecorate %color Location 0
OpDecorate %Vary Block
OpMemberDecorate %Vary 0 Location 2
OpMemberDecorate %Vary 1 Location 3
%void = OpTypeVoid
%fn = OpTypeFunction %void
%f = OpTypeFloat 32
%h = OpTypeFloat 16
%i = OpTypeInt 32 1
%u = OpTypeInt 32 0
%l = OpTypeInt 64 1
%b = OpTypeBool
%v2 = OpTypeVector %f 2
%v3 = OpTypeVector %f 3
%v4 = OpTypeVector %f 4
%m43 = OpTypeMatrix %v3 4
%m3 = OpTypeMatrix %v3 3
%n = OpSpecConstant %u 7
%neg = OpSpecConstant %i -5
%flag = OpSpecConstantTrue %b
%half = OpSpecConstant %h 0.5
%big = OpSpecConstant %l -8589934592
%twin = OpSpecConstant %l -8589934592
%c3 = OpConstant %u 3
%Cam = OpTypeStruct %m43
%arr = OpTypeRuntimeArray %f
%Data = OpTypeStruct %arr
%pushed = OpTypeArray %v2 %c3
%Push = OpTypeStruct %v3 %m3 %pushed %m43
%heaps = OpTypeRuntimeArray %Cam
%pubo = OpTypePointer Uniform %Cam
%pssbo = OpTypePointer StorageBuffer %Data
%ppc = OpTypePointer PushConstant %Push
%pheap = OpTypePointer Uniform %heaps
%ubo = OpVariable %pubo Uniform
%ssbo = OpVariable %pssbo StorageBuffer
%pc = OpVariable %ppc PushConstant
%heap = OpVariable %pheap Uniform
%image = OpTypeImage %f 2D 0 0 0 1 Unknown
%storage = OpTypeImage %f 2D 0 0 0 2 R32f
%buffer = OpTypeImage %f Buffer 0 0 0 1 Unknown
%subpass = OpTypeImage %f SubpassData 0 0 0 2 Unknown
%sampler = OpTypeSampler
%combined = OpTypeSampledImage %image
%textures = OpTypeArray %combined %c3
%ptex = OpTypePointer UniformConstant %textures
%pplain = OpTypePointer UniformConstant %image
%psmp = OpTypePointer UniformConstant %sampler
%pimg = OpTypePointer UniformConstant %storage
%pbuffer = OpTypePointer UniformConstant %buffer
%pattach = OpTypePointer UniformConstant %subpass
%tex = OpVariable %ptex UniformConstant
%plain = OpVariable %pplain UniformConstant
%smp = OpVariable %psmp UniformConstant
%img = OpVariable %pimg UniformConstant
%texel = OpVariable %pbuffer UniformConstant
%attach = OpVariable %pattach UniformConstant
%Vary = OpTypeStruct %v3 %f
%pvary = OpTypePointer Input %Vary
%vary = OpVariable %pvary Input
%pin = OpTypePointer Input %v2
%pout = OpTypePointer Output %v4
%uv = OpVariable %pin Input
%color = OpVariable %pout Output
%comp = OpFunction %void None %fn
%l1 = OpLabel
%r1 = OpCopyObject %pubo %ubo
%r2 = OpCopyObject %pssbo %ssbo
%r3 = OpCopyObject %ppc %pc
%r4 = OpCopyObject %pheap %heap
OpReturn
OpFunctionEnd
%frag = OpFunction %void None %fn
%l2 = OpLabel
%s1 = OpLoad %v2 %uv
%s2 = OpCopyObject %pout %color
%s3 = OpCopyObject %ptex %tex
%s4 = OpCopyObject %pplain %plain
%s5 = OpCopyObject %psmp %smp
%s6 = OpCopyObject %pimg %img
%s7 = OpCopyObject %pbuffer %texel
%s8 = OpCopyObject %pattach %attach
%s9 = OpLoad %Vary %vary
OpReturn
OpFunctionEnd
"""


@pytest.fixture
def compute(spirv: Any) -> Any:
    return interface(spirv.assemble(MODULE))["entry_points"][0]


@pytest.fixture
def fragment(spirv: Any) -> Any:
    return interface(spirv.assemble(MODULE))["entry_points"][1]


def test_entry_points(spirv: Any) -> None:
    assert entry_points(spirv.assemble(MODULE)) == (
        ReflectedEntry("compute", "step", (8, 4, 1)),
        ReflectedEntry("fragment", "shade"),
    )


def test_buffers(compute: Any) -> None:
    assert [tuple(each.values()) for each in compute["descriptors"]] == [
        (0, 2, "storage-buffer", "Data", 1),
        (0, 3, "uniform-buffer", "", 0),
        (1, 0, "uniform-buffer", "camera", 1),
    ]
    assert list(compute["descriptors"][0]) == ["set", "binding", "kind", "name", "count"]
    assert compute["workgroup_size"] == [8, 4, 1]


def test_images_and_samplers(fragment: Any) -> None:
    assert [(each["kind"], each["count"]) for each in fragment["descriptors"]] == [
        ("combined-image-sampler", 3),
        ("sampled-image", 1),
        ("sampler", 1),
        ("storage-image", 1),
        ("uniform-texel-buffer", 1),
        ("input-attachment", 1),
    ]
    assert "workgroup_size" not in fragment


def test_push_constants(compute: Any, fragment: Any) -> None:
    assert compute["push_constant_size"] == 112 + 3 * 16
    assert fragment["push_constant_size"] == 0


def test_members_of_one_matrix_type_lie_as_each_says(spirv: Any) -> None:
    data = spirv.assemble(
        """
               OpCapability Shader
               OpMemoryModel Logical GLSL450
               OpEntryPoint GLCompute %main "main" %block
               OpExecutionMode %main LocalSize 1 1 1
               OpDecorate %Block Block
               OpDecorate %block DescriptorSet 0
               OpDecorate %block Binding 0
               OpMemberDecorate %Block 0 Offset 0
               OpMemberDecorate %Block 0 ColMajor
               OpMemberDecorate %Block 0 MatrixStride 16
               OpMemberDecorate %Block 1 Offset 64
               OpMemberDecorate %Block 1 RowMajor
               OpMemberDecorate %Block 1 MatrixStride 16
               OpMemberDecorate %Block 2 Offset 96
               OpMemberDecorate %Block 2 ColMajor
               OpMemberDecorate %Block 2 MatrixStride 8
       %void = OpTypeVoid
         %fn = OpTypeFunction %void
      %float = OpTypeFloat 32
       %vec2 = OpTypeVector %float 2
     %mat3x2 = OpTypeMatrix %vec2 3
      %Block = OpTypeStruct %mat3x2 %mat3x2 %mat3x2
        %ptr = OpTypePointer StorageBuffer %Block
      %block = OpVariable %ptr StorageBuffer
       %main = OpFunction %void None %fn
      %label = OpLabel
               OpReturn
               OpFunctionEnd
        """
    )
    (entry,) = interface(data, blocks=True)["entry_points"]  # type: ignore[misc]
    members = entry["descriptors"][0]["block"]["members"]
    assert [(row["size"], row["matrix_stride"], row["row_major"]) for row in members] == [
        (48, 16, False),
        (32, 16, True),
        (24, 8, False),
    ]


def test_inputs_and_outputs(fragment: Any) -> None:
    assert fragment["inputs"] == [
        {"location": 0, "component": 2, "name": "uv", "type": "vec2"},
        {"location": 2, "component": 0, "name": "vary.normal", "type": "vec3"},
        {"location": 3, "component": 0, "name": "vary.depth", "type": "float"},
    ]
    assert fragment["outputs"] == [{"location": 0, "component": 0, "name": "color", "type": "vec4"}]


def test_spec_constants(spirv: Any) -> None:
    rows = interface(spirv.assemble(MODULE))["spec_constants"]
    assert rows == [
        {"id": 1, "name": "", "type": "int", "default": -5},
        {"id": 2, "name": "", "type": "bool", "default": True},
        {"id": 3, "name": "COUNT", "type": "uint", "default": 7},
        {"id": 4, "name": "", "type": "float16_t", "default": 0.5},
        {"id": 5, "name": "", "type": "int64_t", "default": -8589934592},
    ]


def test_the_interface_survives_json_and_finalisation(spirv: Any) -> None:
    data = spirv.assemble(MODULE)
    rows = interface(data)
    assert json.loads(json.dumps(rows)) == rows
    assert interface(finalize(data, name="image", initialisers=[])) == rows


@pytest.mark.parametrize("how", ["LocalSizeId %x %y %x", "WorkgroupSize"])
def test_workgroup_sizes_from_constants(spirv: Any, how: str) -> None:
    mode = f"OpExecutionModeId %m {how}" if how != "WorkgroupSize" else "OpExecutionMode %m LocalSize 1 1 1"
    text = f"""
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %m "main"
{mode}
OpDecorate %x SpecId 0
{"OpDecorate %size BuiltIn WorkgroupSize" if how == "WorkgroupSize" else ""}
%void = OpTypeVoid
%fn = OpTypeFunction %void
%u = OpTypeInt 32 0
%v3 = OpTypeVector %u 3
%x = OpSpecConstant %u 16
%y = OpConstant %u 2
%size = OpSpecConstantComposite %v3 %x %y %x
%m = OpFunction %void None %fn
%l = OpLabel
OpReturn
OpFunctionEnd
"""
    assert entry_points(spirv.assemble(text))[0].local_size == (16, 2, 16)


def test_instructions_are_counted(spirv: Any) -> None:
    data = spirv.assemble(MODULE)
    assert instruction_count(data) == count_instructions(data) == len(spirv.disassemble(data).splitlines())


def test_stages_are_unambiguous() -> None:
    assert len({stage.name for stage in STAGES}) == len({stage.suffix for stage in STAGES}) == len(STAGES) == 14
    models = [model for stage in STAGES for model in stage.models]
    assert len(set(models)) == len(models)
