"""Statistics of images: the library and the Python code count the known figures of sample shaders."""

from __future__ import annotations

import pytest

from cratewright.testing import require_tool
from cratewright_spirv.reflection.statistics import FIGURES, _tables, count_statistics, statistics
from cratewright_spirv.spirv_tools.tools import Tools, ValidatorOptions, find_tools

HEAD = """
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main" %group %local %push %ubo %ssbo %tex
OpExecutionMode %main LocalSize 64 1 1
OpDecorate %group BuiltIn WorkgroupId
OpDecorate %local BuiltIn LocalInvocationId
OpDecorate %Block Block
OpMemberDecorate %Block 0 Offset 0
OpDecorate %ubo DescriptorSet 0
OpDecorate %ubo Binding 0
OpDecorate %ssbo DescriptorSet 0
OpDecorate %ssbo Binding 1
OpDecorate %tex DescriptorSet 0
OpDecorate %tex Binding 2
OpDecorate %push_ignored SpecId 1
%void = OpTypeVoid
%fn = OpTypeFunction %void
%uint = OpTypeInt 32 0
%bool = OpTypeBool
%float = OpTypeFloat 32
%v4 = OpTypeVector %float 4
%v2 = OpTypeVector %float 2
%v3 = OpTypeVector %uint 3
%Block = OpTypeStruct %uint
%in3 = OpTypePointer Input %v3
%in1 = OpTypePointer Input %uint
%p_push = OpTypePointer PushConstant %Block
%p_ubo = OpTypePointer Uniform %Block
%p_ssbo = OpTypePointer StorageBuffer %Block
%push1 = OpTypePointer PushConstant %uint
%ubo1 = OpTypePointer Uniform %uint
%ssbo1 = OpTypePointer StorageBuffer %uint
%own1 = OpTypePointer Function %uint
%image = OpTypeImage %float 2D 0 0 0 1 Unknown
%sampled = OpTypeSampledImage %image
%p_tex = OpTypePointer UniformConstant %sampled
%zero = OpConstant %uint 0
%four = OpConstant %uint 4
%f0 = OpConstant %float 0
%uv = OpConstantComposite %v2 %f0 %f0
%push_ignored = OpSpecConstant %uint 2
%group = OpVariable %in3 Input
%local = OpVariable %in3 Input
%push = OpVariable %p_push PushConstant
%ubo = OpVariable %p_ubo Uniform
%ssbo = OpVariable %p_ssbo StorageBuffer
%tex = OpVariable %p_tex UniformConstant
%main = OpFunction %void None %fn
%start = OpLabel
%own = OpVariable %own1 Function
%at_push = OpAccessChain %push1 %push %zero
%at_ubo = OpAccessChain %ubo1 %ubo %zero
%at_ssbo = OpAccessChain %ssbo1 %ssbo %zero
%at_group = OpAccessChain %in1 %group %zero
%at_local = OpAccessChain %in1 %local %zero
"""
TAIL = "OpReturn\nOpFunctionEnd\n"
VALUES = {
    "push": "%x = OpLoad %uint %at_push\n",
    "ubo": "%x = OpLoad %uint %at_ubo\n",
    "ssbo": "%x = OpLoad %uint %at_ssbo\n",
    "group": "%x = OpLoad %uint %at_group\n",
    "local": "%x = OpLoad %uint %at_local\n",
    "spec": "%x = OpCopyObject %uint %push_ignored\n",
    "sum": "%g = OpLoad %uint %at_group\n%l = OpLoad %uint %at_local\n%x = OpIAdd %uint %g %l\n",
    "own": "%g = OpLoad %uint %at_group\nOpStore %own %g\n%x = OpLoad %uint %own\n",
    "own_local": "%l = OpLoad %uint %at_local\nOpStore %own %l\n%x = OpLoad %uint %own\n",
    "atomic": "%x = OpAtomicIAdd %uint %at_ssbo %four %zero %four\n",
    "sample": "%t = OpLoad %sampled %tex\n%s = OpImageSampleExplicitLod %v4 %t %uv Lod %f0\n"
    "%c = OpCompositeExtract %float %s 0\n%x = OpConvertFToU %uint %c\n",
}
# loops, branches, divergent, textures, buffers
EXPECTED = {
    "push": (0, 1, 0, 0, 1), "ubo": (0, 1, 0, 0, 1), "ssbo": (0, 1, 1, 0, 1), "group": (0, 1, 0, 0, 0),
    "local": (0, 1, 1, 0, 0), "spec": (0, 1, 0, 0, 0), "sum": (0, 1, 1, 0, 0), "own": (0, 1, 0, 0, 0),
    "own_local": (0, 1, 1, 0, 0), "atomic": (0, 1, 1, 0, 1), "sample": (0, 1, 1, 1, 0),
}  # fmt: skip
BRANCH = (
    "%c0 = OpULessThan %bool %x %four\nOpSelectionMerge %end None\nOpBranchConditional %c0 %then %end\n"
    "%then = OpLabel\nOpBranch %end\n%end = OpLabel\n"
)
LOOP = (
    "%x0 = OpLoad %uint {end}\nOpBranch %head\n%head = OpLabel\n%i = OpPhi %uint %zero %start %next %more\n"
    "OpLoopMerge %out %more None\nOpBranch %test\n%test = OpLabel\n%c0 = OpULessThan %bool %i %x0\n"
    "OpBranchConditional %c0 %body %out\n%body = OpLabel\nOpBranch %more\n%more = OpLabel\n"
    "%next = OpIAdd %uint %i %four\nOpBranch %head\n%out = OpLabel\n"
)
# One of two constants, selected by a varying condition.
CHOSEN = (
    "%l = OpLoad %uint {at}\n%c1 = OpULessThan %bool %l %four\nOpSelectionMerge %both None\n"
    "OpBranchConditional %c1 %one %both\n%one = OpLabel\nOpBranch %both\n%both = OpLabel\n"
    "%x = OpPhi %uint %zero %start %four %one\n"
)
SWITCH = "OpSelectionMerge %end None\nOpSwitch %x %end 1 %one\n%one = OpLabel\nOpBranch %end\n%end = OpLabel\n"


@pytest.fixture(scope="module")
def tools() -> Tools:
    """Return tools that assemble modules."""
    return find_tools(None)


def _both(tools: Tools, body: str, *, valid: bool = True) -> tuple[int, ...]:
    data = tools.assemble((HEAD + body + TAIL).encode(), env="spv1.6", name="test")
    if valid:
        tools.validate(data, env="vulkan1.3", options=ValidatorOptions())
    found = count_statistics(data)
    assert statistics(data) == found and tuple(found) == FIGURES
    return tuple(found.values())


@pytest.mark.parametrize("name", VALUES)
def test_branches(tools: Tools, name: str) -> None:
    assert _both(tools, VALUES[name] + BRANCH) == EXPECTED[name]
    assert _both(tools, VALUES[name] + SWITCH) == EXPECTED[name]


def test_loops_and_selections(tools: Tools) -> None:
    assert _both(tools, LOOP.format(end="%at_push")) == (1, 1, 0, 0, 1)
    assert _both(tools, LOOP.format(end="%at_local")) == (1, 1, 1, 0, 0)
    assert _both(tools, CHOSEN.format(at="%at_group") + BRANCH) == (0, 2, 0, 0, 0)
    assert _both(tools, CHOSEN.format(at="%at_local") + BRANCH) == (0, 2, 2, 0, 0)
    same = BRANCH.replace("%then %end\n", "%end %end\n").replace("%then = OpLabel\nOpBranch %end\n", "")
    # Before SPIR-V 1.6, both targets could be one block.
    assert _both(tools, VALUES["local"] + same, valid=False) == (0, 0, 0, 0, 0)


def test_library_counts_if_it_was_built(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    from cratewright_spirv.reflection import statistics as module
    from cratewright_spirv.spirv_tools.library import load

    data = tools.assemble((HEAD + VALUES["ubo"] + BRANCH + TAIL).encode(), env="spv1.6", name="test")
    try:
        built = hasattr(load(), "cratewright_spirv_statistics")
    except Exception:
        built = False
    require_tool(built, "the compiled library")
    monkeypatch.setattr(module, "count_statistics", None)
    assert statistics(data)["branches"] == 1
    # Truncated modules do no harm.
    out = (module.ctypes.c_uint64 * len(FIGURES))()
    for size in range(0, len(data), 7):
        load().cratewright_spirv_statistics(data[:size], module.ctypes.c_uint64(size), _tables(), out)
