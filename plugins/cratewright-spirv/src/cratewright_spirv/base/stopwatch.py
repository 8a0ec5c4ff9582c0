"""The time taken by steps of this package; nested steps count once.

Disabled by default, when a step costs one check of a variable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from functools import wraps
from time import perf_counter
from typing import ParamSpec, TypeVar

from cratewright import dataclass

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class Stopwatch:
    """Sums of one process, in which one step runs at a time.

    Units: seconds of wall time.
    """

    running: bool = False
    _seconds: dict[str, float] = field(default_factory=dict)
    _inner: list[float] = field(default_factory=list)

    def take(self) -> dict[str, float]:
        """Return the sums, and start anew."""
        seconds, self._seconds = self._seconds, {}
        return seconds

    def time(self, name: str, run: Callable[[], R]) -> R:
        """Run a step and count its own time."""
        self._inner.append(0.0)
        started = perf_counter()
        try:
            return run()
        finally:
            spent = perf_counter() - started
            self._seconds[name] = self._seconds.get(name, 0.0) + spent - self._inner.pop()
            if self._inner:
                self._inner[-1] += spent


STOPWATCH = Stopwatch()
"""The stopwatch of this process."""


def step(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a step."""

    def timed(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            if not STOPWATCH.running:
                return function(*args, **kwargs)
            return STOPWATCH.time(name, lambda: function(*args, **kwargs))

        return run

    return timed
