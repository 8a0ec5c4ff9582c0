"""Keeps blocks with the same layout but different names apart in SPIRV-Tools' linker.

The linker merges equal types and drops all names but the first's, so a host would see the second of two buffers under
the names of the first. A decoration distinguishes types with different names; it is removed after linking.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Sequence

from cratewright import pattern

from ..binary import opcodes as op
from ..binary.enumerants import MAX_BYTE_OFFSET, PUSH_CONSTANT, STORAGE_BUFFER, UNIFORM
from ..binary.module import HEADER_WORDS, build

# The member of HLSL's buffers: glslang gives all of one type the block of the first that is used.
_SHARED = b"@data\0"
_ARRAYS = (op.TYPE_ARRAY, op.TYPE_RUNTIME_ARRAY)
_ANNOTATIONS = frozenset(
    {
        *(op.DECORATE, op.MEMBER_DECORATE, op.DECORATION_GROUP, op.GROUP_DECORATE, op.GROUP_MEMBER_DECORATE),
        *(op.DECORATE_ID, op.DECORATE_STRING, op.MEMBER_DECORATE_STRING),
    }
)
# A stage has one block each of push constants, inputs and outputs, whatever its name in a unit.
_RESOURCES = frozenset({UNIFORM, STORAGE_BUFFER})
# A decoration that no shader has, MaxByteOffset, with a number of ours. The linker ignores string decorations.
_OURS = 0x6D6E0000
_MARK = pattern(rb"\x47\x00\x04\x00....\x2d\x00\x00\x00..\x6e\x6d", re.S)


def with_names_apart(modules: Sequence[bytes], *, push_constants: bool) -> list[bytes]:
    """Return modules in which structs of buffers differ if their names, or those of their members, do.

    Shape: so do those of `push_constants`, which is for modules in which no entry point has them under several names.
    """
    classes = _RESOURCES | {PUSH_CONSTANT} if push_constants else _RESOURCES
    found = [_structs(data, classes) for data in modules]
    numbers: dict[bytes, int] = {}
    for _, structs in found:
        for names in structs.values():
            numbers.setdefault(names, _OURS + len(numbers) % 0x10000)
    if len(numbers) < 2:
        return list(modules)
    return [_marked(data, at, structs, numbers) for data, (at, structs) in zip(modules, found, strict=True)]


def push_constant_names(data: bytes) -> bytes:
    """Return the names of a module's push constants, of their structs and members; nothing if it has none."""
    return b"".join(sorted(_structs(data, (PUSH_CONSTANT,))[1].values()))


def without_marks(data: bytes) -> bytes:
    """Return a linked module without these decorations."""
    parts: list[bytes] = []
    begin = 0
    for mark in _MARK.finditer(data):
        if mark.start() % 4 == 0:
            parts.append(data[begin : mark.start()])
            begin = mark.end()
    return b"".join([*parts, data[begin:]]) if parts else data


def _structs(data: bytes, classes: Collection[int]) -> tuple[int, dict[int, bytes]]:
    """Return the word at which a module's types begin, and the names of each struct in these storage classes."""
    words = array("I", data)
    own: dict[int, bytes] = {}
    names: dict[int, list[bytes]] = {}
    inside: dict[int, Iterable[int]] = {}
    buffers: list[int] = []
    at, types, size = HEADER_WORDS, 0, len(words)
    while at < size:
        first = words[at]
        opcode, end = first & 0xFFFF, at + (first >> 16)
        if opcode == op.NAME:
            own[words[at + 1]] = data[(at + 2) * 4 : end * 4]
        elif opcode == op.MEMBER_NAME:
            names.setdefault(words[at + 1], []).append(data[(at + 2) * 4 : end * 4])
        elif opcode == op.TYPE_STRUCT:
            inside[words[at + 1]] = words[at + 2 : end]
        elif opcode in _ARRAYS:
            inside[words[at + 1]] = words[at + 2 : at + 3]
        elif opcode == op.TYPE_POINTER:
            if words[at + 2] in classes:
                buffers.append(words[at + 3])
        elif opcode == op.FUNCTION:
            break
        if not types and (opcode in _ANNOTATIONS or op.TYPE_VOID <= opcode <= op.TYPE_FUNCTION):
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
        marks.extend(build(op.DECORATE, each, MAX_BYTE_OFFSET, numbers[names]))
    return data[: at * 4] + marks.tobytes() + data[at * 4 :]
