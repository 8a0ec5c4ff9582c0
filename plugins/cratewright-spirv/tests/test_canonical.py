"""Canonical modules: ids, names and order are normalised, semantics stay, and the result is valid."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import pytest

from cratewright import FormatError, LinkError
from cratewright_spirv.binary import opcodes as op
from cratewright_spirv.binary.module import build, parse, result
from cratewright_spirv.binary.operands import Instruction
from cratewright_spirv.binary.program import Program
from cratewright_spirv.binary.workgroup import size_by_entry_point, size_by_module
from cratewright_spirv.transforms.canonical import Names, canonical, canonical_library, is_orderable

from .conftest import Programs

# Declares its types twice, calls two functions in both orders, and has an unused function.
SHADER = """
OpCapability Shader
%1 = OpExtInstImport "GLSL.std.450"
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %2 "main" %3 %4
OpExecutionMode %2 LocalSize 64 1 1
OpSource GLSL 460
OpName %2 "main"
OpName %5 "half"
OpName %6 "root"
OpName %3 "store"
OpName %4 "count"
OpDecorate %7 ArrayStride 4
OpMemberDecorate %8 0 Offset 0
OpDecorate %8 Block
OpDecorate %3 DescriptorSet 0
OpDecorate %3 Binding 0
OpDecorate %9 NoContraction
OpDecorate %40 SpecId 4
%10 = OpTypeVoid
%11 = OpTypeFunction %10
%12 = OpTypeFloat 32
%13 = OpTypeFunction %12 %12
%14 = OpTypeInt 32 0
%15 = OpConstant %14 0
%16 = OpConstant %12 {factor}
%41 = OpConstant %12 0.5
%42 = OpConstant %12 0.5
%40 = OpSpecConstant %12 2
%43 = OpConstant %12 99
%7 = OpTypeRuntimeArray %12
%8 = OpTypeStruct %7
%17 = OpTypePointer StorageBuffer %8
%18 = OpTypePointer StorageBuffer %12
%44 = OpTypePointer Private %12
%3 = OpVariable %17 StorageBuffer
%4 = OpVariable %44 Private
%45 = OpVariable %44 Private
%2 = OpFunction %10 None %11
%19 = OpLabel
%20 = OpAccessChain %18 %3 %15 %15
%21 = OpLoad %12 %20
%22 = OpFunctionCall %12 %5 %21
%23 = OpFunctionCall %12 %6 %22
%24 = OpFMul %12 %23 %40
OpStore %20 %24
OpStore %4 %24
OpReturn
OpFunctionEnd
%5 = OpFunction %12 None %13
%25 = OpFunctionParameter %12
%26 = OpLabel
%9 = OpFMul %12 %25 %41
%27 = OpFMul %12 %9 %42
OpReturnValue %27
OpFunctionEnd
%6 = OpFunction %12 None %13
%28 = OpFunctionParameter %12
%29 = OpLabel
%30 = OpExtInst %12 %1 Sqrt %28
%31 = OpFMul %12 %30 %16
OpReturnValue %31
OpFunctionEnd
%32 = OpFunction %12 None %13
%33 = OpFunctionParameter %12
%34 = OpLabel
%35 = OpFMul %12 %33 %43
OpReturnValue %35
OpFunctionEnd
"""
_ANY_ORDER = (op.NAME, op.DECORATE, op.MEMBER_DECORATE)


def _program(spirv: Programs, text: str = SHADER, **words: str) -> Program:
    return Program.of(parse(spirv.assemble(text.format(**({"factor": "3"} | words))), "test"))


def _shuffled(program: Program, seed: int) -> Program:
    """Return the same program with other ids and names, and with unordered parts shuffled."""
    chance = random.Random(seed)
    module = program.module
    ids = list(range(1, module.bound))
    others = dict(zip(ids, chance.sample(range(1, module.bound + 50), len(ids)), strict=True))

    def renumbered(words: Instruction) -> Instruction:
        words = module.rewrite(words, others)
        defined = result(words)
        if defined is None:
            return words
        at = 1 if words[1] == defined and not op.INSTRUCTIONS[words[0] & 0xFFFF][1].startswith("T") else 2
        return (*words[:at], others[defined], *words[at + 1 :])

    preamble = [renumbered(words) for words in program.preamble]
    preamble = [
        build(op.NAME, words[1], chance.randrange(1, 255)) if words[0] & 0xFFFF == op.NAME else words
        for words in preamble
    ]
    for opcode in _ANY_ORDER:
        places = [at for at, words in enumerate(preamble) if words[0] & 0xFFFF == opcode]
        taken = chance.sample([preamble[at] for at in places], len(places))
        for at, words in zip(places, taken, strict=True):
            preamble[at] = words
    functions = [tuple(renumbered(words) for words in body) for body in program.functions.values()]
    chance.shuffle(functions)
    made = replace(
        module, bound=module.bound + 50, instructions=(*preamble, *chain.from_iterable(functions)), name="shuffled"
    )
    return Program.of(parse(made.encode(), "shuffled"))


def _canonical(*programs: Program, names: Names = Names.NONE, **options: bool) -> bytes:
    return canonical(programs, names=names, **options)


@pytest.mark.parametrize("seed", range(12))
def test_ids_names_and_order_leave_no_trace(spirv: Programs, seed: int) -> None:
    program = _program(spirv)
    shuffled = _shuffled(program, seed)
    assert shuffled.encode() != program.encode()
    assert _canonical(shuffled) == _canonical(program)


def test_canonical_module_is_valid_and_canonical(spirv: Programs) -> None:
    data = _canonical(_program(spirv))
    spirv.validate(data, "vulkan1.3")
    assert _canonical(Program.of(parse(data, "again"))) == data


def test_used_parts_stay(spirv: Programs) -> None:
    text = spirv.disassemble(_canonical(_program(spirv)))
    assert text.count("OpFunction ") == 3, "the unused function goes"
    assert "99" not in text
    assert text.count("OpConstant %") == 3, "equal constants become one"
    assert text.count("NoContraction") == 1
    assert "SpecId 4" in text
    assert text.count(" = OpVariable ") == 2, "one of the two private variables is unused"
    assert "OpName" not in text
    assert "OpSource" not in text
    assert _canonical(_program(spirv, factor="4")) != _canonical(_program(spirv))


def test_names_option(spirv: Programs) -> None:
    variables = spirv.disassemble(_canonical(_program(spirv), names=Names.VARIABLES))
    assert [word for word in ("store", "count", "half", "main") if f"OpName %{word}" in variables] == ["store", "count"]
    everything = spirv.disassemble(_canonical(_program(spirv), names=Names.ALL))
    assert all(f'OpName %{word} "{word}"' in everything for word in ("store", "count", "half", "main"))
    assert "OpSource GLSL 460" in everything
    spirv.validate(_canonical(_program(spirv), names=Names.ALL), "vulkan1.3")


@pytest.mark.parametrize("seed", range(4))
def test_equal_parts_of_modules_are_shared(spirv: Programs, seed: int) -> None:
    one = _program(spirv)
    other = _shuffled(_program(spirv, SHADER.replace('"main"', '"other"'), factor="5"), seed)
    joined = _canonical(one, other)
    spirv.validate(joined, "vulkan1.3")
    text = spirv.disassemble(joined)
    assert text.count("OpEntryPoint") == 2
    assert text.count("OpFunction ") == 5, "two entry points, two different functions, one shared"
    assert text.count("OpVariable") == 2
    apart = spirv.disassemble(_canonical(one, other, apart=True))
    assert apart.count("OpFunction ") == 6
    assert apart.count("OpVariable") == 4
    assert apart.count("OpTypeStruct") == 1


def test_variables_of_one_module_never_merge(spirv: Programs) -> None:
    text = SHADER.replace("OpStore %4 %24", "OpStore %4 %24\nOpStore %45 %24").replace("%3 %4", "%3 %4 %45")
    assert spirv.disassemble(_canonical(_program(spirv, text))).count("OpVariable") == 3


def test_unused_bindings_stay_with_preserve_bindings(spirv: Programs) -> None:
    text = SHADER.replace("%2 = OpFunction ", "%50 = OpVariable %17 StorageBuffer\n%2 = OpFunction ").replace(
        "OpDecorate %9", "OpDecorate %50 DescriptorSet 1\nOpDecorate %50 Binding 7\nOpDecorate %9"
    )
    assert "Binding 7" not in spirv.disassemble(_canonical(_program(spirv, text)))
    assert "Binding 7" in spirv.disassemble(_canonical(_program(spirv, text), preserve_bindings=True))


def test_memory_models_must_agree(spirv: Programs) -> None:
    vulkan = SHADER.replace("Logical GLSL450", "Logical Vulkan").replace(
        "OpCapability Shader", "OpCapability Shader\nOpCapability VulkanMemoryModel"
    )
    with pytest.raises(FormatError, match="memory model"):
        _canonical(_program(spirv), _program(spirv, vulkan.replace('"main"', '"other"')))


def test_recursion_is_refused(spirv: Programs) -> None:
    with pytest.raises(FormatError, match="calls itself"):
        _canonical(
            _program(
                spirv,
                SHADER.replace("%9 = OpFMul %12 %25 %41", "%9 = OpFunctionCall %12 %6 %25")
                .replace("%30 = OpExtInst %12 %1 Sqrt %28", "%30 = OpFunctionCall %12 %5 %28")
                .replace("OpDecorate %9 NoContraction\n", ""),
            )
        )


def test_unknown_instructions_are_not_reordered(spirv: Programs) -> None:
    program = _program(spirv)
    assert is_orderable(program)
    strange = replace(program.module, instructions=(*program.module.instructions, build(0xFFFE, 1)))
    assert not is_orderable(Program.of(strange))


def test_library_is_reduced_to_the_listed_functions(spirv: Programs) -> None:
    text = SHADER.replace("OpCapability Shader", "OpCapability Shader\nOpCapability Linkage")
    head = "".join(
        line + "\n" for line in text.splitlines() if not line.startswith(("OpEntryPoint", "OpExecutionMode"))
    )
    marks = 'OpDecorate %5 LinkageAttributes "half" Export\nOpDecorate %6 LinkageAttributes "root" Export\n'
    program = _program(spirv, head.replace("OpDecorate %9", marks + "OpDecorate %9"))
    data = canonical_library(program, [5])
    spirv.validate(data, "spv1.5")
    found = spirv.disassemble(data)
    assert '"half" Export' in found
    assert '"root"' not in found
    # The body of another function, and the ids after it, make no difference.
    other = _program(spirv, head.replace("OpDecorate %9", marks + "OpDecorate %9"), factor="8")
    assert canonical_library(other, [5]) == data
    assert canonical_library(other, [6]) != canonical_library(program, [6])


SIZED = """
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %2 "{name}"
OpExecutionMode %2 LocalSize {size} 1 1
OpDecorate %20 SpecId {spec}
OpDecorate %21 BuiltIn WorkgroupSize
%10 = OpTypeVoid
%11 = OpTypeFunction %10
%14 = OpTypeInt 32 0
%15 = OpTypeVector %14 3
%16 = OpConstant %14 1
%20 = OpSpecConstant %14 {size}
%21 = OpSpecConstantComposite %15 %20 %16 %16
%2 = OpFunction %10 None %11
%19 = OpLabel
OpReturn
OpFunctionEnd
"""


def _sized(spirv: Programs, name: str, size: int, spec: int) -> Program:
    return Program.of(parse(spirv.assemble(SIZED.format(name=name, size=size, spec=spec)), name))


def _joined(spirv: Programs, sizes: Sequence[tuple[str, int, int]]) -> Program:
    programs = [size_by_entry_point(_sized(spirv, *row)) for row in sizes]
    return Program.of(parse(_canonical(*programs), "joined"))


def test_workgroup_sizes_stay_with_their_entry_points(spirv: Programs) -> None:
    joined = _joined(spirv, [("a", 32, 0), ("b", 64, 1)])
    text = spirv.disassemble(size_by_module(joined, target="vulkan1.3").encode())
    assert text.count("LocalSizeId") == 2
    assert "WorkgroupSize" not in text
    with pytest.raises(LinkError, match="differ in how"):
        size_by_module(joined, target="vulkan1.2")


def test_single_workgroup_size_is_declared_for_the_module(spirv: Programs) -> None:
    alone = size_by_module(_joined(spirv, [("a", 32, 0)]), target="vulkan1.0")
    data = _canonical(alone)
    spirv.validate(data, "vulkan1.2")
    text = spirv.disassemble(data)
    assert "LocalSize 32 1 1" in text
    assert text.count("WorkgroupSize") == 1
    # The same bytes as without the detour.
    assert data == _canonical(_sized(spirv, "a", 32, 0))
