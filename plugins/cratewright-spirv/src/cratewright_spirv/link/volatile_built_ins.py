"""Built-in variables that change while a ray shader runs, in units compiled without knowing their stage.

What traces or calls may be continued elsewhere; a compiler that knows the stage marks them as volatile.
"""

from __future__ import annotations

from dataclasses import replace

from ..binary import enumerants as spv
from ..binary import opcodes as op
from ..binary.module import build, parse
from ..binary.program import Program
from ..spirv_tools.tools import Tools

_OF_SUBGROUP = frozenset(
    {
        spv.SUBGROUP_SIZE,
        spv.SUBGROUP_LOCAL_INVOCATION_ID,
        *range(spv.SUBGROUP_EQ_MASK, spv.SUBGROUP_LT_MASK + 1),
        spv.WARP_ID,
        spv.SM_ID,
    }
)
_CHANGING = {
    **dict.fromkeys(("raygen", "closest-hit", "miss", "callable"), _OF_SUBGROUP),
    "intersection": _OF_SUBGROUP | {spv.RAY_T_MAX},
}


def with_volatile_built_ins(program: Program, tools: Tools, *, target: str) -> Program:
    """Return a finalised program with such variables volatile, as its stages need them."""
    built_in, volatile = {}, set()
    for words in program.preamble:
        if words[0] & 0xFFFF == op.DECORATE and words[2] == spv.BUILT_IN:
            built_in[words[1]] = words[3]
        elif words[0] & 0xFFFF == op.DECORATE and words[2] == spv.VOLATILE:
            volatile.add(words[1])
    needed = {
        each
        for entry in program.entries()
        for each in program.interface(entry)
        if built_in.get(each) in _CHANGING.get(entry.stage, ())
    } - volatile
    if not needed:
        return program
    if any(words[0] & 0xFFFF == op.MEMORY_MODEL and words[2] == spv.VULKAN for words in program.preamble):
        # There, loads are volatile.
        passes = ["--spread-volatile-semantics"]
        data = tools.optimize(program.encode(), env=target, passes=passes, validator=None, preserve_bindings=True)
        return Program.of(parse(data, program.module.name))
    preamble = [
        each
        for words in program.preamble
        for each in (
            (words, build(op.DECORATE, words[1], spv.VOLATILE))
            if words[0] & 0xFFFF == op.DECORATE and words[2] == spv.BUILT_IN and words[1] in needed
            else (words,)
        )
    ]
    return replace(program, preamble=tuple(preamble))
