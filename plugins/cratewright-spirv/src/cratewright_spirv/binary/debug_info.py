"""The instruction set NonSemantic.Shader.DebugInfo: its name, and the numbers of its instructions."""

from __future__ import annotations

from . import opcodes as op
from .module import string
from .operands import Instruction

SET_NAME = "NonSemantic.Shader.DebugInfo"

DEBUG_COMPILATION_UNIT = 1
DEBUG_TYPE_BASIC = 2
DEBUG_TYPE_ARRAY = 5
DEBUG_TYPE_FUNCTION = 8
DEBUG_GLOBAL_VARIABLE = 18
DEBUG_FUNCTION = 20
DEBUG_LEXICAL_BLOCK = 21
DEBUG_SCOPE = 23
DEBUG_NO_SCOPE = 24
DEBUG_LOCAL_VARIABLE = 26
DEBUG_DECLARE = 28
DEBUG_VALUE = 29
DEBUG_SOURCE = 35
DEBUG_FUNCTION_DEFINITION = 101
DEBUG_LINE = 103
DEBUG_NO_LINE = 104


def is_debug_set(words: Instruction) -> bool:
    """Return whether an instruction imports the set."""
    return words[0] & 0xFFFF == op.EXT_INST_IMPORT and string(words, 2)[0].startswith(SET_NAME)


def has_debug_info(data: bytes) -> bool:
    """Return whether a module may import the set."""
    return SET_NAME.encode() in data
