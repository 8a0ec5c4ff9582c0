"""A discrete-event model of builds: clients with workers that share one cache.

Its figures come from a recorded build; see `simulate`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .clock import Clock, Happening, Process, Resource, Use

__all__ = ["Cache", "Forecast", "Recorded", "Stage", "forecast", "limits"]

AHEAD, BATCH, AT_ONCE = 100, 256, 16
"""Crates that are fetched before their turn, keys of one batch, requests at a time: as in `cratewright` itself."""


@dataclass(frozen=True)
class Stage:
    """A recorded stage of a crate.

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
    """A recorded build.

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
        """The number of crates."""
        return max(stage.crate for stage in self.stages) + 1

    def grown(self, crates: int) -> Recorded:
        """Return a build of `crates` crates that repeats this one."""
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
    """The forecast for a build.

    Units: `wall` in seconds until the last client is done; `received` and `sent` in bytes of all clients;
    `waited` in seconds that stages of one client waited for the cache.
    """

    wall: float
    requests: int
    received: float
    sent: float
    waited: float


class _Client:
    """One build: the process of SCons, its workers, and its prefetching."""

    def __init__(self, clock: Clock, link: Resource, recorded: Recorded, cache: Cache | None, workers: int) -> None:
        self.clock, self.link, self.recorded, self.cache = clock, link, recorded, cache
        self.scons, self.slots, self.workers = Resource(1), Resource(workers), Resource(workers)
        self.done = [Happening() for _ in recorded.stages]
        self.early: dict[int, Happening] = {}
        self.turn = -1
        self.moved = Happening()
        self.asked = False
        self.requests = self.received = self.sent = 0
        self.waited = self.wall = 0.0
        self.keys: dict[int, int] = {}
        for stage in recorded.stages:
            self.keys[stage.crate] = self.keys.get(stage.crate, 0) + sum(map(len, stage.steps))

    def build(self, ahead: bool) -> Process:
        recorded, clock = self.recorded, self.clock
        yield Use(self.scons, recorded.begin + recorded.declare * recorded.crates)
        if self.cache is not None and ahead:
            clock.start(self.prefetch())
        yield from [clock.start(self.stage(number)) for number in range(len(recorded.stages))]
        yield Use(self.scons, recorded.end)
        if self.sent:  # uploads run in the background; the build waits for the rest at its end
            yield Use(self.link, 0.0)
        self.wall = clock.now

    def stage(self, number: int) -> Process:
        stage, found = self.recorded.stages[number], self.cache.found if self.cache is not None else 0.0
        for other in stage.after:
            yield self.done[other]
        yield Use(self.slots, None, number)
        if stage.crate > self.turn:
            self.turn = stage.crate
            self.moved, moved = Happening(), self.moved
            self.clock.happen(moved)
        yield Use(self.scons, found * stage.finding + (1 - found) * stage.making, number)
        for step in stage.steps:
            if self.cache is not None:
                before = self.clock.now
                if stage.crate in self.early:
                    yield self.early[stage.crate]
                else:
                    yield from self.ask(len(step), found * len(step))
                self.asked = True
                self.waited += self.clock.now - before
            # Hits are distributed evenly: any ten units have the same share as all.
            missed = [seconds for n, seconds in enumerate(step) if int((n + 1) * found) == int(n * found)]
            yield from [self.clock.start(self.make(seconds, number)) for seconds in missed]
        self.clock.free(self.slots)
        self.clock.happen(self.done[number])

    def make(self, seconds: float, number: int) -> Process:
        yield Use(self.workers, seconds, number)
        if self.cache is not None:
            self.sent += int(self.recorded.entry)
            self.requests += 1
            self.clock.start(self.send())

    def send(self) -> Process:
        assert self.cache is not None
        yield Use(self.link, self.recorded.entry / self.cache.bandwidth)

    def ask(self, keys: int, found: float) -> Process:
        assert self.cache is not None
        yield math.ceil(keys / AT_ONCE) * self.cache.latency
        yield Use(self.link, found * self.recorded.entry / self.cache.bandwidth)
        self.requests += keys
        self.received += int(found * self.recorded.entry)

    def prefetch(self) -> Process:
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
                self.early.setdefault(crate, Happening())
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
    """Return the forecast if some clients build at the same time; without a cache each computes all."""
    clock, link = Clock(), Resource(1)
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
    """Return the seconds that each part alone would take; the largest limits the build."""
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
