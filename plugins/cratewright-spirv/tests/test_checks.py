"""Checks of finished images: recursion, and operations in the wrong stage."""

from __future__ import annotations

from typing import Any

import pytest

from cratewright import LinkError
from cratewright_spirv.base.stages import STAGES
from cratewright_spirv.binary.checks import check
from cratewright_spirv.binary.restrictions import BUILT_INS, EXTENDED, OPERATIONS
from cratewright_spirv.text.demangle import demangle


def module(
    body: str, *, model: str = "GLCompute", mode: str = "LocalSize 1 1 1", top: str = "", globals_: str = ""
) -> str:
    """Return a module whose main calls `outer(vec3)`, which calls `inner(float)`, which has the body."""
    return f"""
OpCapability Shader
OpCapability DerivativeControl
OpCapability InterpolationFunction
OpCapability Geometry
OpCapability Int64
%glsl = OpExtInstImport "GLSL.std.450"
OpMemoryModel Logical GLSL450
OpEntryPoint {model} %main "main"
OpExecutionMode %main {mode}
{top}
OpName %main "main"
OpName %outer "outer(vf3;"
OpName %inner "inner(f1;"
%void = OpTypeVoid
%fn = OpTypeFunction %void
%f = OpTypeFloat 32
%u = OpTypeInt 32 0
%uint2 = OpConstant %u 2
%uint3 = OpConstant %u 3
%uint264 = OpConstant %u 264
%fone = OpConstant %f 1
{globals_}
%main = OpFunction %void None %fn
%l1 = OpLabel
%c1 = OpFunctionCall %void %outer
OpReturn
OpFunctionEnd
%outer = OpFunction %void None %fn
%l2 = OpLabel
%c2 = OpFunctionCall %void %inner
OpReturn
OpFunctionEnd
%inner = OpFunction %void None %fn
%l3 = OpLabel
{body}
OpFunctionEnd
"""


def run(spirv: Any, text: str) -> None:
    check(spirv.assemble(text), name="image", describe=lambda name: f"{demangle(name)} (lib.glsl)")


DERIVATIVE = "%d = OpDPdx %f %fone\nOpReturn"
FRAGMENT = {"model": "Fragment", "mode": "OriginUpperLeft"}


def test_error_names_operation_stages_and_call_chain(spirv: Any) -> None:
    with pytest.raises(LinkError) as caught:
        run(spirv, module(DERIVATIVE))
    message = str(caught.value)
    assert message.startswith("`dFdx` can only run in a fragment shader, but compute entry point `main` reaches it\n")
    assert "path:  main -> outer(vec3) (lib.glsl) -> inner(float) (lib.glsl)" in message
    assert "image: image" in message
    assert "hint:" in message


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (DERIVATIVE, "`dFdx`"),
        ("%d = OpFwidthCoarse %f %fone\nOpReturn", "`fwidthCoarse`"),
        ("OpKill", "`discard`"),
        ("OpDemoteToHelperInvocation\nOpReturn", "`discard` or `demote`"),
        ("%e = OpExtInst %f %glsl InterpolateAtCentroid %fone\nOpReturn", "`interpolateAtCentroid`"),
        ("EmitVertex", "`EmitVertex`"),
    ],
)
def test_operation_of_another_stage_is_refused(spirv: Any, body: str, named: str) -> None:
    text = module("OpEmitVertex\nOpReturn" if body == "EmitVertex" else body)
    with pytest.raises(LinkError) as caught:
        run(spirv, text)
    assert caught.value.message.startswith(named)


@pytest.mark.parametrize("body", [DERIVATIVE, "OpKill", "%e = OpExtInst %f %glsl Sqrt %fone\nOpReturn"])
def test_fragment_shaders_may_use_their_operations(spirv: Any, body: str) -> None:
    run(spirv, module(body, **FRAGMENT))


def test_derivative_groups_allow_derivatives_in_compute_shaders(spirv: Any) -> None:
    top = "OpExecutionMode %main DerivativeGroupQuadsNV"
    run(spirv, module(DERIVATIVE, top=top))
    with pytest.raises(LinkError, match="discard"):
        run(spirv, module("OpKill", top=top))


def test_only_workgroup_barriers_are_restricted(spirv: Any) -> None:
    barrier = "OpControlBarrier %uint{} %uint{} %uint264\nOpReturn"
    run(spirv, module(barrier.format(2, 2)))
    run(spirv, module(barrier.format(3, 3), **FRAGMENT))
    with pytest.raises(LinkError, match="`barrier` can only run in a tess-control, compute, mesh or task shader"):
        run(spirv, module(barrier.format(2, 2), **FRAGMENT))


def test_only_shared_memory_barriers_are_restricted(spirv: Any) -> None:
    run(spirv, module("OpMemoryBarrier %uint2 %uint264\nOpReturn"))
    uniform = {"globals_": "%uint328 = OpConstant %u 328"}
    run(spirv, module("OpMemoryBarrier %uint2 %uint328\nOpReturn", **FRAGMENT, **uniform))
    with pytest.raises(LinkError, match="`memoryBarrierShared` can only run in a compute, mesh or task shader"):
        run(spirv, module("OpMemoryBarrier %uint2 %uint264\nOpReturn", **FRAGMENT))


VARIABLE = "%p = OpTypePointer {0} {1}\n%x = OpVariable %p {0}"


@pytest.mark.parametrize(("built_in", "named"), [("FragCoord", "`gl_FragCoord`"), ("VertexIndex", "`gl_VertexIndex`")])
def test_built_ins_of_another_stage(spirv: Any, built_in: str, named: str) -> None:
    variable = {
        "top": f"OpDecorate %x BuiltIn {built_in}",
        "globals_": VARIABLE.format("Input", "%u"),
    }
    run(spirv, module("OpReturn", **variable))
    with pytest.raises(LinkError) as caught:
        run(spirv, module("%r = OpLoad %u %x\nOpReturn", **variable))
    assert caught.value.message.startswith(f"{named} only exists in a ")


def test_built_ins_in_a_block(spirv: Any) -> None:
    block = {
        "top": "OpMemberDecorate %S 0 BuiltIn Position\nOpDecorate %S Block",
        "globals_": "%v4 = OpTypeVector %f 4\n%S = OpTypeStruct %v4\n" + VARIABLE.format("Output", "%S"),
    }
    body = "%r = OpLoad %S %x\nOpReturn"
    with pytest.raises(LinkError, match="`gl_Position` of one vertex only exists in a vertex"):
        run(spirv, module(body, **block))
    run(spirv, module(body, model="Geometry", mode="Triangles", **block))


def test_shared_variables(spirv: Any) -> None:
    shared = {"top": 'OpName %x "tile"', "globals_": VARIABLE.format("Workgroup", "%f")}
    run(spirv, module("%r = OpLoad %f %x\nOpReturn", **shared))
    with pytest.raises(LinkError, match="the shared variable `tile` only exists in a compute, mesh or task shader"):
        run(spirv, module("%r = OpLoad %f %x\nOpReturn", **FRAGMENT, **shared))


def test_further_errors_are_counted(spirv: Any) -> None:
    with pytest.raises(LinkError, match="`dFdx`") as caught:
        run(spirv, module("%d = OpDPdx %f %fone\n%e = OpDPdx %f %fone\n%g = OpDPdy %f %fone\nOpKill"))
    assert ("others", "2 more") in caught.value.context


def test_recursion_is_refused_with_its_cycle(spirv: Any) -> None:
    with pytest.raises(LinkError, match=r"outer\(vec3\) .* calls itself") as caught:
        run(spirv, module("%again = OpFunctionCall %void %outer\nOpReturn"))
    path = dict(caught.value.context)["path"]
    assert path == "outer(vec3) (lib.glsl) -> inner(float) (lib.glsl) -> outer(vec3) (lib.glsl)"


def test_calling_twice_is_no_recursion(spirv: Any) -> None:
    text = module("OpReturn").replace("%c1 =", "%c0 = OpFunctionCall %void %inner\n%c1 =")
    run(spirv, text)


def test_debug_information_does_not_count_as_a_call(spirv: Any) -> None:
    text = module("%d = OpExtInst %void %debug DebugFunctionDefinition %fone %inner\nOpReturn")
    imports = '%debug = OpExtInstImport "NonSemantic.Shader.DebugInfo.100"\nOpMemoryModel'
    text = text.replace("OpMemoryModel", imports).replace("%glsl =", 'OpExtension "SPV_KHR_non_semantic_info"\n%glsl =')
    run(spirv, text)


def test_many_call_paths_are_checked_fast(spirv: Any) -> None:
    """Each of 40 functions calls the next twice: 2^40 paths."""
    layers = [
        f"%{name}{n} = OpFunction %void None %fn\n%l{name}{n} = OpLabel\n"
        f"%x{name}{n} = OpFunctionCall %void %a{n + 1}\n%y{name}{n} = OpFunctionCall %void %b{n + 1}\n"
        "OpReturn\nOpFunctionEnd\n"
        for n in range(40)
        for name in "ab"
    ]
    last = [f"%{name}40 = OpFunction %void None %fn\n%l{name} = OpLabel\nOpReturn\nOpFunctionEnd\n" for name in "ab"]
    run(spirv, module("%deep = OpFunctionCall %void %a0\nOpReturn") + "".join(layers + last))


def test_tables_name_known_stages() -> None:
    known = {stage.name for stage in STAGES}
    for table in (OPERATIONS, BUILT_INS, EXTENDED):
        for restriction in table.values():
            assert restriction.stages
            assert known.issuperset({*restriction.stages, *restriction.groups})
