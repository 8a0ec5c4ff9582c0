"""The worker pool: results, errors, crashes and hangs, each of which fails only its own call."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from cratewright.base.errors import Interrupted, SourceError, ToolError
from cratewright.workers.pool import WorkerPool
from cratewright.workers.process import CallOutcome, WorkerCall
from tests.support import worker_functions
from tests.support.bounds import HANG, until


def _call(function: str, *arguments: object) -> WorkerCall:
    return WorkerCall(getattr(worker_functions, function), arguments, f"unit {function}")


@pytest.fixture(params=["fork", "spawn"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return each way to start workers."""
    return str(request.param)


@pytest.fixture
def pool(kind: str) -> Iterator[WorkerPool]:
    """Return a pool of two workers with a long timeout."""
    found = WorkerPool(2, kind=kind, warm=[_call("warm", "stove")], timeout=HANG)
    yield found
    found.close()


def test_results_are_in_call_order(pool: WorkerPool) -> None:
    outcomes = pool.map([_call("double", number) for number in range(20)])
    assert [outcome.get() for outcome in outcomes] == [2 * number for number in range(20)]
    assert pool.map([]) == []


def test_done_is_called_as_results_arrive(pool: WorkerPool, tmp_path: Path) -> None:
    seen: list[int] = []

    def done(index: int, outcome: CallOutcome) -> None:
        seen.append(index)
        (tmp_path / "seen").touch()

    pool.map([_call("wait_for", str(tmp_path / "seen")), _call("double", 1)], done)
    assert seen == [1, 0]


def test_worker_starts_the_next_call_before_done_is_called(kind: str) -> None:
    pool = WorkerPool(1, kind=kind, timeout=HANG)
    calls_seen: list[str] = []
    try:
        pool.map(
            [_call("double", number) for number in range(3)],
            lambda index, _: calls_seen.append(f"done {index}"),
            lambda index, _: calls_seen.append(f"began {index}"),
        )
    finally:
        pool.close()
    assert calls_seen == ["began 0", "began 1", "done 0", "began 2", "done 1", "done 2"]


def test_finished_results_are_reported_on_interrupt(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    begun: list[int] = []

    def check() -> None:
        if len(begun) == 2:
            raise Interrupted("interrupted")

    monkeypatch.setattr("cratewright.workers.pool.check_ended", check)
    calls = [_call("double", number) for number in range(4)]
    with pytest.raises(Interrupted):
        pool.map(calls, lambda _, outcome: seen.append(outcome.value), lambda index, _: begun.append(index))
    assert set(seen) <= {0, 2} and seen


def test_workers_are_warmed_up_and_reused(pool: WorkerPool) -> None:
    assert pool.call(worker_functions.warmed, label="x") == ["stove"]
    numbers = {outcome.get() for _ in range(2) for outcome in pool.map([_call("pid") for _ in range(12)])}
    assert 1 <= len(numbers) <= 2


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_crash_fails_only_its_own_call(pool: WorkerPool, number: signal.Signals) -> None:
    calls = [_call("double", 1), _call("crash", int(number)), *(_call("double", 2) for _ in range(5))]
    outcomes = pool.map(calls)
    assert [outcome.value for outcome in outcomes] == [2, None, 4, 4, 4, 4, 4]
    error = outcomes[1].error
    assert isinstance(error, ToolError)
    assert "unit crash: the compiler crashed" in str(error) and number.name in str(error)
    with pytest.raises(ToolError, match="the compiler crashed"):
        outcomes[1].get()
    assert pool.call(worker_functions.double, 3, label="x") == 6


def test_worker_that_exits(pool: WorkerPool) -> None:
    (outcome,) = pool.map([_call("leave", 7)])
    assert isinstance(outcome.error, ToolError) and "exit status 7" in str(outcome.error)


def test_many_crashes(pool: WorkerPool) -> None:
    calls = [_call("crash", 9) if number % 2 else _call("double", number) for number in range(20)]
    outcomes = pool.map(calls)
    assert [outcome.value for outcome in outcomes[::2]] == [2 * number for number in range(0, 20, 2)]
    assert all(isinstance(outcome.error, ToolError) for outcome in outcomes[1::2])


def test_hang_fails_only_its_own_call(kind: str) -> None:
    seconds = {"fork": 2, "spawn": 6}[
        kind
    ]  # the other calls take milliseconds, a new interpreter a few tenths of a second
    pool = WorkerPool(2, kind=kind, timeout=seconds)
    try:
        outcomes = pool.map([_call("hang"), *(_call("double", number) for number in range(6))])
        assert [outcome.value for outcome in outcomes[1:]] == [0, 2, 4, 6, 8, 10]
        error = outcomes[0].error
        assert isinstance(error, ToolError)
        assert f"unit hang: the compiler did not answer within {seconds} s" in str(error)
        assert "CRATE_TIMEOUT" in error.hint
        assert pool.call(worker_functions.double, 1, label="x") == 2
    finally:
        pool.close()


def test_our_errors_keep_type_and_context(pool: WorkerPool) -> None:
    outcomes = pool.map([_call("fail", "a.stub:1: error: no"), _call("double", 1)])
    error = outcomes[0].error
    assert type(error) is SourceError
    assert str(error).splitlines() == ["a.stub:1: error: no", "  row:  value", "  hint: hint"]
    assert outcomes[1] == CallOutcome(2)


def test_foreign_exceptions_keep_their_traceback(pool: WorkerPool) -> None:
    with pytest.raises(RuntimeError, match=r"unit foreign: .* failed in a worker") as caught:
        pool.map([_call("foreign"), _call("double", 1)])
    assert "KeyError: 'unexpected'" in str(caught.value) and "worker_functions.py" in str(caught.value)
    assert pool.call(worker_functions.double, 1, label="x") == 2


def test_result_that_cannot_be_pickled(pool: WorkerPool) -> None:
    with pytest.raises(RuntimeError, match="unit unsendable"):
        pool.map([_call("unsendable")])
    assert pool.call(worker_functions.double, 1, label="x") == 2


def test_function_that_workers_cannot_import(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its module exists only in this process."""
    assert pool.call(worker_functions.double, 1, label="x") == 2
    module = ModuleType("here_alone")
    exec("def nothing(): ...", module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(RuntimeError, match="unit nothing"):
        pool.map([WorkerCall(module.nothing, (), "unit nothing")])
    assert pool.call(worker_functions.double, 1, label="x") == 2


def test_large_arguments_and_results(pool: WorkerPool) -> None:
    size = 5_000_000
    outcomes = pool.map([_call("chatter", size), _call("length", b"y" * size)])
    assert outcomes[0].value == b"x" * size and outcomes[1].value == size


def test_pool_is_usable_after_an_exception_in_done(pool: WorkerPool) -> None:
    def raise_error(index: int, outcome: CallOutcome) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pool.map([_call("double", number) for number in range(5)], raise_error)
    assert [outcome.get() for outcome in pool.map([_call("double", 1)] * 5)] == [2] * 5


def test_threads_share_the_workers(pool: WorkerPool) -> None:
    def work(thread: int) -> list[object]:
        return [outcome.get() for outcome in pool.map([_call("double", thread * 100 + n) for n in range(20)])]

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(work, range(6)))
    assert found == [[2 * (thread * 100 + n) for n in range(20)] for thread in range(6)]
    numbers = {outcome.get() for outcome in pool.map([_call("pid") for _ in range(10)])}
    assert len(numbers) <= 2


def test_thread_with_one_call_gets_a_worker_from_a_busy_thread(pool: WorkerPool) -> None:
    """A worker released by one thread is used by another."""
    done = threading.Event()

    def run_many() -> None:
        pool.map([_call("slow", 0.05) for _ in range(10)])
        done.set()

    other = threading.Thread(target=run_many)
    other.start()
    assert pool.call(worker_functions.double, 1, label="x") == 2
    other.join(HANG)
    assert done.is_set()


def test_crashes_with_several_threads(kind: str) -> None:
    pool = WorkerPool(2, kind=kind, timeout=HANG)
    try:

        def work(thread: int) -> list[bool]:
            calls = [_call("crash", 11), _call("double", thread), _call("double", thread)]
            return [outcome.error is None for outcome in pool.map(calls)]

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(work, range(4))) == [[False, True, True]] * 4
    finally:
        pool.close()


def test_failed_warm_up_is_reported(kind: str) -> None:
    pool = WorkerPool(1, kind=kind, warm=[_call("warm_badly")])
    with pytest.raises(SourceError, match="cannot warm up"):
        pool.call(worker_functions.double, 1, label="x")
    pool.close()


def test_pool_can_be_used_after_close(pool: WorkerPool) -> None:
    assert pool.call(worker_functions.double, 1, label="x") == 2
    pool.close()
    pool.close()
    assert pool.call(worker_functions.double, 2, label="x") == 4


def test_close_ends_all_workers(pool: WorkerPool) -> None:
    numbers = [outcome.get() for outcome in pool.map([_call("pid") for _ in range(6)])]
    pool.close()
    until(lambda: not any(_alive(int(str(number))) for number in numbers))


def _alive(number: int) -> bool:
    import os

    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_closed_pool_is_garbage_collected() -> None:
    pool = WorkerPool(1, kind="fork", timeout=HANG)
    gone = weakref.ref(pool)
    pool.map([_call("double", 1)])
    pool.close()
    del pool
    gc.collect()
    assert gone() is None
