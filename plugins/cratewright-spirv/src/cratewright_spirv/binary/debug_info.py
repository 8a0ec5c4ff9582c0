"""The instruction set NonSemantic.Shader.DebugInfo: its name, and the numbers of its instructions."""

from __future__ import annotations

from . import opcodes as op
from .module import Instruction, string

__all__ = ["SET_NAME", "has_debug_info", "is_debug_set"]

SET_NAME = "NonSemantic.Shader.DebugInfo"

COMPILATION_UNIT = 1
BASIC_TYPE = 2
ARRAY_TYPE = 5
FUNCTION_TYPE = 8
GLOBAL_VARIABLE = 18
FUNCTION = 20
LEXICAL_BLOCK = 21
SCOPE = 23
NO_SCOPE = 24
LOCAL_VARIABLE = 26
DECLARE = 28
VALUE = 29
SOURCE = 35
DEFINITION = 101
DEBUG_LINE = 103
NO_DEBUG_LINE = 104


def is_debug_set(words: Instruction) -> bool:
    """Return whether an instruction imports the set."""
    return words[0] & 0xFFFF == op.EXT_INST_IMPORT and string(words, 2)[0].startswith(SET_NAME)


def has_debug_info(data: bytes) -> bool:
    """Return whether a module may import the set."""
    return SET_NAME.encode() in data
