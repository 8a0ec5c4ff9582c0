"""Reading, writing and rewriting modules, compared with spirv-dis."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright import FormatError
from cratewright_spirv.binary import module, opcodes

HEADER = """
OpCapability Shader
OpCapability Int64
OpCapability Kernel
OpCapability Linkage
%glsl = OpExtInstImport "GLSL.std.450"
OpMemoryModel Logical GLSL450
"""
# every kind of operand: strings, masks with parameters, pairs, wide switches, nested opcodes, decorations with ids
EVERYTHING = (
    HEADER
    + """
OpEntryPoint Fragment %main "a long name" %in %out
OpExecutionMode %main OriginUpperLeft
OpExecutionModeId %main LocalSizeId %c4 %c4 %c4
%file = OpString "some file.frag"
OpSource GLSL 450 %file "text"
OpName %main "main"
OpMemberName %block 0 "x"
OpDecorate %in Location 3
OpDecorate %in NoPerspective
OpDecorateId %out UniformId %c4
OpDecorateId %in CounterBuffer %out
OpMemberDecorate %block 0 Offset 0
OpDecorate %main LinkageAttributes "exported name" Export
%group = OpDecorationGroup
OpGroupDecorate %group %in %out
OpGroupMemberDecorate %group %block 0 %block 0
%void = OpTypeVoid
%fn = OpTypeFunction %void
%f = OpTypeFloat 32
%i = OpTypeInt 32 1
%l = OpTypeInt 64 0
%v2 = OpTypeVector %f 2
%v4 = OpTypeVector %f 4
%block = OpTypeStruct %f
%image = OpTypeImage %f 2D 0 0 0 1 Unknown
%sampled = OpTypeSampledImage %image
%ptex = OpTypePointer UniformConstant %sampled
%pin = OpTypePointer Input %v2
%pout = OpTypePointer Output %v4
%pf = OpTypePointer Function %v4
%c4 = OpConstant %i 4
%wide = OpConstant %l 77309411329
%fl = OpConstant %f 0.5
%spec = OpSpecConstant %i 7
%sum = OpSpecConstantOp %i IAdd %spec %c4
%cc = OpConstantComposite %v2 %fl %fl
%in = OpVariable %pin Input
%out = OpVariable %pout Output
%tex = OpVariable %ptex UniformConstant
%main = OpFunction %void None %fn
%entry = OpLabel
%local = OpVariable %pf Function
OpLine %file 12 3
%uv = OpLoad %v2 %in
%s = OpLoad %sampled %tex
%t = OpImageSampleImplicitLod %v4 %s %uv Bias|ConstOffset %fl %cc
%g = OpImageSampleExplicitLod %v4 %s %uv Grad|MinLod %uv %uv %fl
OpStore %local %t Volatile|Aligned 16
OpStore %out %g MakePointerAvailable|NonPrivatePointer %c4
OpCopyMemory %local %out Aligned 4 Volatile|MakePointerVisible|NonPrivatePointer %c4
%root = OpExtInst %f %glsl Sqrt %fl
OpSelectionMerge %done None
OpSwitch %wide %done 3 %one 77309411332 %two
%one = OpLabel
OpBranch %done
%two = OpLabel
OpBranch %done
%done = OpLabel
%phi = OpPhi %f %fl %one %root %two
OpLoopMerge %after %after MinIterations|PeelCount 3 1
OpBranch %after
%after = OpLabel
OpSwitch %c4 %last 1 %last 2 %last 3 %last
%last = OpLabel
OpReturn
OpFunctionEnd
"""
)


def test_round_trip(spirv: Any) -> None:
    data = spirv.assemble(EVERYTHING)
    assert module.parse(data, "a").encode() == data


def test_ids_agree_with_spirv_dis(spirv: Any) -> None:
    data = spirv.assemble(EVERYTHING)
    read = module.parse(data, "a")
    lines = spirv.disassemble(data, "--raw-id").splitlines()
    assert len(lines) == len(read.instructions)
    for line, words in zip(lines, read.instructions, strict=True):
        bare = re.sub(r'"[^"]*"', "", line)
        defined, _, operands = bare.rpartition(" = ")
        assert [f"%{words[at]}" for at in read.ids(words)] == re.findall(r"%\d+", operands), line
        assert (f"%{module.result(words)}" if defined else "") == defined, line
        assert module.opcode_name(words[0] & 0xFFFF) in line


def test_positions_do_not_leak_between_instructions_of_one_length() -> None:
    literal = module.build(opcodes.DECORATE, 5, 30, 2)
    with_id = module.build(opcodes.DECORATE_ID, 5, 27, 2)
    read = module.Module("a", 0x10500, 0, 9, ())
    assert [read.ids(each) for each in (literal, with_id, literal)] == [(1,), (1, 3), (1,)]


def test_rewrite_changes_only_ids(spirv: Any) -> None:
    read = module.parse(spirv.assemble(EVERYTHING), "a")
    entry = next(words for words in read.instructions if words[0] & 0xFFFF == opcodes.ENTRY_POINT)
    name, interface = module.string(entry, 3)
    assert name == "a long name"
    # the execution model has the number of a rewritten id
    changed = read.rewrite(entry, {entry[1]: 99, entry[2]: 2, entry[interface]: 1})
    last = 99 if entry[-1] == entry[1] else entry[-1]
    assert changed == (entry[0], entry[1], 2, *entry[3:interface], 1, last)


def test_unknown_opcodes_are_kept_but_not_rewritten() -> None:
    read = module.Module("image", 0x10500, 0, 9, ())
    unknown = module.build(60000, 3, 4)
    assert read.ids(unknown) == (1, 2)
    assert read.rewrite(unknown, {5: 6}) == unknown
    with pytest.raises(FormatError, match="image uses an instruction"):
        read.rewrite(unknown, {4: 6})


def test_big_endian_words_are_read(spirv: Any) -> None:
    data = spirv.assemble(EVERYTHING)
    words = struct.unpack(f"<{len(data) // 4}I", data)
    swapped = struct.pack(f">{len(words)}I", *words)
    assert module.parse(swapped, "a").encode() == data


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "empty"),
        (lambda data: data[:12], "header"),
        (lambda data: data[:-2], "multiple of 4"),
        (lambda data: b"\x7fELF" + data[4:], "starts with"),
        (lambda data: data[:-4] + b"\0\0\0\0", "no words"),
        (lambda data: data[:-2] + b"\x09\x00", "longer than the file"),
        (lambda data: data[:12] + struct.pack("<I", 6) + data[16:], "the bound is 6"),
    ],
)
def test_damaged_files_are_refused(spirv: Any, change: Callable[[bytes], bytes], reason: str) -> None:
    with pytest.raises(FormatError, match=r"lib\.spv is not a SPIR-V module") as caught:
        module.parse(change(spirv.assemble(EVERYTHING)), "lib.spv", foreign=True)
    assert reason in str(caught.value)


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
def test_strings_round_trip(text: str) -> None:
    words = module.build(opcodes.NAME, 1, *module.literal(text), 7)
    assert module.string(words, 2) == (text, len(words) - 1)


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_are_refused(data: bytes) -> None:
    body = struct.pack("<5I", 0x07230203, 0x10500, 0, 50, 0) + data
    try:
        read = module.parse(body, "a", foreign=True)
    except FormatError:
        return
    assert read.encode()[20:] == body[20:]


def test_reading_without_bodies_stops_at_the_first_function(spirv) -> None:
    # 327734 is the first word of OpFunction; as an operand it starts no instruction.
    text = HEADER + (
        "%void = OpTypeVoid\n%fn = OpTypeFunction %void\n%u = OpTypeInt 32 0\n%trap = OpConstant %u 327734\n"
        "%after = OpConstant %u 3\n%f = OpFunction %void None %fn\n%l = OpLabel\nOpReturn\nOpFunctionEnd\n"
    )
    data = spirv.assemble(text)
    whole, preamble = module.parse(data, "m"), module.parse(data, "m", bodies=False)
    assert preamble.instructions == whole.instructions[:-4]
    assert preamble.bound == whole.bound
    bare = spirv.assemble(HEADER)
    assert module.parse(bare, "m", bodies=False).instructions == module.parse(bare, "m").instructions
