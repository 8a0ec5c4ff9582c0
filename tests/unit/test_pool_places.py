"""The number of concurrent calls of a pool, limited by jobs and memory."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from cratewright.system.memory import available_memory
from cratewright.workers.pool import WorkerPool
from cratewright.workers.process import CallOutcome, WorkerCall
from tests.support import worker_functions
from tests.support.bounds import HANG


def _call(function: str, *arguments: object) -> WorkerCall:
    return WorkerCall(getattr(worker_functions, function), arguments, f"unit {function}")


def _overlap(outcomes: list[CallOutcome]) -> bool:
    spans = sorted(outcome.get() for outcome in outcomes)  # type: ignore[type-var]
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))  # type: ignore[index]


@pytest.mark.parametrize(("need", "together"), [(60, False), (1000, False), (40, True), (0, True)])
def test_memory_limits_concurrent_calls(need: int, together: bool, tmp_path: Path) -> None:
    def meet(calls: list[WorkerCall]) -> bool:
        return any(outcome.get() for outcome in pool.map(calls))

    pool = WorkerPool(4, kind="fork", warm=[_call("double", 1)], timeout=HANG, memory=100)
    pool.map([_call("pid")] * 4)
    seconds = HANG if together else 0.1
    for name in ("one thread", "two threads"):
        (tmp_path / name).mkdir()
    calls = [replace(_call("meet", str(tmp_path / "one thread"), seconds), memory=need) for _ in range(4)]
    assert meet(calls) == together
    calls = [replace(_call("meet", str(tmp_path / "two threads"), seconds), memory=need) for _ in range(4)]
    with ThreadPoolExecutor(2) as threads:  # memory reserved by one thread counts for the others
        assert any(threads.map(meet, (calls[:2], calls[2:]))) == together
    pool.close()


def test_crash_releases_its_memory() -> None:
    pool = WorkerPool(2, kind="fork", warm=[_call("double", 1)], timeout=HANG, memory=100)
    pool.map([replace(_call("crash", 9), memory=100), replace(_call("crash", 9), memory=100)])
    assert pool.map([replace(_call("double", 4), memory=100)])[0].get() == 8
    pool.close()


@pytest.mark.parametrize(("need", "memory", "size"), [(0, 100, 1), (60, 100, 4)])
def test_occupied_place_counts_as_a_worker(need: int, memory: int, size: int) -> None:
    """Work in a thread's own process counts toward the limits of jobs and memory like that of a worker."""
    pool = WorkerPool(size, kind="fork", warm=[_call("double", 1)], timeout=HANG, memory=memory)
    pool.map([_call("pid")] * size)  # idle workers occupy no place

    def work() -> tuple[float, float]:
        with pool.occupy(need):
            began = time.monotonic()
            time.sleep(0.1)
            return began, time.monotonic()

    calls = [replace(_call("span", 0.1), memory=need) for _ in range(2)]
    with ThreadPoolExecutor(3) as threads:
        places = [threads.submit(work) for _ in range(2)]
        outcomes = threads.submit(pool.map, calls).result()
        outcomes += [CallOutcome(place.result()) for place in places]
    assert not _overlap(outcomes)
    pool.close()


def test_place_is_released_after_an_error() -> None:
    pool = WorkerPool(1, kind="fork", timeout=HANG)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), pool.occupy(0):
            1 / 0  # noqa: B018
    assert pool.call(worker_functions.double, 2, label="x") == 4
    pool.close()


def test_available_memory_is_plausible() -> None:
    assert 1 << 24 < available_memory() < 1 << 50
