"""`Flat` on built-in inputs, as each stage needs it.

A fragment shader must decorate integers with `Flat`; a vertex shader must not.
"""

from __future__ import annotations

from ..binary import opcodes as op
from ..binary.enumerants import BUILT_IN, FLAT, INPUT
from ..binary.module import parse
from ..binary.program import Program

__all__ = ["without_flat_built_ins"]


def without_flat_built_ins(data: bytes, name: str) -> bytes:
    """Return a module whose built-in inputs are not `Flat`; the module itself if none is."""
    program = Program.of(parse(data, name))
    marks = {(words[1], words[2]) for words in program.preamble if words[0] & 0xFFFF == op.DECORATE}
    inputs = [each for each, words in program.variables().items() if words[3] == INPUT]
    flat = {each for each in inputs if (each, BUILT_IN) in marks and (each, FLAT) in marks}
    if not flat:
        return data
    kept = [
        words
        for words in program.preamble
        if words[0] & 0xFFFF != op.DECORATE or words[1] not in flat or words[2] != FLAT
    ]
    return Program(program.module, tuple(kept), program.functions).encode()
