"""What C code prints, sent to nowhere."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

__all__ = ["quiet"]


@contextmanager
def quiet() -> Iterator[None]:
    """Let nothing through to either output: for some bad sources a compiler prints thousands of lines."""
    saved = os.dup(1), os.dup(2)
    os.dup2(_nowhere(), 1)
    os.dup2(_nowhere(), 2)
    try:
        yield
    finally:
        _flush()(None)
        for number, copy in enumerate(saved, 1):
            os.dup2(copy, number)
            os.close(copy)


@cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY | getattr(os, "O_CLOEXEC", 0))


@cache
def _flush() -> Callable[[None], int]:
    function = ctypes.CDLL(None).fflush
    function.restype, function.argtypes = ctypes.c_int, (ctypes.c_void_p,)
    return function
