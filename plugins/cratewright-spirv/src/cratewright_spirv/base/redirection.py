"""Redirects what C code prints, to nowhere or to a file."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def quiet() -> Iterator[None]:
    """Discard both outputs: for some bad sources a compiler prints thousands of lines."""
    with redirected(_nowhere(), 1, 2):
        yield


@contextmanager
def redirected(file: int, *outputs: int) -> Iterator[None]:
    """Redirect some outputs to a file."""
    saved = [(number, os.dup(number)) for number in outputs]
    for number in outputs:
        os.dup2(file, number)
    try:
        yield
    finally:
        _flush()(None)
        for number, copy in saved:
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
