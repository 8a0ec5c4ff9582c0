"""Tests of the fix-ups after linking: each image must pass the real validator without any optimization."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cratewright import LinkError
from cratewright_spirv.reflection.reflect import entry_points
from cratewright_spirv.surgery.finalize import finalize, keep_entry_points, rename_entry_points, strip_names
from cratewright_spirv.surgery.initialisers import Initialiser

PREAMBLE = """
OpCapability Shader
OpCapability Linkage
OpMemoryModel Logical GLSL450
"""
TYPES = """
%void = OpTypeVoid
%fn = OpTypeFunction %void
%u = OpTypeInt 32 0
%f = OpTypeFloat 32
%v3 = OpTypeVector %u 3
%v4 = OpTypeVector %f 4
%ff = OpTypeFunction %f %f
%one = OpConstant %f 1
%zero = OpConstant %u 0
"""
BUFFER = """
OpDecorate %array ArrayStride 4
OpMemberDecorate %Data 0 Offset 0
OpDecorate %Data Block
OpDecorate %data DescriptorSet 0
OpDecorate %data Binding 1
"""
BUFFER_TYPES = """
%array = OpTypeRuntimeArray %f
%Data = OpTypeStruct %array
%pdata = OpTypePointer StorageBuffer %Data
%pf = OpTypePointer StorageBuffer %f
%data = OpVariable %pdata StorageBuffer
%pv3 = OpTypePointer Input %v3
%id = OpVariable %pv3 Input
%pp = OpTypePointer Private %f
"""
MAIN = f"""{PREAMBLE}
OpEntryPoint GLCompute %main "main" %id
OpExecutionMode %main LocalSize 8 1 1
OpName %main "main"
OpName %data "data"
OpDecorate %id BuiltIn GlobalInvocationId
OpDecorate %scale LinkageAttributes "scale(f1;" Import
{BUFFER}{TYPES}{BUFFER_TYPES}
%scale = OpFunction %f None %ff
%sp = OpFunctionParameter %f
OpFunctionEnd
%main = OpFunction %void None %fn
%entry = OpLabel
%gid = OpLoad %v3 %id
%x = OpCompositeExtract %u %gid 0
%at = OpAccessChain %pf %data %zero %x
%in = OpLoad %f %at
%out = OpFunctionCall %f %scale %in
OpStore %at %out
OpReturn
OpFunctionEnd
"""
LIBRARY = f"""{PREAMBLE}
OpName %factor "factor"
OpName %idle "idle"
OpName %other_init "$init:other"
OpName %init "$init:lib"
OpName %unused "unused(f1;"
OpName %deep "deep"
OpDecorate %id BuiltIn GlobalInvocationId
OpDecorate %scale LinkageAttributes "scale(f1;" Export
OpDecorate %unused LinkageAttributes "unused(f1;" Export
OpDecorate %init LinkageAttributes "$init:lib" Export
OpDecorate %other_init LinkageAttributes "$init:other" Export
{BUFFER}{TYPES}{BUFFER_TYPES}
%factor = OpVariable %pp Private
%base = OpVariable %pp Private
%idle = OpVariable %pp Private
%scale = OpFunction %f None %ff
%p = OpFunctionParameter %f
%e1 = OpLabel
%gid = OpLoad %v3 %id
%x = OpCompositeExtract %u %gid 0
%at = OpAccessChain %pf %data %zero %x
%v = OpLoad %f %at
%k = OpLoad %f %factor
%r = OpFMul %f %v %k
OpReturnValue %r
OpFunctionEnd
%unused = OpFunction %f None %ff
%q = OpFunctionParameter %f
%e2 = OpLabel
%deep = OpLoad %f %idle
OpReturnValue %deep
OpFunctionEnd
%other_init = OpFunction %void None %fn
%e3 = OpLabel
OpStore %base %one
OpReturn
OpFunctionEnd
%init = OpFunction %void None %fn
%e4 = OpLabel
%b = OpLoad %f %base
OpStore %factor %b
OpReturn
OpFunctionEnd
"""
INITIALISERS = [Initialiser(name, frozenset()) for name in ("$init:other", "$init:lib", "$init:absent")]


def image(spirv: Any, *, env: str = "spv1.5", initialisers: list[str] | None = None) -> bytes:
    linked = spirv.link(MAIN, LIBRARY, env=env)
    return finalize(linked, name="image", initialisers=INITIALISERS if initialisers is None else initialisers)


def count(text: str, pattern: str) -> int:
    return len(re.findall(pattern, text))


def calls(text: str, entry: str = "main") -> list[str]:
    """Return the debug names of the functions that an entry point calls, in order."""
    names = {target: name for target, name in re.findall(r'OpName (%\d+) "([^"]*)"', text)}
    entry_id = re.search(rf'OpEntryPoint \w+ (%\d+) "{re.escape(entry)}"', text)
    assert entry_id
    body = text.split(f"{entry_id[1]} = OpFunction ")[1].split("OpFunctionEnd", maxsplit=1)[0]
    return [names.get(each, each) for each in re.findall(r"OpFunctionCall %\d+ (%\d+)", body)]


@pytest.mark.parametrize(("env", "target"), [("spv1.3", "vulkan1.1"), ("spv1.5", "vulkan1.2"), ("spv1.6", "vulkan1.3")])
def test_the_image_is_valid_without_optimization(spirv: Any, env: str, target: str) -> None:
    spirv.validate(image(spirv, env=env), target)


def test_equal_variables_become_one(spirv: Any) -> None:
    text = spirv.disassemble(image(spirv), "--raw-id")
    assert count(text, "BuiltIn GlobalInvocationId") == 1
    assert count(text, "OpVariable .* StorageBuffer") == 1
    assert count(text, "Binding 1") == 1
    assert count(text, '"data"') == 1


def test_descriptors_stay_apart_if_asked(spirv: Any) -> None:
    linked = spirv.link(MAIN, LIBRARY)
    data = finalize(linked, name="image", initialisers=INITIALISERS, merge_descriptors=False)
    spirv.validate(data)
    assert count(spirv.disassemble(data), "OpVariable .* StorageBuffer") == 2


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


def test_initialisers_run_after_those_they_read_from(spirv: Any) -> None:
    text = spirv.disassemble(image(spirv, initialisers=[*reversed(INITIALISERS)]), "--raw-id")
    assert calls(text)[:2] == ["$init:other", "$init:lib"]


def test_initialisers_that_need_one_another(spirv: Any) -> None:
    both = LIBRARY.replace("OpStore %base %one", "%c = OpLoad %f %factor\nOpStore %base %c")
    with pytest.raises(LinkError, match="are initialised from one another") as caught:
        finalize(spirv.link(MAIN, both), name="image", initialisers=INITIALISERS)
    assert ("units", "other, lib") in caught.value.context


def test_initialisers_run_first_in_the_given_order(spirv: Any) -> None:
    text = spirv.disassemble(image(spirv), "--raw-id")
    # the one of `base` is needed only by the other, which is given after it
    assert calls(text)[:2] == ["$init:other", "$init:lib"]
    assert len(calls(text)) == 3


def test_initialisers_of_untouched_variables_are_dropped(spirv: Any) -> None:
    alone = MAIN.replace("%out = OpFunctionCall %f %scale %in", "%out = OpFAdd %f %in %in")
    data = finalize(spirv.link(alone, LIBRARY), name="image", initialisers=INITIALISERS)
    spirv.validate(data)
    text = spirv.disassemble(data, "--raw-id")
    assert calls(text) == []
    assert "$init" not in text


def test_initialisers_come_after_local_variables(spirv: Any) -> None:
    local = MAIN.replace("%zero = OpConstant %u 0", "%zero = OpConstant %u 0\n%pl = OpTypePointer Function %f").replace(
        "%gid = OpLoad", "%local = OpVariable %pl Function\nOpStore %local %one\n%gid = OpLoad"
    )
    data = finalize(spirv.link(local, LIBRARY), name="image", initialisers=INITIALISERS)
    spirv.validate(data)


def test_initialisers_that_write_through_a_call(spirv: Any) -> None:
    by_pointer = (
        LIBRARY.replace(
            "%pp = OpTypePointer Private %f", "%pp = OpTypePointer Private %f\n%fp = OpTypeFunction %void %pp"
        )
        .replace("OpStore %base %one", "%done = OpFunctionCall %void %set %base")
        .replace(
            "%other_init = OpFunction",
            "%set = OpFunction %void None %fp\n%to = OpFunctionParameter %pp\n%e5 = OpLabel\n"
            "OpStore %to %one\nOpReturn\nOpFunctionEnd\n%other_init = OpFunction",
        )
    )
    data = finalize(spirv.link(MAIN, by_pointer), name="image", initialisers=INITIALISERS)
    spirv.validate(data)
    assert calls(spirv.disassemble(data, "--raw-id"))[:2] == ["$init:other", "$init:lib"]


def test_initialisers_that_write_an_element(spirv: Any) -> None:
    types = "%four = OpConstant %u 4\n%list = OpTypeArray %f %four\n%pl = OpTypePointer Private %list\n"
    elements = (
        LIBRARY.replace("%base = OpVariable %pp Private", f"{types}%base = OpVariable %pl Private")
        .replace("OpStore %base %one", "%to = OpAccessChain %pp %base %zero\nOpStore %to %one")
        .replace("%b = OpLoad %f %base", "%from = OpAccessChain %pp %base %zero\n%b = OpLoad %f %from")
    )
    data = finalize(spirv.link(MAIN, elements), name="image", initialisers=INITIALISERS)
    spirv.validate(data)
    assert calls(spirv.disassemble(data, "--raw-id"))[:2] == ["$init:other", "$init:lib"]


def test_initialisers_that_only_read_are_not_called(spirv: Any) -> None:
    reader = LIBRARY.replace("OpStore %base %one", "%nothing = OpLoad %f %factor")
    text = spirv.disassemble(finalize(spirv.link(MAIN, reader), name="image", initialisers=INITIALISERS), "--raw-id")
    assert "$init:other" not in text


def test_lines_of_dropped_functions_go_with_them(spirv: Any) -> None:
    lines = LIBRARY.replace("OpName %factor", '%file = OpString "lib.glsl"\nOpName %factor').replace(
        "%unused = OpFunction", "OpLine %file 77 0\n%unused = OpFunction"
    )
    data = finalize(spirv.link(MAIN, lines), name="image", initialisers=INITIALISERS)
    spirv.validate(data)
    assert "OpLine" not in spirv.disassemble(data)


def test_merged_built_ins_keep_what_any_of_them_promises(spirv: Any) -> None:
    """Invariance is needed if one unit asks for it; reduced precision only serves if all do."""
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


def test_what_no_entry_point_reaches_is_dropped(spirv: Any) -> None:
    text = spirv.disassemble(image(spirv))
    assert "idle" not in text
    assert "unused" not in text
    assert "deep" not in text
    assert count(text, "OpFunction ") == 4


def test_bindings_are_preserved_if_asked(spirv: Any) -> None:
    extra = MAIN.replace(BUFFER, BUFFER + "OpDecorate %more Binding 7\nOpDecorate %more DescriptorSet 0\n")
    extra = extra.replace("%pv3 =", "%more = OpVariable %pdata StorageBuffer\n%pv3 =")
    linked = spirv.link(extra, LIBRARY)
    for preserve in (False, True):
        data = finalize(linked, name="image", initialisers=INITIALISERS, preserve_bindings=preserve)
        spirv.validate(data)
        assert ("Binding 7" in spirv.disassemble(data)) is preserve


def test_interfaces_list_what_the_version_asks_for(spirv: Any) -> None:
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


def test_the_same_bytes_each_time(spirv: Any) -> None:
    linked = spirv.link(MAIN, LIBRARY)
    results = {finalize(linked, name="image", initialisers=INITIALISERS) for _ in range(5)}
    assert len(results) == 1
    again = finalize(results.pop(), name="image", initialisers=[])
    assert finalize(again, name="image", initialisers=[]) == again


def test_an_image_needs_an_entry_point(spirv: Any) -> None:
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


def test_interfaces_are_in_order_of_id_whatever_the_code(spirv: Any) -> None:
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


@pytest.mark.parametrize(("keep", "left"), [(True, ["in1"]), (False, [])])
def test_names_are_stripped(spirv: Any, keep: bool, left: list[str]) -> None:
    data = strip_names(spirv.assemble(FRAGMENT), keep)
    assert re.findall(r'Op(?:Member)?Name .*"(.*)"', spirv.disassemble(data)) == left
