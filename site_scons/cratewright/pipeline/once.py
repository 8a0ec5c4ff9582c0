"""Answers that several stages need, each computed once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import field
from typing import TypeVar, cast

from ..base.values import dataclass

_Answer = TypeVar("_Answer")

_MOST = 8
"""How many answers are remembered: they may be large."""


@dataclass(slots=True)
class _Shared:
    """One answer, and the lock of the thread computing it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: object = None
    known: bool = False


class AnswersOnce:
    """Answers by question; only the latest are remembered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: dict[str, _Shared] = {}

    def once(self, question: str, answer: Callable[[], _Answer]) -> tuple[_Answer, bool]:
        """Return the answer to a question that threads may ask concurrently, and whether this call computed it."""
        with self._lock:
            shared = self._shared.pop(question, None) or _Shared()
            self._shared[question] = shared
            for oldest in list(self._shared)[:-_MOST]:
                del self._shared[oldest]
        with shared.lock:
            fresh = not shared.known
            if fresh:
                shared.value = answer()
                shared.known = True
            return cast("_Answer", shared.value), fresh
