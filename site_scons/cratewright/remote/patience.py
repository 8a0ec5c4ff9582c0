"""Limits how long a build waits for a server in total.

Arriving data pay for part of a wait. The rest is taken from one budget for the whole build, so that a slow server costs
a bounded time.
"""

from __future__ import annotations

import threading
import time

from ..system.child import check_ended

RATE = 256 << 10
"""Bytes a second at which waiting for a transfer pays off."""
_FREE = 0.1
"""Seconds that a single exchange may take without progress."""
_EACH = 0.05
"""Seconds that one answer is worth."""


class Wait:
    """A limited wait, extended by data that arrive meanwhile.

    Units: `seconds` at most, if nothing comes.
    """

    def __init__(self, seconds: float, most: float = float("inf")) -> None:
        self._start = self._last = time.monotonic()
        self._seconds = seconds
        self._most = most
        self._vain = 0.0
        self._lock = threading.Lock()

    def came(self, size: int, answers: int = 0) -> None:
        """Count bytes and whole answers that arrived or were accepted by the server; credit does not accumulate."""
        with self._lock:
            now = time.monotonic()
            self._vain = max(0.0, self._vain + now - self._last - size / RATE - answers * _EACH)
            self._last = now

    @property
    def left(self) -> float:
        """The seconds that remain, 0 if it is over.

        Raises: Interrupted if the build has been ended.
        """
        check_ended()
        now = time.monotonic()
        return max(0.0, min(self._seconds - self._vain - (now - self._last), self._most - (now - self._start)))

    @property
    def cost(self) -> float:
        """Seconds waited in vain; negative if the server was faster than expected."""
        return self._vain + time.monotonic() - self._last - _FREE


class Patience:
    """The rest of a build's waiting budget for a server."""

    def __init__(self, seconds: float) -> None:
        self._most = self._left = seconds
        self._lock = threading.Lock()

    def wait(self) -> Wait:
        """Return a wait that may take the whole rest."""
        return Wait(self._left)

    def paid(self, wait: Wait) -> bool:
        """Charge a finished wait; return whether any budget remains."""
        with self._lock:
            self._left = min(self._most, self._left - wait.cost)
            return self._left > 0
