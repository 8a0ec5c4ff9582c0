"""Repair of the debug information that SPIRV-Tools' optimiser leaves behind after inlining."""

from __future__ import annotations

from cratewright_spirv.transforms.inlined_debug_info import repair_inlined_debug_info

HEAD = """\
OpCapability Shader
OpExtension "SPV_KHR_non_semantic_info"
%1 = OpExtInstImport "NonSemantic.Shader.DebugInfo.100"
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %2 "main"
OpExecutionMode %2 LocalSize 1 1 1
%3 = OpString "a.comp"
%4 = OpString "x"
%5 = OpTypeVoid
%6 = OpTypeFunction %5
%7 = OpTypeInt 32 0
%8 = OpConstant %7 0
%9 = OpConstant %7 1
%10 = OpConstant %7 3
%11 = OpConstant %7 32
%12 = OpTypeFloat 32
%13 = OpTypeVector %12 3
%14 = OpTypePointer Function %13
%15 = OpTypePointer Function %12
%16 = OpExtInst %5 %1 DebugSource %3
%17 = OpExtInst %5 %1 DebugCompilationUnit %9 %9 %16 %9
%18 = OpExtInst %5 %1 DebugTypeFunction %10 %5
%19 = OpExtInst %5 %1 DebugFunction %4 %18 %16 %9 %8 %17 %4 %10 %9
%20 = OpExtInst %5 %1 DebugTypeBasic %4 %11 %10 %8
%21 = OpExtInst %5 %1 DebugLocalVariable %4 %20 %16 %9 %8 %19 %9
%22 = OpExtInst %5 %1 DebugExpression
%2 = OpFunction %5 None %6
"""
BODY = """\
%30 = OpLabel
%31 = OpVariable %14 Function
%32 = OpExtInst %5 %1 DebugScope %19
%33 = OpAccessChain %15 %31 %9
%34 = OpLoad %12 %33
%35 = OpExtInst %5 %1 DebugDeclare %21 %WHAT %22
OpReturn
"""
END = "OpFunctionEnd\n"


def _shown(spirv, text: str) -> list[str]:  # type: ignore[no-untyped-def]
    after = repair_inlined_debug_info(spirv.assemble(HEAD + text + END))
    spirv.validate(after)
    return [
        line for line in spirv.disassemble(after, "--raw-id").splitlines() if "DebugDeclare" in line or "Value" in line
    ]


def test_declared_variable_stays(spirv) -> None:
    assert _shown(spirv, BODY.replace("%WHAT", "%31")) == ["%35 = OpExtInst %5 %1 DebugDeclare %21 %31 %22"]


def test_part_of_a_variable_gets_its_index(spirv) -> None:
    assert _shown(spirv, BODY.replace("%WHAT", "%33")) == ["%35 = OpExtInst %5 %1 DebugDeclare %21 %31 %22 %9"]


def test_part_of_a_global_variable_gets_its_index(spirv) -> None:
    text = BODY.replace("%31 = OpVariable %14 Function\n", "").replace(
        "%33 = OpAccessChain %15 %31", "%33 = OpAccessChain %24 %25"
    )
    types = "%23 = OpTypePointer Private %13\n%24 = OpTypePointer Private %12\n%25 = OpVariable %23 Private\n%16 ="
    head = HEAD.replace("%16 =", types).replace('"main"', '"main" %25')
    after = repair_inlined_debug_info(spirv.assemble(head + text.replace("%WHAT", "%33") + END))
    spirv.validate(after)
    assert "DebugDeclare %21 %25 %22 %9" in spirv.disassemble(after, "--raw-id")


def test_value_becomes_a_debug_value(spirv) -> None:
    assert _shown(spirv, BODY.replace("%WHAT", "%34")) == ["%35 = OpExtInst %5 %1 DebugValue %21 %34 %22"]


def test_removed_variable_is_not_declared(spirv) -> None:
    assert _shown(spirv, BODY.replace("%WHAT", "%39")) == []


def test_lines_outside_blocks_are_removed(spirv) -> None:
    """The optimiser has removed the constants that they use."""
    line = "%36 = OpExtInst %5 %1 DebugLine %16 %40 %40 %8 %8\n"
    before = "%37 = OpExtInst %5 %1 DebugNoLine\n"
    assert _shown(spirv, before + BODY.replace("%WHAT", "%31") + line) == [
        "%35 = OpExtInst %5 %1 DebugDeclare %21 %31 %22"
    ]


def test_nothing_changes_without_debug_information(spirv) -> None:
    data = spirv.assemble("OpCapability Shader\nOpMemoryModel Logical GLSL450\n")
    assert repair_inlined_debug_info(data) is data
