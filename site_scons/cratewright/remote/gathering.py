"""Waits for parallel work within limits, and collects the outcome of each piece."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence

from .patience import Wait
from .store import Fault, Fetched

Answers = queue.SimpleQueue["tuple[int, bytes | None, Fault | None]"]
"""The number of each finished piece of work, and its result or fault."""
Gathered = tuple[dict[int, "bytes | None"], list[Fault]]
"""Results of work by number, and faults."""


def gather(answers: Answers, count: int, wait: Wait, closed: Callable[[], bool]) -> Gathered:
    """Wait for a number of answers, or until one makes further waiting useless.

    Raises: Interrupted if the build has been ended.
    """
    found: dict[int, bytes | None] = {}
    faults: list[Fault] = []
    for _ in range(count):
        while True:
            left = wait.left
            try:
                number, data, fault = answers.get(timeout=min(left, 0.2))
                break
            except queue.Empty:
                if not left or closed():
                    return found, [*faults, Fault("it does not answer in time", final=True)]
        if fault is None:
            found[number] = data
            wait.came(len(data or b""), 1 if data is not None else 0)
            continue
        faults.append(fault)
        if fault.final:
            break
    return found, faults


def fetched(keys: Sequence[str], gathered: Gathered) -> Fetched:
    """Return the outcome of work that has one piece for each key."""
    found, faults = gathered
    values = {key: data for number, key in enumerate(keys) if (data := found.get(number)) is not None}
    return Fetched(values, len(found), faults)
