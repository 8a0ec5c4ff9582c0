"""Decides when another worker is worth its start.

While a worker starts, the others go on working. The number of workers may double each time that a build has lasted as
long as a start takes: a short build starts few, and a long one loses little.
"""

from __future__ import annotations

import time


class Pace:
    """The limit of workers, at first `first`. Not thread-safe."""

    def __init__(self, first: int) -> None:
        self._most = first
        self._cost: float | None = None
        self._since = 0.0

    def ready(self, seconds: float) -> None:
        """Record that a worker became ready, and how long that took."""
        if self._cost is None:
            self._cost, self._since = seconds, time.monotonic()

    def allows(self, count: int) -> bool:
        """Return whether so many workers may exist now."""
        if count > self._most and self._cost is not None and time.monotonic() - self._since >= self._cost:
            self._most, self._since = 2 * self._most, time.monotonic()
        return count <= self._most
