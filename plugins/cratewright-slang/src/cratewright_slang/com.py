"""Objects behind tables of functions, as Slang's interfaces are: called, released, and made for it to call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

__all__ = ["Files", "Object", "blob_bytes"]

_POINTER = ctypes.sizeof(ctypes.c_void_p)
_RELEASE = 2
_BLOB_POINTER, _BLOB_SIZE = 3, 4
_OK, _NO_INTERFACE, _NOT_FOUND = 0, -0x7FFF_BFFE, -0x7DFF_FFFB


class Object:
    """A pointer that counts its references, one of which is ours.

    Shape: functions are known by their place in the table, those of the interfaces below it first.
    """

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer

    def call(self, at: int, result: Any, types: tuple[Any, ...], *arguments: Any) -> Any:
        """Call the function at a place of the table."""
        return _function(self.pointer, at, result, types)(self.pointer, *arguments)

    def release(self) -> None:
        """Give up our reference."""
        if self.pointer:
            self.call(_RELEASE, ctypes.c_uint32, ())
            self.pointer = 0


def _function(pointer: int, at: int, result: Any, types: tuple[Any, ...]) -> Any:
    table = ctypes.c_void_p.from_address(pointer).value or 0
    address = ctypes.c_void_p.from_address(table + at * _POINTER).value
    return ctypes.CFUNCTYPE(result, ctypes.c_void_p, *types)(address or 0)


def blob_bytes(pointer: int | None) -> bytes:
    """Return what is in a blob, which is released."""
    if not pointer:
        return b""
    blob = Object(pointer)
    size = blob.call(_BLOB_SIZE, ctypes.c_size_t, ())
    data = ctypes.string_at(blob.call(_BLOB_POINTER, ctypes.c_void_p, ()), size) if size else b""
    blob.release()
    return data


_QUERY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
_COUNT = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)
_CAST = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_LOAD = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p))

# ISlangUnknown, ISlangCastable and ISlangFileSystem.
_KNOWN = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000c000000000000046",
        "e1e0ed875248b0448bf2cb31874de239",
        "fc093a004d3aa04bad601fd863a915ab",
    )
)


class Files:
    """A file system for Slang to read from: one function that gives the bytes of a path, or None."""

    def __init__(self, read: Callable[[str], bytes | None], blob: Callable[[bytes], int]) -> None:
        self._read, self._blob = read, blob
        self._functions = (_QUERY(self._query), _COUNT(_one), _COUNT(_one), _CAST(self._cast), _LOAD(self._load))
        addresses = [ctypes.cast(function, ctypes.c_void_p).value for function in self._functions]
        self._table = (ctypes.c_void_p * len(addresses))(*addresses)
        self._object = ctypes.c_void_p(ctypes.addressof(self._table))
        self.pointer = ctypes.addressof(self._object)

    def _query(self, _this: int, wanted: int, out: Any) -> int:
        found = self._cast(_this, wanted)
        out[0] = found
        return _OK if found else _NO_INTERFACE

    def _cast(self, _this: int, wanted: int) -> int | None:
        return self.pointer if ctypes.string_at(wanted, 16) in _KNOWN else None

    def _load(self, _this: int, path: bytes, out: Any) -> int:
        data = self._read(path.decode(errors="replace"))
        if data is None:
            return _NOT_FOUND
        out[0] = self._blob(data)
        return _OK


def _one(_this: int) -> int:
    return 1
