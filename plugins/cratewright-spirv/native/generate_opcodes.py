"""Writes `opcodes.py` from the official SPIR-V grammar (`spirv.core.grammar.json` of SPIRV-Headers).

Run it by hand when a newer grammar is wanted:

    python generate_opcodes.py .../include/spirv/unified1/spirv.core.grammar.json 1.4.335.0 > opcodes.py
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypedDict

IDS = {"IdRef", "IdScope", "IdMemorySemantics"}
SPECIAL = {
    "IdResultType": "T",
    "IdResult": "R",
    "LiteralString": "s",
    "Decoration": "D",
    "ExecutionMode": "E",
    "PairIdRefIdRef": "i",
    "PairIdRefLiteralInteger": "q",
    "PairLiteralIntegerIdRef": "w",
    "LiteralSpecConstantOpInteger": "o",
    "ImageOperands": "I",
    "MemoryAccess": "M",
    "TensorAddressingOperands": "A",
    "TensorOperands": "N",
}
MASKS = {"ImageOperands": "I", "MemoryAccess": "M", "TensorAddressingOperands": "A", "TensorOperands": "N"}
# these kinds are followed by literal words only, however many there are
REST_LITERAL = {"LoopControl", "LiteralContextDependentNumber"}
# fmt: off
CONSTANTS = [
    "Undef", "SourceContinued", "Source", "SourceExtension", "Name", "MemberName", "String", "Line", "Extension",
    "ExtInstImport", "ExtInst", "MemoryModel", "EntryPoint", "ExecutionMode", "Capability", "TypeVoid", "TypeBool",
    "TypeInt", "TypeFloat", "TypeVector", "TypeMatrix", "TypeImage", "TypeSampler", "TypeSampledImage", "TypeArray",
    "TypeRuntimeArray", "TypeStruct", "TypePointer", "TypeFunction", "TypeForwardPointer", "ConstantTrue",
    "ConstantFalse", "Constant", "ConstantComposite", "ConstantNull", "SpecConstantTrue", "SpecConstantFalse",
    "SpecConstant", "SpecConstantComposite", "SpecConstantOp", "Function", "FunctionParameter", "FunctionEnd",
    "FunctionCall", "Variable", "ImageTexelPointer", "Load", "Store", "CopyMemory", "CopyMemorySized", "AccessChain",
    "InBoundsAccessChain", "PtrAccessChain", "ArrayLength", "InBoundsPtrAccessChain", "Decorate", "MemberDecorate",
    "DecorationGroup", "GroupDecorate", "GroupMemberDecorate", "VectorExtractDynamic", "CopyObject",
    "ImageSampleImplicitLod", "ImageSampleDrefImplicitLod", "ImageSampleProjImplicitLod",
    "ImageSampleProjDrefImplicitLod", "ImageRead", "ImageWrite", "Image", "ImageQueryLod", "ImageQuerySamples",
    "ConvertFToU", "UConvert", "SConvert", "FConvert", "Bitcast", "SNegate", "SMulExtended", "Any",
    "FUnordGreaterThanEqual", "ShiftRightLogical", "BitCount", "DPdx", "DPdxFine",
    "DPdxCoarse", "FwidthCoarse", "EmitVertex", "EndPrimitive", "EmitStreamVertex",
    "EndStreamPrimitive", "ControlBarrier", "MemoryBarrier", "AtomicLoad", "AtomicStore", "AtomicExchange",
    "AtomicXor", "Phi", "LoopMerge", "SelectionMerge", "Label", "Branch", "BranchConditional", "Switch", "Kill",
    "Return", "Unreachable", "LifetimeStop", "ImageSparseSampleImplicitLod",
    "ImageSparseSampleDrefImplicitLod", "ImageSparseSampleProjImplicitLod", "ImageSparseSampleProjDrefImplicitLod",
    "ImageSparseDrefGather", "ImageSparseTexelsResident", "NoLine", "AtomicFlagTestAndSet", "AtomicFlagClear",
    "ImageSparseRead", "ModuleProcessed", "ExecutionModeId", "DecorateId", "GroupNonUniformElect",
    "GroupNonUniformQuadSwap", "CopyLogical", "PtrNotEqual", "ColorAttachmentReadEXT", "DepthAttachmentReadEXT",
    "StencilAttachmentReadEXT", "TerminateInvocation", "TypeUntypedPointerKHR", "SubgroupBallotKHR",
    "SubgroupFirstInvocationKHR", "SubgroupAllKHR", "SubgroupReadInvocationKHR", "ExtInstWithForwardRefsKHR",
    "TraceRayKHR", "ExecuteCallableKHR", "IgnoreIntersectionKHR", "TerminateRayKHR", "SDot", "SUDotAccSat",
    "CooperativeMatrixLoadKHR", "CooperativeMatrixStoreKHR", "TypeRayQueryKHR", "ImageSampleWeightedQCOM",
    "ImageBlockMatchSADQCOM", "ImageBlockMatchWindowSSDQCOM", "ImageBlockMatchGatherSADQCOM", "FragmentMaskFetchAMD",
    "FragmentFetchAMD", "ImageSampleFootprintNV", "EmitMeshTasksEXT", "SetMeshOutputsEXT", "ReportIntersectionKHR",
    "IgnoreIntersectionNV", "TerminateRayNV", "TraceNV", "TypeAccelerationStructureKHR", "ExecuteCallableNV",
    "CooperativeMatrixLoadNV", "CooperativeMatrixStoreNV", "BeginInvocationInterlockEXT", "EndInvocationInterlockEXT",
    "CooperativeMatrixLoadTensorNV", "CooperativeMatrixStoreTensorNV", "DemoteToHelperInvocation",
    "IsHelperInvocationEXT", "AtomicFMinEXT", "AtomicFMaxEXT", "DecorateString", "MemberDecorateString",
    "AtomicFAddEXT",
]
# fmt: on
"""The instructions that code names, by their opcodes."""
WIDTH = 110


class Operand(TypedDict, total=False):
    kind: str
    quantifier: str
    name: str


class Instruction(TypedDict, total=False):
    opname: str
    opcode: int
    operands: list[Operand]


class Enumerant(TypedDict, total=False):
    enumerant: str
    value: int | str
    parameters: list[Operand]


class Kind(TypedDict, total=False):
    category: str
    kind: str
    enumerants: list[Enumerant]


def layout(instruction: Instruction, parametrised: set[str]) -> str:
    """Return the operand words of an instruction as one letter each."""
    letters = ""
    operands = instruction.get("operands", [])
    for position, operand in enumerate(operands):
        kind, quantifier, last = operand["kind"], operand.get("quantifier"), position == len(operands) - 1
        if (quantifier == "*" or kind in REST_LITERAL) and not last:
            raise SystemExit(f"{instruction['opname']}: a repeated operand is not the last one")
        if kind in IDS:
            letters += "i"
        elif kind in REST_LITERAL:
            letters += "n*"
        elif kind in SPECIAL:
            letters += SPECIAL[kind]
        elif kind in parametrised:
            raise SystemExit(f"{instruction['opname']}: operands of {kind} are not understood")
        else:
            letters += "n"
        if quantifier == "*" and letters[-1] not in "qw":
            letters += "*"
    return letters


def number(value: int | str) -> int:
    """Return an enumerant's value, which the grammar writes in hexadecimal for masks."""
    return value if isinstance(value, int) else int(value, 0)


def masks(kind: Kind) -> dict[int, str]:
    """Return the parameters that follow a mask, for each of its bits that has any."""
    return {
        number(each["value"]): "".join("i" if p["kind"] in IDS else "n" for p in each["parameters"])
        for each in kind["enumerants"]
        if each.get("parameters")
    }


def with_ids(kind: Kind) -> list[int]:
    """Return the values of an enumeration whose parameters are ids."""
    found = set()
    for each in kind["enumerants"]:
        parameters = {p["kind"] in IDS for p in each.get("parameters", [])}
        if len(parameters) > 1:
            raise SystemExit(f"{each['enumerant']}: mixes ids and literals")
        if True in parameters:
            found.add(number(each["value"]))
    return sorted(found)


def packed(items: Iterable[str]) -> Iterator[str]:
    """Yield the items joined into lines that are as long as allowed."""
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > WIDTH:
            yield line
            line = "   "
        line += f" {item},"
    yield line


def generate(grammar: Path, release: str) -> Iterator[str]:
    """Yield the lines of `opcodes.py`."""
    data = json.loads(grammar.read_text(encoding="utf-8"))
    kinds: dict[str, Kind] = {each["kind"]: each for each in data["operand_kinds"]}
    parametrised = {
        name for name, kind in kinds.items() if any(e.get("parameters") for e in kind.get("enumerants", []))
    }
    instructions: dict[int, Instruction] = {}
    for each in data["instructions"]:
        instructions.setdefault(each["opcode"], each)
    version = f"{data['major_version']}.{data['minor_version']}, revision {data['revision']}"
    yield f'''"""The operands of every SPIR-V instruction, as generated by `native/generate_opcodes.py`.

Made from the grammar of SPIR-V {version} (SPIRV-Headers {release}).

`INSTRUCTIONS` gives each opcode's name and the kinds of its operand words, in order; words may end early:
`T` result type, `R` result id, `i` id, `n` literal, `s` string, a final `*` repeats the letter before it,
`q` (id, literal) pairs, `w` (literal, id) pairs whose literal is as wide as the first operand's type, `o` the
opcode whose operands follow, `D` `E` a decoration or execution mode and its parameters (ids if it is in
`ID_DECORATIONS` or `ID_MODES`), `I` `M` `A` `N` a mask and the parameters that `MASKS` lists for its bits.
"""

from __future__ import annotations

# fmt: off'''
    names = {each["opname"]: opcode for opcode, each in instructions.items()}
    for constant in CONSTANTS:
        yield f"{snake(constant)} = {names['Op' + constant]}"
    yield ""
    yield "INSTRUCTIONS: dict[int, tuple[str, str]] = {"
    yield from packed(
        f'{opcode}: ("{each["opname"]}", "{layout(each, parametrised)}")'
        for opcode, each in sorted(instructions.items())
    )
    yield "}"
    yield "MASKS: dict[str, dict[int, str]] = {"
    for name, letter in MASKS.items():
        yield f'    "{letter}": {{'
        bits = (f'0x{bit:X}: "{parameters}"' for bit, parameters in masks(kinds[name]).items())
        yield from ("    " + line for line in packed(bits))
        yield "    },"
    yield "}"
    for title, name in (("ID_DECORATIONS", "Decoration"), ("ID_MODES", "ExecutionMode")):
        yield f"{title} = frozenset({{"
        yield from packed(map(str, with_ids(kinds[name])))
        yield "})"


def snake(name: str) -> str:
    """Return `ExtInstImport` as `EXT_INST_IMPORT`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


if __name__ == "__main__":
    print("\n".join(generate(Path(sys.argv[1]), sys.argv[2])))
