"""Keeps blocks with the same layout but different names apart in SPIRV-Tools' linker.

The linker merges equal types and drops all names but the first's, so a host would see the second of two buffers under
the names of the first. A decoration distinguishes types with different names; it is removed after linking.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence

from cratewright import pattern

__all__ = ["with_names_apart", "without_marks"]

_HEADER = 5
_NAME, _MEMBER_NAME = 5, 6
# The member of HLSL's buffers: glslang gives all of one type the block of the first that is used.
_SHARED = b"@data\0"
_ARRAYS, _STRUCT, _POINTER, _FUNCTION = (28, 29), 30, 32, 54
_ANNOTATIONS = frozenset({71, 72, 73, 74, 75, 332, 5632, 5633})
# A stage has one block each of push constants, inputs and outputs, whatever its name in a unit.
_RESOURCES = frozenset({2, 12})
# A decoration that no shader has, MaxByteOffset, with a number of ours. The linker ignores string decorations.
_DECORATE, _MAX_BYTE_OFFSET = 4 << 16 | 71, 45
_OURS = 0x6D6E0000
_MARK = pattern(rb"\x47\x00\x04\x00....\x2d\x00\x00\x00..\x6e\x6d", re.S)


def with_names_apart(modules: Sequence[bytes]) -> list[bytes]:
    """Return modules in which structs of buffers differ if their names, or those of their members, do."""
    found = [_structs(data) for data in modules]
    numbers: dict[bytes, int] = {}
    for _, structs in found:
        for names in structs.values():
            numbers.setdefault(names, _OURS + len(numbers) % 0x10000)
    if len(numbers) < 2:
        return list(modules)
    return [_marked(data, at, structs, numbers) for data, (at, structs) in zip(modules, found, strict=True)]


def without_marks(data: bytes) -> bytes:
    """Return a linked module without these decorations."""
    parts: list[bytes] = []
    begin = 0
    for mark in _MARK.finditer(data):
        if mark.start() % 4 == 0:
            parts.append(data[begin : mark.start()])
            begin = mark.end()
    return b"".join([*parts, data[begin:]]) if parts else data


def _structs(data: bytes) -> tuple[int, dict[int, bytes]]:
    """Return the word at which a module's types begin, and the names of each struct that is in a buffer."""
    words = array("I", data)
    own: dict[int, bytes] = {}
    names: dict[int, list[bytes]] = {}
    inside: dict[int, Iterable[int]] = {}
    buffers: list[int] = []
    at, types, size = _HEADER, 0, len(words)
    while at < size:
        first = words[at]
        opcode, end = first & 0xFFFF, at + (first >> 16)
        if opcode == _NAME:
            own[words[at + 1]] = data[(at + 2) * 4 : end * 4]
        elif opcode == _MEMBER_NAME:
            names.setdefault(words[at + 1], []).append(data[(at + 2) * 4 : end * 4])
        elif opcode == _STRUCT:
            inside[words[at + 1]] = words[at + 2 : end]
        elif opcode in _ARRAYS:
            inside[words[at + 1]] = words[at + 2 : at + 3]
        elif opcode == _POINTER:
            if words[at + 2] in _RESOURCES:
                buffers.append(words[at + 3])
        elif opcode == _FUNCTION:
            break
        if not types and (opcode in _ANNOTATIONS or 19 <= opcode <= 33):
            types = at
        at = end
    structs: dict[int, bytes] = {}
    while buffers:
        each = buffers.pop()
        if each in inside and each not in structs:
            members = b"".join(names.get(each, ()))
            structs[each] = members if _SHARED in members else own.get(each, b"") + members
            buffers += inside[each]
    return types, {each: name for each, name in structs.items() if name}


def _marked(data: bytes, at: int, structs: dict[int, bytes], numbers: dict[bytes, int]) -> bytes:
    marks = array("I")
    for each, names in structs.items():
        marks.extend((_DECORATE, each, _MAX_BYTE_OFFSET, numbers[names]))
    return data[: at * 4] + marks.tobytes() + data[at * 4 :]
