"""COM objects, which Slang's interfaces are: calling them, releasing them, and implementing them for Slang to call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

OK = 0

_POINTER = ctypes.sizeof(ctypes.c_void_p)
_RELEASE = 2
_BLOB_POINTER, _BLOB_SIZE = 3, 4


class Object:
    """A reference-counted pointer, with one reference of ours.

    Shape: functions are known by their index in the table, base interfaces first.
    """

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer

    def call(self, at: int, result: Any, types: tuple[Any, ...], *arguments: Any) -> Any:
        """Call the function at an index of the table."""
        return _function(self.pointer, at, result, types)(self.pointer, *arguments)

    def release(self) -> None:
        if self.pointer:
            self.call(_RELEASE, ctypes.c_uint32, ())
            self.pointer = 0


def _function(pointer: int, at: int, result: Any, types: tuple[Any, ...]) -> Any:
    table = ctypes.c_void_p.from_address(pointer).value or 0
    address = ctypes.c_void_p.from_address(table + at * _POINTER).value
    return ctypes.CFUNCTYPE(result, ctypes.c_void_p, *types)(address or 0)


def blob_bytes(pointer: int | None) -> bytes:
    """Return the content of a blob, and release it."""
    if not pointer:
        return b""
    blob = Object(pointer)
    size = blob.call(_BLOB_SIZE, ctypes.c_size_t, ())
    data = ctypes.string_at(blob.call(_BLOB_POINTER, ctypes.c_void_p, ()), size) if size else b""
    blob.release()
    return data


class Table:
    """An object for Slang to call: functions, each with its result type and its arguments after the object."""

    def __init__(self, *functions: tuple[Any, tuple[Any, ...], Callable[..., Any]]) -> None:
        self._functions = [
            ctypes.CFUNCTYPE(result, ctypes.c_void_p, *types)(function) for result, types, function in functions
        ]
        addresses = [ctypes.cast(function, ctypes.c_void_p).value for function in self._functions]
        self._table = (ctypes.c_void_p * len(addresses))(*addresses)
        self._object = ctypes.c_void_p(ctypes.addressof(self._table))
        self.pointer = ctypes.addressof(self._object)
