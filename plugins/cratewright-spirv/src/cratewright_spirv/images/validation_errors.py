"""The validator's messages in the user's terms: a position in a source, and options of this package.

Positions come from the image's own debug information.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import fields
from itertools import islice

from cratewright import pattern

from ..binary import opcodes as op
from ..binary.debug_info import DEBUG_LINE, DEBUG_SOURCE, SET_NAME
from ..binary.module import spans
from ..spirv_tools.tools import ValidatorOptions

_FLAG = pattern(r"--([a-z][a-z-]+)")
_FEATURE = pattern(
    r"This is may be allowed if you enable the (.*?) feature \(or use the --([a-z-]+) command line flag\)"
)
_BUFFER_PASSED = "requires a variable pointers capability"
_OPTIONS = frozenset(field.name for field in fields(ValidatorOptions))


def with_option_names(message: str) -> str:
    """Return the message with options of this package for the validator's flags."""

    def option(match: re.Match[str]) -> str:
        name = match[1].replace("-", "_")
        return f"{name}=True" if name in _OPTIONS else match[0]

    return _FLAG.sub(option, _FEATURE.sub(_allowed, message))


def _allowed(match: re.Match[str]) -> str:
    return f"It is allowed with {match[1]}, which --{match[2]} says the device has"


def validation_hint(message: str) -> str:
    """Return how to avoid what the validator refuses, or an option that allows it; empty if there is none."""
    if "layout rules" in message:
        return "set scalar_block_layout=True or uniform_buffer_standard_layout=True if the device has that feature"
    if _BUFFER_PASSED in message:
        return "do not pass buffers to functions: declare the buffer in the unit that uses it, with the same register"
    return ""


def instruction_position(data: bytes, instruction: str | int | None) -> tuple[str, int] | None:
    """Return the file and line of an instruction, counted from 1, if recorded."""
    if instruction is None:
        return None
    words, place = array("I", data), (0, 0)
    strings: dict[int, str] = {}
    sources, numbers = dict[int, int](), dict[int, int]()
    sets: set[int] = set()
    for opcode, at, end in islice(spans(words), int(instruction)):
        if opcode == op.STRING:
            strings[words[at + 1]] = words[at + 2 : end].tobytes().partition(b"\0")[0].decode("utf-8", "replace")
        elif opcode == op.EXT_INST_IMPORT and words[at + 2 : end].tobytes().startswith(SET_NAME.encode()):
            sets.add(words[at + 1])
        elif opcode == op.CONSTANT:
            numbers[words[at + 2]] = words[at + 3]
        elif opcode == op.EXT_INST and words[at + 3] in sets:
            if words[at + 4] == DEBUG_SOURCE:
                sources[words[at + 2]] = words[at + 5]
            elif words[at + 4] == DEBUG_LINE:
                place = (sources.get(words[at + 5], 0), numbers.get(words[at + 6], 0))
        elif opcode == op.LINE:
            place = (words[at + 1], words[at + 2])
        elif opcode in (op.NO_LINE, op.FUNCTION_END):
            place = (0, 0)
    return (strings[place[0]], place[1]) if place[0] in strings else None
