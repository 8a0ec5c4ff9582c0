"""Conversions to types that a shader only stores, spelled so that glslang computes them.

Knows nothing of expressions: it finds a constructor's parentheses and leaves what is between them alone.
Where the extension for arithmetic on such a type is not on, glslang takes a constant argument's bits for those of
the wider type: `float16_t(1)` is 0, or whatever else was in memory. `float16_t(float(1))` is 1.
"""

from __future__ import annotations

import re
from array import array

__all__ = ["narrows", "widened"]

_ARITHMETIC = "GL_EXT_shader_explicit_arithmetic_types"
# What turns arithmetic on, the constructors, and the constructors of the wider types.
_KINDS = tuple(
    (
        re.compile("|".join(f"#extension {name} : (?!disable)" for name in (_ARITHMETIC, *extensions)).encode()),
        re.compile(rf"{prefix}(?:{scalar}|{vector}vec([234]))\s*\(".encode()),
        wide.encode(),
        letter.encode(),
    )
    for extensions, prefix, scalar, vector, wide, letter in (
        ((f"{_ARITHMETIC}_float16", "GL_AMD_gpu_shader_half_float"), "f", "loat16_t", "16", "float", ""),
        ((f"{_ARITHMETIC}_int16", "GL_AMD_gpu_shader_int16"), "i", "nt16_t", "16", "int", "i"),
        ((f"{_ARITHMETIC}_int16", "GL_AMD_gpu_shader_int16"), "u", "int16_t", "16", "uint", "u"),
        ((f"{_ARITHMETIC}_int8",), "i", "nt8_t", "8", "int", "i"),
        ((f"{_ARITHMETIC}_int8",), "u", "int8_t", "8", "uint", "u"),
    )
)
# By their numbers in the specification: floats of 16 bits, integers of 16 and 8, and what computing with them takes.
_CAPABILITY, _FUNCTION = 17, 54
_ARITHMETIC_OF = {(22, 16): 9, (21, 16): 22, (21, 8): 39}
_STORAGE = frozenset({4433, 4434, 4435, 4436, 4448, 4449, 4450})
_CONVERSIONS = {22: (115,), 21: (113, 114)}
_CONSTANTS = frozenset({43, 44})
_PUNCTUATION = re.compile(rb"[(),]")
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


def widened(text: bytes) -> bytes:
    """Return a preprocessed GLSL text with such constructors' arguments converted to the wider type first.

    Shape: the same lines; the text itself if nothing is to be changed.
    """
    if b"bit_storage : " not in text:
        return text
    inserted: list[tuple[int, bytes]] = []
    for arithmetic, constructor, scalar, letter in _KINDS:
        if arithmetic.search(text):
            continue
        for match in constructor.finditer(text):
            end = _closing(text, match.end())
            if end >= 0 and text[match.start() - 1] not in _WORD:
                size = match.group(1)
                inserted += [(match.end(), (letter + b"vec" + size if size else scalar) + b"("), (end, b")")]
    if not inserted:
        return text
    parts, start = [], 0
    for offset, piece in sorted(inserted):
        parts += [text[start:offset], piece]
        start = offset
    return b"".join((*parts, text[start:]))


def narrows(data: bytes) -> bool:
    """Tell whether glslang's module of a text that was not `widened` converts what it should not.

    Shape: true for a conversion of a constant, or of a value that has the type already, to a type without arithmetic.
    """
    words = array("I", data)
    at, abilities, types, constants = 5, set[int](), list[tuple[int, int]](), set[int]()
    while at < len(words):
        op = words[at] & 0xFFFF
        if op == _CAPABILITY:
            abilities.add(words[at + 1])
        elif abilities.isdisjoint(_STORAGE) or op == _FUNCTION:
            break
        elif (arithmetic := _ARITHMETIC_OF.get((op, words[at + 2]))) and arithmetic not in abilities:
            types += [(words[at + 1], conversion) for conversion in _CONVERSIONS[op]]
        elif op in _CONSTANTS:
            constants.add(words[at + 2])
        at += words[at] >> 16
    for number, conversion in types:
        head = array("I", (4 << 16 | conversion, number)).tobytes()
        at = data.find(head)
        while at >= 0:
            # An operand has the type if some instruction gives it: its result's type and id stand side by side.
            operand = data[at + 12 : at + 16]
            if words[at // 4 + 3] in constants or head[4:] + operand in data:
                return True
            at = data.find(head, at + 4)
    return False


def _closing(text: bytes, start: int) -> int:
    """Return where the argument that starts there ends, or -1 if another follows it: glslang refuses that."""
    depth = 1
    for match in _PUNCTUATION.finditer(text, start):
        mark = match.group()
        depth += (mark == b"(") - (mark == b")")
        if depth == 0:
            return match.start()
        if depth == 1 and mark == b",":
            return -1
    return -1
