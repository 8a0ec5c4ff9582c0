"""Builds as a model: clients with workers, and one cache that all of them share, as a sequence of events in time.

Knows nothing of crates' contents, nor of where its figures come from: a recorded build, see `simulate`.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

__all__ = ["Cache", "Forecast", "Recorded", "Stage", "forecast", "limits"]

AHEAD, BATCH, AT_ONCE = 100, 256, 16
"""Crates that are fetched before their turn, keys of one batch, requests at a time: as in `cratewright` itself."""


@dataclass(frozen=True)
class Stage:
    """A stage of a crate as it was recorded.

    Shape: `steps` has the seconds of each unit, step by step; `after` are numbers of the stages that it waits for.
    Units: `making` and `finding` are seconds of the process of SCons itself, if all units are made and if none is.
    """

    crate: int
    making: float
    finding: float
    steps: tuple[tuple[float, ...], ...]
    after: tuple[int, ...]


@dataclass(frozen=True)
class Recorded:
    """A build as it was recorded.

    Units: seconds; `begin` before the first crate is declared, `declare` for each crate, `end` after the last stage;
    `entry` is bytes of a result as it is sent.
    """

    begin: float
    declare: float
    end: float
    stages: tuple[Stage, ...]
    entry: float = 1000.0

    @property
    def crates(self) -> int:
        """How many crates there are."""
        return max(stage.crate for stage in self.stages) + 1

    def grown(self, crates: int) -> Recorded:
        """Return a build of so many crates: this one over and over."""
        stages: list[Stage] = []
        for copy in range(math.ceil(crates / self.crates)):
            first, base = copy * self.crates, len(stages)
            stages += [
                Stage(
                    first + stage.crate,
                    stage.making,
                    stage.finding,
                    stage.steps,
                    tuple(base + number for number in stage.after),
                )
                for stage in self.stages
            ]
        cut = {number: place for place, number in enumerate(n for n, s in enumerate(stages) if s.crate < crates)}
        kept = [stages[number] for number in cut]
        return Recorded(
            self.begin,
            self.declare,
            self.end,
            tuple(
                Stage(s.crate, s.making, s.finding, s.steps, tuple(cut[n] for n in s.after if n in cut)) for s in kept
            ),
            self.entry,
        )


@dataclass(frozen=True)
class Cache:
    """A cache on a server.

    Shape: `found` is the share of the results that it has.
    Units: `latency` in seconds of a round trip; `bandwidth` in bytes a second, for all clients together.
    """

    latency: float = 0.0
    bandwidth: float = math.inf
    found: float = 1.0


@dataclass(frozen=True)
class Forecast:
    """What a build comes to.

    Units: `wall` in seconds until the last client is done; `received` and `sent` in bytes of all clients;
    `waited` in seconds that stages of one client waited for the cache.
    """

    wall: float
    requests: int
    received: float
    sent: float
    waited: float


_Process = Generator["float | _Event | _Use", None, None]


class _Event:
    def __init__(self) -> None:
        self.happened = False
        self.waiting: list[_Process] = []


class _Resource:
    """So many places; who comes with the least number is let in first."""

    def __init__(self, places: int) -> None:
        self.free = places
        self.queue: list[tuple[float, int, _Process, float | None]] = []


@dataclass
class _Use:
    """Wait for a place; it is given back after some seconds, or by hand."""

    resource: _Resource
    seconds: float | None
    order: float = 0.0


@dataclass
class _Clock:
    now: float = 0.0
    _due: list[tuple[float, int, _Process, _Resource | None]] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=itertools.count)

    def start(self, process: _Process) -> _Event:
        done = _Event()

        def watched() -> _Process:
            yield from process
            self.happen(done)

        self._at(self.now, watched())
        return done

    def happen(self, event: _Event) -> None:
        event.happened = True
        for process in event.waiting:
            self._at(self.now, process)
        event.waiting.clear()

    def free(self, resource: _Resource) -> None:
        resource.free += 1
        if resource.queue:
            _, _, process, seconds = heapq.heappop(resource.queue)
            self._enter(process, resource, seconds)

    def run(self) -> None:
        while self._due:
            self.now, _, process, held = heapq.heappop(self._due)
            if held is not None:
                self.free(held)
            self._step(process)

    def _at(self, time: float, process: _Process, held: _Resource | None = None) -> None:
        heapq.heappush(self._due, (time, next(self._count), process, held))

    def _step(self, process: _Process) -> None:
        wanted = next(process, None)
        if wanted is None:
            return
        if isinstance(wanted, _Event):
            if wanted.happened:
                self._at(self.now, process)
            else:
                wanted.waiting.append(process)
        elif isinstance(wanted, _Use):
            if wanted.resource.free:
                self._enter(process, wanted.resource, wanted.seconds)
            else:
                heapq.heappush(wanted.resource.queue, (wanted.order, next(self._count), process, wanted.seconds))
        else:
            self._at(self.now + wanted, process)

    def _enter(self, process: _Process, resource: _Resource, seconds: float | None) -> None:
        """Let a process in, and have it go on: at once with the place in hand, or later when it has given it back."""
        resource.free -= 1
        self._at(self.now + (seconds or 0.0), process, resource if seconds is not None else None)


class _Client:
    """One build: the process of SCons, its workers, and what it fetches before it is asked for."""

    def __init__(self, clock: _Clock, link: _Resource, recorded: Recorded, cache: Cache | None, workers: int) -> None:
        self.clock, self.link, self.recorded, self.cache = clock, link, recorded, cache
        self.scons, self.slots, self.workers = _Resource(1), _Resource(workers), _Resource(workers)
        self.done = [_Event() for _ in recorded.stages]
        self.early: dict[int, _Event] = {}
        self.turn = -1
        self.moved = _Event()
        self.asked = False
        self.requests = self.received = self.sent = 0
        self.waited = self.wall = 0.0
        self.keys: dict[int, int] = {}
        for stage in recorded.stages:
            self.keys[stage.crate] = self.keys.get(stage.crate, 0) + sum(map(len, stage.steps))

    def build(self, ahead: bool) -> _Process:
        recorded, clock = self.recorded, self.clock
        yield _Use(self.scons, recorded.begin + recorded.declare * recorded.crates)
        if self.cache is not None and ahead:
            clock.start(self.prefetch())
        yield from [clock.start(self.stage(number)) for number in range(len(recorded.stages))]
        yield _Use(self.scons, recorded.end)
        if self.sent:  # what is sent meanwhile takes its time; the rest of it is waited for
            yield _Use(self.link, 0.0)
        self.wall = clock.now

    def stage(self, number: int) -> _Process:
        stage, found = self.recorded.stages[number], self.cache.found if self.cache is not None else 0.0
        for other in stage.after:
            yield self.done[other]
        yield _Use(self.slots, None, number)
        if stage.crate > self.turn:
            self.turn = stage.crate
            self.moved, moved = _Event(), self.moved
            self.clock.happen(moved)
        yield _Use(self.scons, found * stage.finding + (1 - found) * stage.making, number)
        for step in stage.steps:
            if self.cache is not None:
                before = self.clock.now
                if stage.crate in self.early:
                    yield self.early[stage.crate]
                else:
                    yield from self.ask(len(step), found * len(step))
                self.asked = True
                self.waited += self.clock.now - before
            # Evenly: of any ten units as many are found as of all.
            missed = [seconds for n, seconds in enumerate(step) if int((n + 1) * found) == int(n * found)]
            yield from [self.clock.start(self.make(seconds, number)) for seconds in missed]
        self.clock.free(self.slots)
        self.clock.happen(self.done[number])

    def make(self, seconds: float, number: int) -> _Process:
        yield _Use(self.workers, seconds, number)
        if self.cache is not None:
            self.sent += int(self.recorded.entry)
            self.requests += 1
            self.clock.start(self.send())

    def send(self) -> _Process:
        assert self.cache is not None
        yield _Use(self.link, self.recorded.entry / self.cache.bandwidth)

    def ask(self, keys: int, found: float) -> _Process:
        assert self.cache is not None
        yield math.ceil(keys / AT_ONCE) * self.cache.latency
        yield _Use(self.link, found * self.recorded.entry / self.cache.bandwidth)
        self.requests += keys
        self.received += int(found * self.recorded.entry)

    def prefetch(self) -> _Process:
        assert self.cache is not None
        ahead = 0
        while not self.asked:
            yield self.moved
        while ahead < self.recorded.crates:
            here = self.turn + 1
            if ahead > here + AHEAD // 2:
                yield self.moved
                continue
            crates = range(max(ahead, here), min(here + AHEAD, self.recorded.crates))
            ahead = here + AHEAD
            yield from self.ask(len(crates), 0.0)
            batch: list[int] = []
            for crate in crates:
                self.early.setdefault(crate, _Event())
                batch.append(crate)
                count = sum(self.keys[each] for each in batch)
                if count >= BATCH or crate == crates[-1]:
                    yield from self.ask(count, count * self.cache.found)
                    for each in batch:
                        self.clock.happen(self.early[each])
                    batch = []


def forecast(
    recorded: Recorded, *, workers: int, cache: Cache | None = None, clients: int = 1, ahead: bool = True
) -> Forecast:
    """Return what it comes to if some clients build at the same time; without a cache each makes all."""
    clock, link = _Clock(), _Resource(1)
    builds = [_Client(clock, link, recorded, cache, workers) for _ in range(clients)]
    for build in builds:
        clock.start(build.build(ahead))
    clock.run()
    return Forecast(
        max(build.wall for build in builds),
        sum(build.requests for build in builds),
        sum(build.received for build in builds),
        sum(build.sent for build in builds),
        max(build.waited for build in builds),
    )


def limits(recorded: Recorded, workers: int, cache: Cache | None, clients: int) -> dict[str, float]:
    """Return the seconds that each part would take if nothing else did: the largest is what limits a build."""
    found = cache.found if cache is not None else 0.0
    stages: Sequence[Stage] = recorded.stages
    units = sum(sum(map(sum, stage.steps)) for stage in stages)
    keys = sum(len(step) for stage in stages for step in stage.steps)
    scons = sum(found * stage.finding + (1 - found) * stage.making for stage in stages)
    rows = {
        "SCons": recorded.begin + recorded.declare * recorded.crates + scons + recorded.end,
        "workers": (1 - found) * units / workers,
    }
    if cache is not None:
        rows["bandwidth"] = clients * keys * recorded.entry / cache.bandwidth
    return rows
