"""Making objects of modules: symbols by name and order, stubs as declarations, no dangling ids."""

from __future__ import annotations

from cratewright import Symbol
from cratewright_spirv.compile.make_object import make_object
from cratewright_spirv.compile.objects import MARKER, Outline

# A library as glslang leaves it: a stub main with an initialiser, an included helper that nothing
# reaches, two overloads and the stub of an import.
MODULE = f"""
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %1 "main" %10
OpExecutionMode %1 LocalSize 1 1 1
OpName %1 "main"
OpName %2 "helper(f1;"
OpName %3 "f(f1;"
OpName %4 "f(vf2;"
OpName %5 "away(f1;"
OpName %10 "q"
OpName %30 "{MARKER}"
OpName %31 "gone"
OpDecorate %31 RelaxedPrecision
%6 = OpTypeVoid
%7 = OpTypeFunction %6
%8 = OpTypeFloat 32
%9 = OpTypePointer Private %8
%10 = OpVariable %9 Private
%11 = OpTypePointer Function %8
%12 = OpTypeFunction %8 %8
%13 = OpConstant %8 1.5
%14 = OpTypeVector %8 2
%15 = OpTypeFunction %8 %14
%1 = OpFunction %6 None %7
%20 = OpLabel
OpStore %10 %13
OpReturn
OpFunctionEnd
%2 = OpFunction %8 None %12
%21 = OpFunctionParameter %8
%22 = OpLabel
%31 = OpFAdd %8 %21 %21
OpReturnValue %31
OpFunctionEnd
%3 = OpFunction %8 None %12
%23 = OpFunctionParameter %8
%24 = OpLabel
%25 = OpFunctionCall %8 %5 %23
OpReturnValue %25
OpFunctionEnd
%4 = OpFunction %8 None %15
%26 = OpFunctionParameter %14
%27 = OpLabel
OpReturnValue %13
OpFunctionEnd
%5 = OpFunction %8 None %12
%28 = OpFunctionParameter %8
%29 = OpLabel
%30 = OpVariable %11 Function
OpStore %30 %13
OpReturnValue %28
OpFunctionEnd
"""
OUTLINE = Outline(
    path="lib/u.glsl",
    library=True,
    definitions=(("helper", None), ("f", ("lib/u.glsl", 4)), ("f", ("lib/u.glsl", 9))),
    stubs=(("away", ("inc/a.h", 2)),),
)


def test_symbols_are_matched_by_name_and_order(spirv) -> None:
    data, exports, imports, initialiser = make_object(spirv.assemble(MODULE), OUTLINE)
    assert exports == (
        Symbol("f(f1;", "f(float)", "lib/u.glsl", 4, "float (float)"),
        Symbol("f(vf2;", "f(vec2)", "lib/u.glsl", 9, "float (floatx2)"),
    )
    assert imports == (Symbol("away(f1;", "away(float)", "inc/a.h", 2, "float (float)"),)
    assert initialiser == "$init:lib/u.glsl"
    spirv.validate(data, "spv1.5")


def test_unreachable_functions_and_their_names_are_removed(spirv) -> None:
    text = spirv.disassemble(make_object(spirv.assemble(MODULE), OUTLINE)[0], "--raw-id")
    for word in ("helper", "gone", MARKER, "OpEntryPoint", "OpExecutionMode", "RelaxedPrecision", "OpFAdd"):
        assert word not in text
    assert "OpCapability Linkage" in text
    assert text.index("%5 = OpFunction") < text.index("%1 = OpFunction")


def test_unreachable_imports_are_removed(spirv) -> None:
    outline = Outline(path="u", library=True, definitions=(("helper", None), ("f", None), ("f", ("u", 1))), stubs=())
    data, exports, imports, _ = make_object(spirv.assemble(MODULE), outline)
    assert ([item.name for item in exports], imports) == (["f(vf2;"], ())
    spirv.validate(data, "spv1.5")


def test_shader_keeps_its_entry_point_and_exports_nothing(spirv) -> None:
    outline = Outline(path="u", library=False, stubs=(("away", ("u", 1)),))
    data, exports, imports, initialiser = make_object(spirv.assemble(MODULE), outline)
    assert (exports, [item.name for item in imports], initialiser) == ((), ["away(f1;"], None)
    assert "OpEntryPoint GLCompute" in spirv.disassemble(data)


def test_source_text_is_removed(spirv) -> None:
    text = MODULE.replace('OpName %1 "main"', '%40 = OpString "u"\nOpSource GLSL 450 %40 "secret"\nOpName %1 "main"')
    data, *_ = make_object(spirv.assemble(text), OUTLINE)
    assert "OpSource GLSL 450 %40" in spirv.disassemble(data, "--raw-id")
    assert "secret" not in spirv.disassemble(data)
