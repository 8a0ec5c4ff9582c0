"""One piece of work for a backend, and what became of it.

Knows nothing of workers or caches.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..cache.entry import Result
from ..errors import CratewrightError

__all__ = ["Job", "JobOutcome"]


@dataclass(frozen=True, slots=True)
class Job:
    """One call of a backend's method on one value, and the name it has in messages.

    Shape: `canonical` names a method of the backend that takes the same value and returns a `CanonicalForm`; it is
    asked only if the cache has no result for the value itself. `apply` then names the method that gives a result
    for that form its parameters: `apply(result, form) -> result`; without one the result serves as it is.
    """

    value: object
    label: str
    canonical: str = ""
    apply: str = ""


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """A result, whether it came from the cache, or why there is none."""

    result: Result | None
    hit: bool
    error: CratewrightError | None = None
