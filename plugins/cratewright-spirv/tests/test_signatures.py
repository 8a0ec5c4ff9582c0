"""Signatures: different types have different texts, whatever their ids."""

from __future__ import annotations

import pytest

from cratewright_spirv.binary.linkage import linkage_symbols
from cratewright_spirv.binary.signatures import misnamed

MODULE = """
OpCapability Shader
OpCapability Linkage
OpMemoryModel Logical GLSL450
OpDecorate %f LinkageAttributes "f" Export
OpDecorate %g LinkageAttributes "g" Import
OpDecorate %value LinkageAttributes "value" Export
%void = OpTypeVoid
%bool = OpTypeBool
%float = OpTypeFloat 32
%double = OpTypeFloat 64
%int = OpTypeInt 32 1
%uint = OpTypeInt 32 0
%vec3 = OpTypeVector %float 3
%mat4x3 = OpTypeMatrix %vec3 4
%three = OpConstant %uint 3
%array = OpTypeArray %vec3 %three
%pair = OpTypeStruct %float %array
%other = OpTypeStruct %int %array
%image = OpTypeImage %float 2D 0 0 0 1 Unknown
%sampled = OpTypeSampledImage %image
%sampler = OpTypeSampler
%pointer = OpTypePointer Function %vec3
%private = OpTypePointer Private %float
%value = OpVariable %private Private
%type = OpTypeFunction TYPE
%type2 = OpTypeFunction %void
%f = OpFunction RESULT None %type
OpFunctionEnd
%g = OpFunction %void None %type2
OpFunctionEnd
"""

TYPES = {
    "%float": "float ()",
    "%float %int %uint %double": "float (int, uint, float64)",
    "%bool %vec3 %mat4x3": "bool (floatx3, floatx3x4)",
    "%void %array": "void (floatx3[3])",
    "%void %pair": "void ({float, floatx3[3]})",
    "%void %other": "void ({int, floatx3[3]})",
    "%void %pointer": "void (floatx3*)",
    "%void %private": "void (float*6)",
    "%void %sampled %sampler": "void (sampledimage<image<float 1 0 0 0 1 0>>, sampler)",
}


@pytest.mark.parametrize("words", TYPES)
def test_text(spirv, words: str) -> None:
    text = MODULE.replace("TYPE", words).replace("RESULT", words.split(maxsplit=1)[0])
    found = linkage_symbols(spirv.assemble(text), name="x")
    assert found == ({"f": TYPES[words], "value": ""}, {"g": "void ()"})
    renumbered = text.replace("OpDecorate %f Link", "OpDecorate %g FuncParamAttr Zext\nOpDecorate %f Link")
    assert linkage_symbols(spirv.assemble(renumbered), name="x") == found


def test_struct_with_a_pointer_to_itself(spirv) -> None:
    text = """
OpCapability Shader
OpCapability Linkage
OpCapability PhysicalStorageBufferAddresses
OpMemoryModel PhysicalStorageBuffer64 GLSL450
OpDecorate %f LinkageAttributes "f" Import
OpTypeForwardPointer %pointer PhysicalStorageBuffer
%int = OpTypeInt 32 1
%node = OpTypeStruct %int %pointer
%pointer = OpTypePointer PhysicalStorageBuffer %node
%type = OpTypeFunction %int %pointer
%f = OpFunction %int None %type
OpFunctionEnd
"""
    assert linkage_symbols(spirv.assemble(text), name="x")[1] == {"f": "int ({int, ...}*5349)"}


def test_names_of_members(spirv) -> None:
    names = 'OpMemberName %pair 0 "x"\nOpMemberName %pair 1 "ys"\nOpDecorate %f Link'
    text = MODULE.replace("TYPE", "%void %pair").replace("RESULT", "%void").replace("OpDecorate %f Link", names)
    assert linkage_symbols(spirv.assemble(text), name="x")[0]["f"] == "void ({float x, floatx3[3] ys})"


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("void ({float a, float b})", "void ({float b, float a})", "a"),
        ("void ({float a, float b}, {float b, float a})", "void ({float a, float b}, {float b, float a})", ""),
        ("void ({float a, float b})", "void ({float x, float y})", ""),
        ("void ({float a, float b})", "void ({float, float})", ""),
        ("{{float p, float q} i, image<float 1 0 0> t}", "{{float q, float p} i, image<float 1 0 0> t}", "p"),
        ("{{float p, float q}[2] i, int j}", "{{float p, float q}[2] j, int i}", "i"),
        ("{int, {int, ...}*5349 next, int last}", "{int, {int, ...}*5349 last, int next}", "next"),
    ],
)
def test_conflicting_members_are_named(one: str, other: str, name: str) -> None:
    assert misnamed(one, other) == name
