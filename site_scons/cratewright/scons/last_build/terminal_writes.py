"""Notices when anything writes to the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


class _WatchedStream:
    """A stream that reports each write, and otherwise behaves as the original."""

    def __init__(self, stream: Any, report: Callable[[], None]) -> None:
        self._stream = stream
        self._report = report

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> Any:
        """Report the write, and write."""
        if text:
            self._report()
        return self._stream.write(text)


def listen(report: Callable[[], None]) -> None:
    """Call `report` on any output from now on."""
    sys.stdout, sys.stderr = _WatchedStream(sys.stdout, report), _WatchedStream(sys.stderr, report)
