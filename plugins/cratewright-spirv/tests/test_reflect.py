"""Reflection of modules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cratewright import EntryPoint
from cratewright_spirv.base.stages import STAGES
from cratewright_spirv.reflection.reflect import (
    count_instructions,
    entry_points,
    instruction_count,
    interface,
)

from .linked_samples import finalize
from .reflected_module import MODULE


@pytest.fixture
def compute(spirv: Any) -> Any:
    return interface(spirv.assemble(MODULE))["entry_points"][0]


@pytest.fixture
def fragment(spirv: Any) -> Any:
    return interface(spirv.assemble(MODULE))["entry_points"][1]


def test_entry_points(spirv: Any) -> None:
    assert entry_points(spirv.assemble(MODULE)) == (
        EntryPoint("compute", "step"),
        EntryPoint("fragment", "shade"),
    )


def test_buffers(compute: Any) -> None:
    assert [tuple(each.values())[:5] for each in compute["descriptors"]] == [
        (0, 2, "storage-buffer", "Data", 1),
        (0, 3, "uniform-buffer", "", 0),
        (1, 0, "uniform-buffer", "camera", 1),
    ]
    assert list(compute["descriptors"][0]) == ["set", "binding", "kind", "name", "count", "block"]
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


def test_members_of_one_matrix_type_have_their_own_layouts(spirv: Any) -> None:
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
    (entry,) = interface(data)["entry_points"]  # type: ignore[misc]
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


def test_interface_survives_json_and_finalisation(spirv: Any) -> None:
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
    assert interface(spirv.assemble(text))["entry_points"][0]["workgroup_size"] == [16, 2, 16]  # type: ignore[index]


def test_instructions_are_counted(spirv: Any) -> None:
    data = spirv.assemble(MODULE)
    assert instruction_count(data) == count_instructions(data) == len(spirv.disassemble(data).splitlines())


def test_stages_are_unambiguous() -> None:
    assert len({stage.name for stage in STAGES}) == len({stage.suffix for stage in STAGES}) == len(STAGES) == 14
    models = [model for stage in STAGES for model in stage.models]
    assert len(set(models)) == len(models)
