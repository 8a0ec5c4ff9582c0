"""Line information put into the form that survives SPIRV-Tools' linker.

The linker gives new ids to instructions, but not to the line information attached to them: references to files go
astray, and scopes with them. So the ids of files are moved ahead by as much as the linker will move the files, and what
NonSemantic.Shader.DebugInfo says of lines in bodies is said by OpLine.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

__all__ = ["lines_for_linker", "without_debug_info"]

_HEADER, _BOUND = 5, 3
_STRING, _LINE, _EXTENDED_IMPORT, _EXTENDED, _CONSTANT, _FUNCTION, _NO_LINE = 7, 8, 11, 12, 43, 54, 317
_SCOPE, _NO_SCOPE, _SOURCE, _DEBUG_LINE, _DEBUG_NO_LINE = 23, 24, 35, 103, 104
_EXTENSION = 10
_NON_SEMANTIC = b"SPV_KHR_non_semantic_info"
_SET_NAME = b"NonSemantic.Shader.DebugInfo"


def lines_for_linker(modules: Sequence[bytes]) -> list[bytes]:
    """Return the modules, in the order in which they will be linked, with lines that stay right."""
    result: list[bytes] = []
    offset = 0
    for data in modules:
        result.append(_moved(data, offset) if len(modules) > 1 else data)
        # What the linker adds to the ids of the next module.
        offset += int.from_bytes(data[_BOUND * 4 : _BOUND * 4 + 4], "little") - 1
    return result


def without_debug_info(data: bytes) -> bytes:
    """Return a module without NonSemantic.Shader.DebugInfo and lines, if it has such: one of its units had it made."""
    if _SET_NAME not in data:
        return data
    words = array("I", data)
    out = words[:_HEADER]
    sets: set[int] = set()
    others = data.count(b"NonSemantic.") > data.count(_SET_NAME)
    at = _HEADER
    while at < len(words):
        op, end = words[at] & 0xFFFF, at + (words[at] >> 16)
        if op == _EXTENDED_IMPORT and data.startswith(_SET_NAME, (at + 2) * 4):
            sets.add(words[at + 1])
        elif not (
            (op == _EXTENDED and words[at + 3] in sets)
            or op in (_LINE, _NO_LINE)
            or (op == _EXTENSION and not others and data.startswith(_NON_SEMANTIC, (at + 1) * 4))
        ):
            out += words[at:end]
        at = end
    return out.tobytes()


def _moved(data: bytes, offset: int) -> bytes:
    words = array("I", data)
    out = words[:_HEADER]
    sets: set[int] = set()
    files: dict[int, int] = {}
    constants: dict[int, int] = {}
    strings = in_body = False
    at = _HEADER
    while at < len(words):
        op, end = words[at] & 0xFFFF, at + (words[at] >> 16)
        keep = True
        if op == _FUNCTION:
            if not strings:
                return data
            in_body = True
        elif op == _STRING:
            strings = True
        elif op == _EXTENDED_IMPORT and data.startswith(_SET_NAME, (at + 2) * 4):
            sets.add(words[at + 1])
        elif op == _CONSTANT:
            constants[words[at + 2]] = words[at + 3]
        elif op == _LINE:
            out += array("I", (words[at], words[at + 1] + offset, words[at + 2], words[at + 3]))
            keep = False
        elif op == _EXTENDED and words[at + 3] in sets:
            kind = words[at + 4]
            if kind == _SOURCE:
                files[words[at + 2]] = words[at + 5]
            elif kind == _DEBUG_LINE:
                file, line, column = files[words[at + 5]], constants[words[at + 6]], constants[words[at + 8]]
                out += array("I", (4 << 16 | _LINE, file + offset, line, column))
            elif kind == _DEBUG_NO_LINE:
                out.append(1 << 16 | _NO_LINE)
            keep = not (in_body and kind in (_SCOPE, _NO_SCOPE, _DEBUG_LINE, _DEBUG_NO_LINE))
        if keep:
            out += words[at:end]
        at = end
    return out.tobytes()
