"""A shader and a library with declarations that a link merges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cratewright_spirv.binary.module import parse
from cratewright_spirv.binary.program import Program
from cratewright_spirv.transforms.finalize import finalize_program
from cratewright_spirv.transforms.initialisers import Initialiser

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


def finalize(data: bytes, *, name: str, initialisers: Sequence[Initialiser], preserve_bindings: bool = False) -> bytes:
    program = Program.of(parse(data, name))
    return finalize_program(program, initialisers=initialisers, preserve_bindings=preserve_bindings).encode()


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
