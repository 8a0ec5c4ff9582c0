"""Rewrites conversions to types that a shader only stores, so that glslang computes them correctly.

It finds a constructor's parentheses and leaves what is between them unchanged. Without the extension for arithmetic on
such a type, glslang takes the bits of a constant argument for those of the wider type: `float16_t(1)` is 0, or whatever
was in memory. `float16_t(float(1))` is 1.
"""

from __future__ import annotations

import re
import struct
from itertools import chain

from cratewright import pattern

from ..binary import enumerants as spv
from ..binary import opcodes as op

_ARITHMETIC = "GL_EXT_shader_explicit_arithmetic_types"
# The extensions that enable arithmetic, the constructors, and the constructors of the wider types.
_KINDS = tuple(
    (
        pattern("|".join(f"#extension {name} : (?!disable)" for name in (_ARITHMETIC, *extensions)).encode()),
        pattern(rf"{prefix}(?:{scalar}|{vector}vec([234]))\s*\(".encode()),
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
# The capability for arithmetic with a type of some width.
_ARITHMETIC_OF = {(op.TYPE_FLOAT, 16): spv.FLOAT16, (op.TYPE_INT, 16): spv.INT16, (op.TYPE_INT, 8): spv.INT8}
_STORAGE = frozenset(
    {
        *(spv.STORAGE_BUFFER16_BIT_ACCESS, spv.UNIFORM_AND_STORAGE_BUFFER16_BIT_ACCESS),
        *(spv.STORAGE_PUSH_CONSTANT16, spv.STORAGE_INPUT_OUTPUT16),
        *(spv.STORAGE_BUFFER8_BIT_ACCESS, spv.UNIFORM_AND_STORAGE_BUFFER8_BIT_ACCESS, spv.STORAGE_PUSH_CONSTANT8),
    }
)
_CONVERSIONS = {op.TYPE_FLOAT: (op.FCONVERT,), op.TYPE_INT: (op.UCONVERT, op.SCONVERT)}
_CONSTANTS = bytes((op.CONSTANT, op.CONSTANT_COMPOSITE))
_CAPABILITY = struct.pack("<I", 2 << 16 | op.CAPABILITY)
_WORD_AND_TWO = struct.Struct("<III")
# Two patterns that begin with fixed bytes are found many times faster than one with a choice.
_NARROW_TYPES = tuple(
    pattern(text, re.S) for text in (rb"\x16\0\x03\0.{4}\x10\0\0\0", rb"\x15\0\x04\0.{4}[\x08\x10]\0\0\0")
)
_FUNCTION = struct.pack("<I", 5 << 16 | op.FUNCTION)
_PUNCTUATION = pattern(rb"[(),]")
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


def widened(text: bytes) -> bytes:
    """Return a preprocessed GLSL text with such constructors' arguments converted to the wider type first.

    Shape: the same lines; the same object if nothing changes.
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
    """Return whether glslang's module of a text that was not `widened` has wrong conversions.

    Shape: true for a conversion of a constant, or of a value that has the type already, to a type without arithmetic.
    """
    abilities = _abilities(data)
    if abilities.isdisjoint(_STORAGE):
        return False
    body = max(data.find(_FUNCTION), 0)
    for match in chain.from_iterable(kind.finditer(data, 0, body) for kind in _NARROW_TYPES):
        kind, number, width = _WORD_AND_TWO.unpack_from(data, match.start())
        arithmetic = _ARITHMETIC_OF.get((kind & 0xFFFF, width))
        if match.start() % 4 or arithmetic is None or arithmetic in abilities:
            continue
        for conversion in _CONVERSIONS[kind & 0xFFFF]:
            head = struct.pack("<II", 4 << 16 | conversion, number)
            at = data.find(head, body)
            while at >= 0:
                # An operand has the type if some instruction gives it: its result's type and id stand side by side.
                operand = data[at + 12 : at + 16]
                if head[4:] + operand in data or _is_constant(operand, data, body):
                    return True
                at = data.find(head, at + 4)
    return False


def _abilities(data: bytes) -> set[int]:
    """Return the capabilities, which come first in a module."""
    found, at = set[int](), 20
    while data[at : at + 4] == _CAPABILITY:
        found.add(int.from_bytes(data[at + 4 : at + 8], "little"))
        at += 8
    return found


def _is_constant(number: bytes, data: bytes, end: int) -> bool:
    """Return whether an id is a constant's; a false positive only costs a compilation."""
    at = data.find(number, 8, end)
    while at >= 0:
        if data[at - 8] in _CONSTANTS and data[at - 7] == data[at - 5] == 0:
            return True
        at = data.find(number, at + 1, end)
    return False


def _closing(text: bytes, start: int) -> int:
    """Return the end of the argument, or -1 if another follows, which glslang refuses."""
    depth = 1
    for match in _PUNCTUATION.finditer(text, start):
        mark = match.group()
        depth += (mark == b"(") - (mark == b")")
        if depth == 0:
            return match.start()
        if depth == 1 and mark == b",":
            return -1
    return -1
