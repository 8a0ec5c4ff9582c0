"""Where the time of one stage went: calls of backend methods and passes of optimizers, summed over all workers.

Times travel with results but are not stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from ..base.values import dataclass

_SHOWN = 15
_LEAST = 0.0005
"""Seconds; less would be shown as zero."""


@dataclass(frozen=True, slots=True)
class Timed:
    """The result of a call, and how long it and its passes took.

    Units: seconds of wall time.
    """

    value: object
    seconds: float
    passes: Mapping[str, float]


@dataclass(slots=True)
class Timings:
    """Sums over the calls of one stage; kept by the thread that runs the stage."""

    _calls: dict[str, tuple[int, float]] = field(default_factory=dict)
    _passes: dict[str, float] = field(default_factory=dict)

    def add(self, method: str, timed: Timed) -> None:
        """Count a call of a backend's method."""
        calls, seconds = self._calls.get(method, (0, 0.0))
        self._calls[method] = (calls + 1, seconds + timed.seconds)
        for name, spent in timed.passes.items():
            self._passes[name] = self._passes.get(name, 0.0) + spent

    def lines(self) -> list[str]:
        """Return a line for each method and for each of the slowest passes, slowest first."""
        calls = sorted(self._calls.items(), key=lambda item: -item[1][1])
        passes = sorted(self._passes.items(), key=lambda item: -item[1])
        lines = [
            f"{seconds:.3f} s in {count} call{'s' if count != 1 else ''} of {method}"
            for method, (count, seconds) in calls
        ]
        shown = [item for item in passes[:_SHOWN] if item[1] >= _LEAST]
        lines += [f"{seconds:.3f} s in pass {name}" for name, seconds in shown]
        rest = passes[len(shown) :]
        if rest:
            passes_word = "other pass" if len(rest) == 1 else "other passes"
            lines.append(f"{sum(seconds for _, seconds in rest):.3f} s in {len(rest)} {passes_word}")
        return lines
