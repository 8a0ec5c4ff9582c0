"""Repairs mistakes of glslang and SPIRV-Tools' optimizer, and adds what images need.

Each repair first checks, by searching bytes, whether it applies.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from itertools import takewhile

from cratewright import pattern

from ..binary import enumerants as spv
from ..binary import opcodes as op
from ..binary.module import HEADER_WORDS
from ..binary.operands import RESULTS
from ..binary.program import BEFORE_NAMES

_COPY_LOGICAL = pattern(rb"\x90\x01\x04\0")
_OPAQUE_TYPES = frozenset({op.TYPE_IMAGE, op.TYPE_SAMPLER, op.TYPE_SAMPLED_IMAGE, op.TYPE_ACCELERATION_STRUCTURE_KHR})
_AGGREGATES = frozenset({op.TYPE_ARRAY, op.TYPE_RUNTIME_ARRAY, op.TYPE_STRUCT})
# The capability of a storage class by width; a uniform block needs the second of the two for buffers.
_CAPABILITIES = {
    16: {
        spv.STORAGE_BUFFER: spv.STORAGE_BUFFER16_BIT_ACCESS,
        spv.PHYSICAL_STORAGE_BUFFER: spv.STORAGE_BUFFER16_BIT_ACCESS,
        spv.UNIFORM: spv.UNIFORM_AND_STORAGE_BUFFER16_BIT_ACCESS,
        spv.PUSH_CONSTANT: spv.STORAGE_PUSH_CONSTANT16,
        spv.INPUT: spv.STORAGE_INPUT_OUTPUT16,
        spv.OUTPUT: spv.STORAGE_INPUT_OUTPUT16,
    },
    8: {
        spv.STORAGE_BUFFER: spv.STORAGE_BUFFER8_BIT_ACCESS,
        spv.PHYSICAL_STORAGE_BUFFER: spv.STORAGE_BUFFER8_BIT_ACCESS,
        spv.UNIFORM: spv.UNIFORM_AND_STORAGE_BUFFER8_BIT_ACCESS,
        spv.PUSH_CONSTANT: spv.STORAGE_PUSH_CONSTANT8,
    },
}
# The capability for uniforms covers buffers as well.
_COVERED_BY = {
    spv.STORAGE_BUFFER16_BIT_ACCESS: spv.UNIFORM_AND_STORAGE_BUFFER16_BIT_ACCESS,
    spv.STORAGE_BUFFER8_BIT_ACCESS: spv.UNIFORM_AND_STORAGE_BUFFER8_BIT_ACCESS,
}
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


def repair_optimized(before: bytes, after: bytes) -> bytes:
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
        if opcode in _OPAQUE_TYPES or (opcode in _AGGREGATES and not opaque.isdisjoint(_elements(words))):
            opaque.add(words[1])
        elif opcode == op.TYPE_POINTER and words[2] == spv.FUNCTION_STORAGE and words[3] in opaque:
            return True
    return False


def with_plain_copies(data: bytes) -> bytes:
    """Return a module with plain copies between types that have become one."""
    if not _COPY_LOGICAL.search(data):
        return data
    words = array("I", data)
    types: dict[int, int] = {}
    at = HEADER_WORDS
    while at < len(words):
        opcode, length = words[at] & 0xFFFF, words[at] >> 16
        if RESULTS.get(opcode) == 2 and length > 2:
            types[words[at + 2]] = words[at + 1]
        if opcode == op.COPY_LOGICAL and types.get(words[at + 3]) == words[at + 1]:
            words[at] = length << 16 | op.COPY_OBJECT
        at += length or len(words)
    return words.tobytes()


def without_names(data: bytes) -> bytes:
    """Return a module without debug names, which are contiguous."""
    words, at = array("I", data), HEADER_WORDS
    while at < len(words) and words[at] & 0xFFFF in BEFORE_NAMES:
        at += words[at] >> 16
    end = at
    while end < len(words) and words[end] & 0xFFFF in (op.NAME, op.MEMBER_NAME):
        end += words[end] >> 16
    return data[: at * 4] + data[end * 4 :]


def _preamble(data: bytes) -> Iterator[array[int]]:
    words, at = array("I", data), HEADER_WORDS
    while at < len(words) and words[at] & 0xFFFF != op.FUNCTION:
        end = at + (words[at] >> 16)
        yield words[at:end]
        at = end


def _first(data: bytes) -> Iterator[array[int]]:
    """Yield the capabilities and extensions of a module, which come before everything else."""
    return takewhile(lambda words: words[0] & 0xFFFF in (op.CAPABILITY, op.EXTENSION), _preamble(data))


def _elements(words: array[int]) -> array[int]:
    """Return the types that an aggregate is made of."""
    return words[2:] if words[0] & 0xFFFF == op.TYPE_STRUCT else words[2:3]


def _with_storage(before: bytes, after: bytes) -> bytes:
    """Restore capabilities for narrow types in memory that trimming dropped although the module has such types."""
    had, has = _stated(before), _stated(after)
    narrow: dict[int, set[int]] = {}
    buffers: set[int] = set()
    wanted: dict[int, int] = {}
    for words in _preamble(after):
        opcode = words[0] & 0xFFFF
        if opcode == op.DECORATE and words[2] == spv.BUFFER_BLOCK:
            buffers.add(words[1])
        elif opcode in (op.TYPE_INT, op.TYPE_FLOAT) and words[2] in _CAPABILITIES:
            narrow[words[1]] = {words[2]}
        elif opcode in _AGGREGATES or opcode in (op.TYPE_VECTOR, op.TYPE_MATRIX):
            widths = set[int]().union(*(narrow.get(each, ()) for each in _elements(words)))
            if widths:
                narrow[words[1]] = widths
            if words[2:] and words[2] in buffers and opcode != op.TYPE_STRUCT:
                buffers.add(words[1])
        elif opcode == op.TYPE_POINTER:
            storage = spv.STORAGE_BUFFER if words[2] == spv.UNIFORM and words[3] in buffers else words[2]
            for width in narrow.get(words[3], ()):
                if storage in _CAPABILITIES[width]:
                    wanted[_CAPABILITIES[width][storage]] = width
    added = array("I")
    extensions: dict[bytes, array[int]] = {}
    for capability, width in sorted(wanted.items()):
        if capability in had and capability not in has and _COVERED_BY.get(capability) not in has:
            added += array("I", (2 << 16 | op.CAPABILITY, capability))
            extensions |= {name: words for name, words in _extensions(before).items() if name == _EXTENSIONS[width]}
    if not added:
        return after
    words = array("I", after)
    at = HEADER_WORDS
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
    words, out, at = array("I", data), array("I"), HEADER_WORDS
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
