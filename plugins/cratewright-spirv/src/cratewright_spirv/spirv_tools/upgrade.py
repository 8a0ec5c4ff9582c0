"""Takes modules from GLSL's memory model to Vulkan's."""

from __future__ import annotations

from dataclasses import replace

from ..binary import opcodes as op
from ..binary.enumerants import TESSELLATION
from ..binary.module import build, literal, parse
from ..binary.operands import Instruction
from ..binary.program import Program
from ..transforms.memory_model import Upgrade
from .tools import Tools

_VERSION_1_5 = 0x10500
_EXTENSION = build(op.EXTENSION, *literal("SPV_KHR_vulkan_memory_model"))
_PLAIN_LOAD = 4
_IMAGES = frozenset({op.TYPE_IMAGE, op.TYPE_SAMPLED_IMAGE})


def upgrade_for(tools: Tools, env: str) -> Upgrade:
    """Return what takes a module, linked or not, to Vulkan's memory model."""

    def upgrade(data: bytes) -> bytes:
        program = Program.of(parse(data, "module"))
        if _waits_for_outputs(program):
            return data
        done = tools.optimize(
            _with_bodies(program).encode(),
            env=env,
            passes=["--upgrade-memory-model"],
            validator=None,
            preserve_bindings=True,
        )
        return _finished(Program.of(parse(done, "module")), program).encode()

    return upgrade


def _waits_for_outputs(program: Program) -> bool:
    """Return whether a tessellation control shader has a barrier, which orders accesses to its outputs.

    SPIRV-Tools only see those of the same unit.
    """
    return build(op.CAPABILITY, TESSELLATION) in program.preamble and any(
        words[0] & 0xFFFF == op.CONTROL_BARRIER for body in program.functions.values() for words in body
    )


def _with_bodies(program: Program) -> Program:
    """Return a program in which functions of other units have a body, without which SPIRV-Tools may crash."""
    module = program.module
    functions = dict(program.functions)
    for label, each in enumerate((each for each in functions if _is_imported(functions[each])), module.bound):
        *declared, end = functions[each]
        functions[each] = (*declared, build(op.LABEL, label), build(op.UNREACHABLE), end)
    grown = replace(module, bound=module.bound + len(functions))
    return replace(program, module=grown, functions=functions)


def _finished(program: Program, before: Program) -> Program:
    """Return an upgraded program without what was added, and without two mistakes of SPIRV-Tools.

    To load an image or texture from a `coherent` parameter is no access to its memory. SPIR-V 1.5 needs no extension.
    """
    images = {words[1] for words in program.preamble if words[0] & 0xFFFF in _IMAGES}
    functions = {
        each: before.functions[each]
        if _is_imported(before.functions[each])
        else tuple(_plain(words, images) for words in body)
        for each, body in program.functions.items()
    }
    preamble = program.preamble
    if program.module.version >= _VERSION_1_5:
        preamble = tuple(words for words in preamble if words != _EXTENSION)
    return replace(program, preamble=preamble, functions=functions)


def _is_imported(body: tuple[Instruction, ...]) -> bool:
    return not any(words[0] & 0xFFFF == op.LABEL for words in body)


def _plain(words: Instruction, images: set[int]) -> Instruction:
    if words[0] & 0xFFFF == op.LOAD and words[1] in images and len(words) > _PLAIN_LOAD:
        return build(op.LOAD, *words[1:_PLAIN_LOAD])
    return words
