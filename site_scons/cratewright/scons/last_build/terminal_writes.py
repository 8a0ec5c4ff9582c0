"""Notices when anything writes to the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["listen"]


class _Heard:
    """A stream that reports when it is written to; otherwise the stream itself."""

    def __init__(self, stream: Any, tell: Callable[[], None]) -> None:
        self._stream = stream
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> Any:
        """Write, and report it."""
        if text:
            self._tell()
        return self._stream.write(text)


def listen(tell: Callable[[], None]) -> None:
    """Have `tell` called on any output from now on."""
    sys.stdout, sys.stderr = _Heard(sys.stdout, tell), _Heard(sys.stderr, tell)
