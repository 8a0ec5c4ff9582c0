"""Bounds on time that tell a hang or a runaway from a machine that is busy: generous, and of CPU where that can be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["HANG", "cpu_below", "ends", "until"]

HANG = 120.0
"""Seconds after which what does not end by itself counts as hanging; nothing waits so long that is right."""


@contextmanager
def cpu_below(seconds: float) -> Iterator[None]:
    """Fail if this process spends more time computing than that, whatever else the machine does."""
    start = time.process_time()
    yield
    took = time.process_time() - start
    assert took < seconds, f"it computed for {took:.1f} s"


@contextmanager
def ends(seconds: float = HANG / 4) -> Iterator[None]:
    """Fail if it takes so long; what it would wait for if it were wrong has to be longer still."""
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert took < seconds, f"it took {took:.1f} s"


def until(true: Callable[[], object], seconds: float = HANG) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{true} never happened"
        time.sleep(0.01)
