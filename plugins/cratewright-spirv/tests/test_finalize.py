"""Fix-ups after linking: each image must pass spirv-val without optimization."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cratewright import LinkError
from cratewright_spirv.reflection.reflect import entry_points
from cratewright_spirv.transforms.finalize import keep_entry_points, rename_entry_points, with_variable_names

from .linked_samples import BUFFER, INITIALISERS, LIBRARY, MAIN, count, finalize, image


@pytest.mark.parametrize(("env", "target"), [("spv1.3", "vulkan1.1"), ("spv1.5", "vulkan1.2"), ("spv1.6", "vulkan1.3")])
def test_image_is_valid_without_optimization(spirv: Any, env: str, target: str) -> None:
    spirv.validate(image(spirv, env=env), target)


def test_equal_variables_become_one(spirv: Any) -> None:
    text = spirv.disassemble(image(spirv), "--raw-id")
    assert count(text, "BuiltIn GlobalInvocationId") == 1
    assert count(text, "OpVariable .* StorageBuffer") == 1
    assert count(text, "Binding 1") == 1
    assert count(text, '"data"') == 1


def test_aliases_of_another_type_stay(spirv: Any) -> None:
    library = LIBRARY.replace("%array = OpTypeRuntimeArray %f", "%array = OpTypeRuntimeArray %u").replace(
        "%v = OpLoad %f %at", "%w = OpLoad %u %at\n%v = OpConvertUToF %f %w"
    )
    library = library.replace("%pf = OpTypePointer StorageBuffer %f", "%pf = OpTypePointer StorageBuffer %u")
    data = finalize(spirv.link(MAIN, library), name="image", initialisers=INITIALISERS)
    spirv.validate(data)
    assert count(spirv.disassemble(data), "OpVariable .* StorageBuffer") == 2


def test_differently_qualified_descriptors_stay(spirv: Any) -> None:
    library = LIBRARY.replace("OpDecorate %data Binding 1", "OpDecorate %data Binding 1\nOpDecorate %data Coherent")
    data = finalize(spirv.link(MAIN, library), name="image", initialisers=INITIALISERS)
    assert count(spirv.disassemble(data), "OpVariable .* StorageBuffer") == 2


def test_lines_of_dropped_functions_are_dropped(spirv: Any) -> None:
    lines = LIBRARY.replace("OpName %factor", '%file = OpString "lib.glsl"\nOpName %factor').replace(
        "%unused = OpFunction", "OpLine %file 77 0\n%unused = OpFunction"
    )
    data = finalize(spirv.link(MAIN, lines), name="image", initialisers=INITIALISERS)
    spirv.validate(data)
    assert "OpLine" not in spirv.disassemble(data)


def test_merged_built_ins_combine_their_decorations(spirv: Any) -> None:
    """Invariant if one unit asks for it; relaxed precision only if all do."""
    vertex = FRAGMENT.replace("Fragment", "Vertex").replace("OpExecutionMode %m1 OriginUpperLeft\n", "")
    vertex = vertex.replace("OpExecutionMode %m2 OriginUpperLeft\n", "")
    for name in ("in1", "in2", "in3", "out"):
        mark = "BuiltIn PointSize" if name == "out" else "BuiltIn VertexIndex"
        vertex = vertex.replace(f"OpDecorate %{name} Location 0", f"OpDecorate %{name} {mark}")
    vertex = vertex.replace(
        "%void = OpTypeVoid",
        "OpDecorate %in1 RelaxedPrecision\nOpDecorate %in2 Invariant\nOpDecorate %in3 Invariant\n%void = OpTypeVoid",
    )
    text = spirv.disassemble(finalize(spirv.assemble(vertex), name="image", initialisers=[]))
    assert count(text, "OpVariable .* Input") == 1
    assert count(text, "Invariant") == 1
    assert "RelaxedPrecision" not in text


def test_unreachable_code_is_dropped(spirv: Any) -> None:
    text = spirv.disassemble(image(spirv))
    assert "idle" not in text
    assert "unused" not in text
    assert "deep" not in text
    assert count(text, "OpFunction ") == 4


def test_preserve_bindings_keeps_bindings(spirv: Any) -> None:
    extra = MAIN.replace(BUFFER, BUFFER + "OpDecorate %more Binding 7\nOpDecorate %more DescriptorSet 0\n")
    extra = extra.replace("%pv3 =", "%more = OpVariable %pdata StorageBuffer\n%pv3 =")
    linked = spirv.link(extra, LIBRARY)
    for preserve in (False, True):
        data = finalize(linked, name="image", initialisers=INITIALISERS, preserve_bindings=preserve)
        spirv.validate(data)
        assert ("Binding 7" in spirv.disassemble(data)) is preserve


def test_interfaces_list_what_the_version_requires(spirv: Any) -> None:
    old = spirv.disassemble(image(spirv, env="spv1.3"), "--raw-id")
    new = spirv.disassemble(image(spirv), "--raw-id")
    listed = r'OpEntryPoint GLCompute %\d+ "main"((?: %\d+)*)'
    assert [len(re.findall(listed, text)[0].split()) for text in (old, new)] == [1, 4]
    ids = [int(each[1:]) for each in re.findall(listed, new)[0].split()]
    assert ids == sorted(ids)


def test_capabilities_are_stated_once(spirv: Any) -> None:
    text = spirv.disassemble(image(spirv))
    assert count(text, "OpCapability Shader") == 1
    assert "Linkage" not in text


def test_finalize_is_deterministic(spirv: Any) -> None:
    linked = spirv.link(MAIN, LIBRARY)
    results = {finalize(linked, name="image", initialisers=INITIALISERS) for _ in range(5)}
    assert len(results) == 1
    again = finalize(results.pop(), name="image", initialisers=[])
    assert finalize(again, name="image", initialisers=[]) == again


def test_image_needs_an_entry_point(spirv: Any) -> None:
    with pytest.raises(LinkError, match="image has no entry point"):
        finalize(spirv.assemble(LIBRARY), name="image", initialisers=[])


FRAGMENT = """
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint Fragment %m1 "first" %in1 %in2 %out
OpEntryPoint Fragment %m2 "second" %in3 %out
OpExecutionMode %m1 OriginUpperLeft
OpExecutionMode %m2 OriginUpperLeft
OpName %m1 "first"
OpName %m2 "second"
OpName %in1 "in1"
OpName %Block "Block"
OpMemberName %Block 0 "member"
OpDecorate %in1 Location 0
OpDecorate %in2 Location 0
OpDecorate %in3 Location 0
OpDecorate %out Location 0
%void = OpTypeVoid
%fn = OpTypeFunction %void
%f = OpTypeFloat 32
%Block = OpTypeStruct %f
%pb = OpTypePointer Private %Block
%private = OpVariable %pb Private
%pin = OpTypePointer Input %f
%pout = OpTypePointer Output %f
%in1 = OpVariable %pin Input
%in2 = OpVariable %pin Input
%in3 = OpVariable %pin Input
%out = OpVariable %pout Output
%m1 = OpFunction %void None %fn
%l1 = OpLabel
%a = OpLoad %f %in1
%b = OpLoad %f %in2
%c = OpFAdd %f %a %b
OpStore %out %c
OpReturn
OpFunctionEnd
%m2 = OpFunction %void None %fn
%l2 = OpLabel
%d = OpLoad %f %in3
OpStore %out %d
OpReturn
OpFunctionEnd
"""


def test_inputs_merge_where_one_entry_point_uses_both(spirv: Any) -> None:
    data = finalize(spirv.assemble(FRAGMENT), name="image", initialisers=[])
    spirv.validate(data)
    assert count(spirv.disassemble(data), "OpVariable .* Input") == 2


def test_inputs_at_different_locations_stay(spirv: Any) -> None:
    apart = FRAGMENT.replace("OpDecorate %in2 Location 0", "OpDecorate %in2 Location 1")
    data = finalize(spirv.assemble(apart), name="image", initialisers=[])
    spirv.validate(data)
    assert count(spirv.disassemble(data), "OpVariable .* Input") == 3


def test_interfaces_are_sorted_by_id(spirv: Any) -> None:
    apart = FRAGMENT.replace("OpDecorate %in2 Location 0", "OpDecorate %in2 Location 1")
    code = "%a = OpLoad %f %in1\n%b = OpLoad %f %in2"
    swapped = apart.replace(code, "\n".join(reversed(code.split("\n"))))
    listed = [
        re.search(
            r'OpEntryPoint .* "first" (.*)',
            spirv.disassemble(finalize(spirv.assemble(each), name="i", initialisers=[])),
        )
        for each in (apart, swapped)
    ]
    assert listed[0] and listed[1]
    assert listed[0][1] == listed[1][1]


def test_entry_points_are_kept_by_stage_and_name(spirv: Any) -> None:
    data = keep_entry_points(spirv.assemble(FRAGMENT), {("fragment", "second")}, name="image")
    spirv.validate(data)
    text = spirv.disassemble(data)
    assert [each.name for each in entry_points(data)] == ["second"]
    assert "first" not in text
    assert count(text, "OpVariable .* Input") == 1
    assert count(text, "OriginUpperLeft") == 1


@pytest.mark.parametrize("key", [("vertex", "second"), ("fragment", "third")])
def test_unknown_entry_points_are_refused(spirv: Any, key: tuple[str, str]) -> None:
    data = spirv.assemble(FRAGMENT)
    with pytest.raises(LinkError, match=f"image has no {key[0]} entry point `{key[1]}`") as caught:
        keep_entry_points(data, {key}, name="image")
    assert "fragment first, fragment second" in str(caught.value)
    with pytest.raises(LinkError):
        rename_entry_points(data, {key: "x"}, name="image")


def test_entry_points_are_renamed(spirv: Any) -> None:
    data = finalize(spirv.assemble(FRAGMENT), name="image", initialisers=[])
    renamed = rename_entry_points(data, {("fragment", "first"): "a much longer name"}, name="image")
    spirv.validate(renamed)
    assert [each.name for each in entry_points(renamed)] == ["a much longer name", "second"]
    with pytest.raises(LinkError, match="two fragment entry points named `second`"):
        rename_entry_points(data, {("fragment", "first"): "second"}, name="image")


def test_only_variable_names_stay(spirv: Any) -> None:
    data = with_variable_names(spirv.assemble(FRAGMENT), name="image")
    assert re.findall(r'Op(?:Member)?Name .*"(.*)"', spirv.disassemble(data)) == ["in1"]
