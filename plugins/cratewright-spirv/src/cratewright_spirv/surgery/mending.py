"""Repairs mistakes of glslang and SPIRV-Tools' optimizer, and adds what images need.

Each repair first checks, by searching bytes, whether it applies.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from itertools import takewhile

from cratewright import pattern

from ..binary import opcodes as op
from ..binary.decorations import BUFFER_BLOCK
from ..binary.module import RESULTS

__all__ = ["mended", "needs_legalising", "volatile_once", "with_plain_copies", "without_names"]

_HEADER = 5
_COPY_LOGICAL_OPCODE = 400
_COPY_LOGICAL = pattern(rb"\x90\x01\x04\0")
_TYPE_INT, _TYPE_FLOAT, _TYPE_VECTOR, _TYPE_MATRIX = 21, 22, 23, 24
_TYPE_IMAGE, _TYPE_SAMPLER, _TYPE_SAMPLED_IMAGE = 25, 26, 27
_TYPE_RUNTIME_ARRAY, _TYPE_STRUCT, _TYPE_ACCELERATION = 29, 30, 5341
_INPUT, _UNIFORM, _OUTPUT, _FUNCTION_STORAGE, _PUSH, _STORAGE_BUFFER, _PHYSICAL = 1, 2, 3, 7, 9, 12, 5349
# The capability of a storage class by width; a uniform block needs the second of the two for buffers.
_CAPABILITIES = {
    16: {_STORAGE_BUFFER: 4433, _PHYSICAL: 4433, _UNIFORM: 4434, _PUSH: 4435, _INPUT: 4436, _OUTPUT: 4436},
    8: {_STORAGE_BUFFER: 4448, _PHYSICAL: 4448, _UNIFORM: 4449, _PUSH: 4450},
}
# Capabilities to strings and sources, in the order that the specification asks for.
_BEFORE_NAMES = frozenset({2, 3, 4, 7, 10, 11, 14, 15, 16, 17, 331})
_STORAGE = pattern(rb"\x11\0\x02\0(?:[\x51-\x54]|[\x60-\x62])\x11\0\0")
_EXTENSIONS = {16: b"SPV_KHR_16bit_storage", 8: b"SPV_KHR_8bit_storage"}
_RELAXED_DECORATION = pattern(rb"\x47\0\x03\0.{4}\0\0\0\0", re.S)
# glslang decorates `volatile` as `Coherent`, twice if it is `coherent` as well.
_VOLATILE = pattern(rb"\x47\0\x03\0.{4}\x15\0\0\0", re.S)
_VOLATILE_MEMBER = pattern(rb"\x48\0\x04\0.{8}\x15\0\0\0", re.S)
# Searching plain words one by one takes a third of the time of a pattern with alternatives.
_OPAQUE = [pattern(re.escape(word)) for word in (b"\x19\0\x09\0", b"\x19\0\x0a\0", b"\x1a\0\x02\0", b"\xdd\x14\x02\0")]


def volatile_once(data: bytes) -> bytes:
    """Return a compiler's module without duplicate decorations of volatile variables."""
    return _without_repeats(data) if _VOLATILE.search(data) or _VOLATILE_MEMBER.search(data) else data


def mended(before: bytes, after: bytes) -> bytes:
    """Return an optimized module with wrongly dropped capabilities, and without duplicates."""
    if _STORAGE.search(before):
        after = _with_storage(before, after)
    return _without_repeats(after) if _RELAXED_DECORATION.search(after) else after


def needs_legalising(data: bytes) -> bool:
    """Return whether a module copies textures or samplers into local variables, which Vulkan forbids."""
    if not any(word.search(data) for word in _OPAQUE):
        return False
    opaque: set[int] = set()
    for words in _preamble(data):
        opcode = words[0] & 0xFFFF
        if opcode in (_TYPE_IMAGE, _TYPE_SAMPLER, _TYPE_SAMPLED_IMAGE, _TYPE_ACCELERATION) or (
            opcode in (op.TYPE_ARRAY, _TYPE_RUNTIME_ARRAY, _TYPE_STRUCT) and not opaque.isdisjoint(_elements(words))
        ):
            opaque.add(words[1])
        elif opcode == op.TYPE_POINTER and words[2] == _FUNCTION_STORAGE and words[3] in opaque:
            return True
    return False


def with_plain_copies(data: bytes) -> bytes:
    """Return a module with plain copies between types that have become one."""
    if not _COPY_LOGICAL.search(data):
        return data
    words = array("I", data)
    types: dict[int, int] = {}
    at = _HEADER
    while at < len(words):
        opcode, length = words[at] & 0xFFFF, words[at] >> 16
        if RESULTS.get(opcode) == 2 and length > 2:
            types[words[at + 2]] = words[at + 1]
        if opcode == _COPY_LOGICAL_OPCODE and types.get(words[at + 3]) == words[at + 1]:
            words[at] = length << 16 | op.COPY_OBJECT
        at += length or len(words)
    return words.tobytes()


def without_names(data: bytes) -> bytes:
    """Return a module without debug names, which are contiguous."""
    words, at = array("I", data), _HEADER
    while at < len(words) and words[at] & 0xFFFF in _BEFORE_NAMES:
        at += words[at] >> 16
    end = at
    while end < len(words) and words[end] & 0xFFFF in (op.NAME, op.MEMBER_NAME):
        end += words[end] >> 16
    return data[: at * 4] + data[end * 4 :]


def _preamble(data: bytes) -> Iterator[array[int]]:
    words, at = array("I", data), _HEADER
    while at < len(words) and words[at] & 0xFFFF != op.FUNCTION:
        end = at + (words[at] >> 16)
        yield words[at:end]
        at = end


def _first(data: bytes) -> Iterator[array[int]]:
    """Yield the capabilities and extensions of a module, which come before everything else."""
    return takewhile(lambda words: words[0] & 0xFFFF in (op.CAPABILITY, op.EXTENSION), _preamble(data))


def _elements(words: array[int]) -> array[int]:
    """Return the types that an aggregate is made of."""
    return words[2:] if words[0] & 0xFFFF == _TYPE_STRUCT else words[2:3]


def _with_storage(before: bytes, after: bytes) -> bytes:
    """Restore capabilities for narrow types in memory that trimming dropped although the module has such types."""
    had, has = _stated(before), _stated(after)
    narrow: dict[int, set[int]] = {}
    buffers: set[int] = set()
    wanted: dict[int, int] = {}
    for words in _preamble(after):
        opcode = words[0] & 0xFFFF
        if opcode == op.DECORATE and words[2] == BUFFER_BLOCK:
            buffers.add(words[1])
        elif opcode in (_TYPE_INT, _TYPE_FLOAT) and words[2] in _CAPABILITIES:
            narrow[words[1]] = {words[2]}
        elif opcode in (op.TYPE_ARRAY, _TYPE_RUNTIME_ARRAY, _TYPE_STRUCT, _TYPE_VECTOR, _TYPE_MATRIX):
            widths = set[int]().union(*(narrow.get(each, ()) for each in _elements(words)))
            if widths:
                narrow[words[1]] = widths
            if words[2:] and words[2] in buffers and opcode != _TYPE_STRUCT:
                buffers.add(words[1])
        elif opcode == op.TYPE_POINTER:
            storage = _STORAGE_BUFFER if words[2] == _UNIFORM and words[3] in buffers else words[2]
            for width in narrow.get(words[3], ()):
                if storage in _CAPABILITIES[width]:
                    wanted[_CAPABILITIES[width][storage]] = width
    added = array("I")
    extensions: dict[bytes, array[int]] = {}
    for capability, width in sorted(wanted.items()):
        # The capability for uniforms covers buffers as well.
        if capability not in has and capability in had and not (capability in (4433, 4448) and capability + 1 in has):
            added += array("I", (2 << 16 | op.CAPABILITY, capability))
            extensions |= {name: words for name, words in _extensions(before).items() if name == _EXTENSIONS[width]}
    if not added:
        return after
    words = array("I", after)
    at = _HEADER
    while at < len(words) and words[at] & 0xFFFF == op.CAPABILITY:
        at += 2
    for name, instruction in extensions.items():
        if name not in _extensions(after):
            added += instruction
    return (words[:at] + added + words[at:]).tobytes()


def _stated(data: bytes) -> set[int]:
    return {words[1] for words in _first(data) if words[0] & 0xFFFF == op.CAPABILITY}


def _extensions(data: bytes) -> dict[bytes, array[int]]:
    found = (words for words in _first(data) if words[0] & 0xFFFF == op.EXTENSION)
    return {words[1:].tobytes().rstrip(b"\0"): words for words in found}


def _without_repeats(data: bytes) -> bytes:
    """Drop duplicate decorations: unrolling a loop copies them each time."""
    seen: set[tuple[int, ...]] = set()
    words, out, at = array("I", data), array("I"), _HEADER
    kept_from = 0
    while at < len(words) and words[at] & 0xFFFF != op.FUNCTION:
        end = at + (words[at] >> 16)
        if words[at] & 0xFFFF in (op.DECORATE, op.MEMBER_DECORATE):
            mark = tuple(words[at:end])
            if mark in seen:
                out += words[kept_from:at]
                kept_from = end
            seen.add(mark)
        at = end
    return (out + words[kept_from:]).tobytes() if kept_from else data
