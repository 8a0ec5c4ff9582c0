"""Discrete-event simulation: processes wait for each other, for resources, and for time to pass."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Generator
from dataclasses import dataclass, field

Process = Generator["float | Happening | Use", None, None]


class Happening:
    """An event that happens once; processes may wait for it."""

    def __init__(self) -> None:
        self.happened = False
        self.waiting: list[Process] = []


class Resource:
    """A number of places; the waiting process with the lowest order is next."""

    def __init__(self, places: int) -> None:
        self.free = places
        self.queue: list[tuple[float, int, Process, float | None]] = []


@dataclass
class Use:
    """A wait for a place, which is released after some seconds, or by `free`."""

    resource: Resource
    seconds: float | None
    order: float = 0.0


@dataclass
class Clock:
    """Runs processes in the order of their times, in seconds."""

    now: float = 0.0
    _due: list[tuple[float, int, Process, Resource | None]] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=itertools.count)

    def start(self, process: Process) -> Happening:
        """Start a process; return the event of its end."""
        done = Happening()

        def watched() -> Process:
            yield from process
            self.happen(done)

        self._at(self.now, watched())
        return done

    def happen(self, event: Happening) -> None:
        """Resume the processes that wait for an event."""
        event.happened = True
        for process in event.waiting:
            self._at(self.now, process)
        event.waiting.clear()

    def free(self, resource: Resource) -> None:
        """Release a place."""
        resource.free += 1
        if resource.queue:
            _, _, process, seconds = heapq.heappop(resource.queue)
            self._enter(process, resource, seconds)

    def run(self) -> None:
        """Run until nothing is left to do."""
        while self._due:
            self.now, _, process, held = heapq.heappop(self._due)
            if held is not None:
                self.free(held)
            self._step(process)

    def _at(self, time: float, process: Process, held: Resource | None = None) -> None:
        heapq.heappush(self._due, (time, next(self._count), process, held))

    def _step(self, process: Process) -> None:
        wanted = next(process, None)
        if wanted is None:
            return
        if isinstance(wanted, Happening):
            if wanted.happened:
                self._at(self.now, process)
            else:
                wanted.waiting.append(process)
        elif isinstance(wanted, Use):
            if wanted.resource.free:
                self._enter(process, wanted.resource, wanted.seconds)
            else:
                heapq.heappush(wanted.resource.queue, (wanted.order, next(self._count), process, wanted.seconds))
        else:
            self._at(self.now + wanted, process)

    def _enter(self, process: Process, resource: Resource, seconds: float | None) -> None:
        """Give a place to a process, which continues at once with the place, or after it has released it."""
        resource.free -= 1
        self._at(self.now + (seconds or 0.0), process, resource if seconds is not None else None)
