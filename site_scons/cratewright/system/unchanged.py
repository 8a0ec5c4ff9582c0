"""Repeats work on files that were saved while it ran."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from ..base.errors import ToolError
from ..base.host import WINDOWS

_T = TypeVar("_T")

_TICK_NS = 10_000_000
"""How far the clock of file stamps may be behind that of processes."""
_ATTEMPTS = 3


def changed_ns(found: os.stat_result) -> int:
    """Return when a file was last changed.

    Shape: by the system's clock, since users and archives set a modification time at will.
    Units: nanoseconds.
    """
    return found.st_mtime_ns if WINDOWS else found.st_ctime_ns


def repeat_if_changed(make: Callable[[], tuple[_T, int]], message: str) -> _T:
    """Return the result of `make`, called again if a file that it read has changed meanwhile.

    A program reads files, and its caller reads them again for their digests: both must have seen the same content.

    Shape: `make` also returns when, as by `changed_ns`, the newest file changed of those that it read, or would have
    read had they existed.
    Units: nanoseconds.
    Raises: ToolError with the message if they keep changing; as `make`.
    """
    for _ in range(_ATTEMPTS):
        started = time.time_ns() - _TICK_NS
        made, newest = make()
        if newest < started:
            return made
        time.sleep(_TICK_NS / 1e9)  # else an unchanged file would seem to have changed again
    raise ToolError(message, hint="build again once they are written")
