"""The file system that Slang reads from: a project's files below a virtual root.

Slang writes the absolute paths of files on disk into modules. Below this root it finds no such paths, so it uses the
names given here, and the same sources give the same module wherever the project is. Files beside the project lie below
roots of their own, one for each number of steps up.
"""

from __future__ import annotations

import ctypes
import posixpath
import re
from collections.abc import Callable
from typing import Any

from .com import OK, Table

ROOT = "/dev/null/"
"""Below something that is not a directory there are no files; the next word counts the steps up."""

_UP = "../"
_INSIDE = re.compile(rf"{ROOT}(\d+)/?")

_NO_INTERFACE, _NOT_FOUND, _NOT_IMPLEMENTED = -0x7FFF_BFFE, -0x7DFF_FFFB, -0x7FFF_BFFF
_FILE = 1

# ISlangUnknown, ISlangCastable, ISlangFileSystem and ISlangFileSystemExt.
_KNOWN = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000c000000000000046",
        "e1e0ed875248b0448bf2cb31874de239",
        "fc093a004d3aa04bad601fd863a915ab",
        "d232b65f9d9781449fee663c3f1449e1",
    )
)

_I32, _U32, _TEXT, _PTR = ctypes.c_int32, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_void_p
_OUT = ctypes.POINTER(ctypes.c_void_p)


def inside(path: str) -> str:
    """Return Slang's name for a project path; absolute paths stay the same."""
    path = posixpath.normpath(path)
    if posixpath.isabs(path):
        return path
    steps = 0
    while path == ".." or path.startswith(_UP):
        steps, path = steps + 1, path[len(_UP) :] or "."
    return f"{ROOT}{steps}/{path}"


def outside(path: str) -> str:
    """Return the project path of a Slang path."""
    return posixpath.normpath(with_names_outside(path))


def with_names_outside(text: str) -> str:
    """Return a text with project paths instead of Slang's."""
    return _INSIDE.sub(lambda match: _UP * int(match[1]), text)


class ProjectFileSystem:
    """Files for Slang: one function returns the bytes of a path, or None, and is called once for each.

    Shape: files are equal if they have the same path, and there are no directories.
    """

    def __init__(self, read: Callable[[str], bytes | None], blob: Callable[[bytes], int]) -> None:
        self._read, self._blob = read, blob
        self._contents: dict[str, bytes | None] = {}
        self._table = Table(
            (_I32, (_PTR, _OUT), self._query),
            (_U32, (), _one),
            (_U32, (), _one),
            (_PTR, (_PTR,), self._cast),
            (_I32, (_TEXT, _OUT), self._load),
            (_I32, (_TEXT, _OUT), self._same_path),
            (_I32, (_U32, _TEXT, _TEXT, _OUT), self._combined),
            (_I32, (_TEXT, ctypes.POINTER(_U32)), self._kind),
            (_I32, (_I32, _TEXT, _OUT), self._path),
            (None, (), _nothing),
            (_I32, (_TEXT, _PTR, _PTR), _cannot),
            (ctypes.c_uint8, (), _nowhere),
        )
        self.pointer = self._table.pointer

    def _query(self, _this: int, wanted: int, out: Any) -> int:
        found = self._cast(_this, wanted)
        out[0] = found
        return OK if found else _NO_INTERFACE

    def _cast(self, _this: int, wanted: int) -> int | None:
        return self.pointer if ctypes.string_at(wanted, 16) in _KNOWN else None

    def _content(self, path: bytes) -> bytes | None:
        name = _outside(path)
        if name not in self._contents:
            self._contents[name] = self._read(name)
        return self._contents[name]

    def _load(self, _this: int, path: bytes, out: Any) -> int:
        data = self._content(path)
        return _NOT_FOUND if data is None else self._give(out, data)

    def _kind(self, _this: int, path: bytes, out: Any) -> int:
        if self._content(path) is None:
            return _NOT_FOUND
        out[0] = _FILE
        return OK

    def _combined(self, _this: int, kind: int, whence: bytes, path: bytes, out: Any) -> int:
        start = _outside(whence)
        return self._name(out, posixpath.join(posixpath.dirname(start) if kind == _FILE else start, path.decode()))

    def _same_path(self, _this: int, path: bytes, out: Any) -> int:
        return self._name(out, _outside(path))

    def _path(self, _this: int, _kind: int, path: bytes, out: Any) -> int:
        return self._name(out, _outside(path))

    def _name(self, out: Any, path: str) -> int:
        return self._give(out, inside(path).encode() + b"\0")

    def _give(self, out: Any, data: bytes) -> int:
        out[0] = self._blob(data)
        return OK


def _outside(path: bytes) -> str:
    return outside(path.decode(errors="replace"))


def _one(_this: int) -> int:
    return 1


def _nothing(_this: int) -> None:
    return None


def _nowhere(_this: int) -> int:
    return 0


def _cannot(_this: int, _path: bytes, _function: int, _data: int) -> int:
    return _NOT_IMPLEMENTED
