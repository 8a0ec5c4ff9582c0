"""Time limits that tell a hang from a busy machine: generous, and of CPU time where possible."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["HANG", "cpu_below", "ends", "until"]

HANG = 120.0
"""Seconds after which something counts as hanging; nothing that works takes so long."""


@contextmanager
def cpu_below(seconds: float) -> Iterator[None]:
    """Fail if this process uses more CPU time than `seconds`."""
    start = time.process_time()
    yield
    took = time.process_time() - start
    assert took < seconds, f"it used {took:.1f} s of CPU time"


@contextmanager
def ends(seconds: float = HANG / 4) -> Iterator[None]:
    """Fail if the block takes longer than `seconds`; a bug must make it wait longer still."""
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert took < seconds, f"it took {took:.1f} s"


def until(true: Callable[[], object], seconds: float = HANG) -> None:
    """Wait until `true()` is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{true} never happened"
        time.sleep(0.01)
