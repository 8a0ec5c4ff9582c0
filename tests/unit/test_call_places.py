"""Where a backend's method is called: in this process, in its threads, or in a worker."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from cratewright import testing
from cratewright.base.errors import CacheError, ConfigurationError
from cratewright.contract.backend import CodegenBackend
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.job import Job
from cratewright.plugins.registry import Registry
from cratewright.system.events import Event, UnitStarted
from cratewright.values.call import BackendCall
from cratewright.values.crate_type import CrateType
from cratewright.values.module import ModuleCodegen
from cratewright.values.request import LinkRequest
from tests.support.cached_engine import OPTIONS, unit_call
from tests.support.program_backend import Portably, RunsPrograms, TakesTime, Works
from tests.support.reapi_messages import require_grpc

CONFIG = LinkRequest(crate="c", crate_type=CrateType.BIN, target="text", options=OPTIONS, modules=()).config


def _engine_for(backend: type[testing.StubBackend], root: Path, **environ: str) -> Engine:
    """Return an engine that resolves every backend name to `backend`, which workers can import."""
    registry = Registry()
    registry.register(testing)
    registry.backend = lambda name: backend  # type: ignore[method-assign]
    return Engine(str(root), registry, environ)


def _job(name: str = "a", memory: int = 0) -> Job[ModuleCodegen]:
    return Job(BackendCall(CodegenBackend.codegen, ModuleCodegen(name=name, data=b"x"), CONFIG), "x", memory=memory)


@pytest.mark.parametrize(
    ("backend", "count", "environ", "here"),
    [
        (RunsPrograms, 1, {}, True),
        (RunsPrograms, 2, {}, False),
        (Works, 1, {}, False),
        (RunsPrograms, 1, {"CRATE_TIME_PASSES": "1"}, False),
    ],
)
def test_single_call_that_runs_programs_is_made_in_process(
    tmp_path: Path, backend: type[Works], count: int, environ: Mapping[str, str], here: bool
) -> None:
    engine = _engine_for(backend, tmp_path, CRATE_CACHE="off", **environ)
    jobs = [_job(str(number)) for number in range(count)]
    try:
        for outcome in engine.run_cached("stub", "text", jobs):
            assert isinstance(outcome.result, ModuleCodegen)
            process, thread = outcome.result.data.split()
            assert (int(process) == os.getpid()) == here
            assert not here or int(thread) == threading.get_ident()
    finally:
        engine.close()


def test_threads_make_concurrent_calls_in_process(tmp_path: Path) -> None:
    engine = _engine_for(RunsPrograms, tmp_path, CRATE_CACHE="off", CRATE_WORKERS="threads")
    engine.jobs, heard = 2, list[Event]()
    engine.listeners.append(heard.append)
    jobs = [_job(str(number)) for number in range(5)]
    results = [outcome.result for outcome in engine.run_cached("stub", "text", jobs)]
    engine.close()
    places = [result.data.split() for result in results if isinstance(result, ModuleCodegen)]
    assert {int(process) for process, _ in places} == {os.getpid()}
    assert len(places) == 5 and threading.get_ident() not in {int(thread) for _, thread in places}
    assert {event.worker for event in heard if isinstance(event, UnitStarted)} <= {1, 2}
    with pytest.raises(ConfigurationError, match="backend 'stub' computes in the process that calls it"):
        _engine_for(Works, tmp_path, CRATE_WORKERS="threads").backend("stub", "text")


@pytest.mark.parametrize("environ", [{}, {"CRATE_WORKERS": "threads"}])
@pytest.mark.parametrize(("jobs", "memory"), [(1, 0), (4, 60 << 20)])
def test_in_process_calls_respect_job_and_memory_limits(
    tmp_path: Path, jobs: int, memory: int, environ: Mapping[str, str]
) -> None:
    engine = _engine_for(TakesTime, tmp_path, CRATE_CACHE="off", CRATE_MEMORY="100M", **environ)
    engine.jobs = jobs

    def span(_: int) -> list[float]:
        (outcome,) = engine.run_cached("stub", "text", [_job(memory=memory)])
        assert isinstance(outcome.result, ModuleCodegen)
        return [float(word) for word in outcome.result.data.split()]

    with ThreadPoolExecutor(3) as threads:
        spans = sorted(threads.map(span, range(3)))
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
    engine.close()


def test_no_remote_preparation_after_the_server_failed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    require_grpc()
    monkeypatch.setattr(Portably, "allowed", [])
    environ = {"CRATE_REMOTE": "grpc://127.0.0.1:1", "CRATE_REMOTE_JOBS": "1"}
    engine = _engine_for(Portably, tmp_path, CRATE_CACHE="off", **environ)
    jobs = [Job(unit_call(b"export a\n", f"{number}.stub"), str(number)) for number in range(3)]
    for some in (jobs, jobs[:1]):
        assert all(outcome.result for outcome in engine.run_cached("stub", "text", some))
    assert (
        engine._calls._machines is not None
        and engine._calls._machine_pool() is None
        and Portably.allowed == [True, *[False] * 3]
    )
    engine.close()
    assert capfd.readouterr().err.count("all programs run here") == 1


def test_verified_call_is_made_by_a_worker(tmp_path: Path) -> None:
    """In a worker, all files opened meanwhile belong to one call."""
    for environ in ({}, {"CRATE_CACHE_VERIFY": "1"}):
        engine = _engine_for(RunsPrograms, tmp_path, **environ)
        (outcome,) = engine.run_cached("stub", "text", [_job()])
        engine.close()
    assert isinstance(outcome.error, CacheError) and str(os.getpid()) not in str(outcome.error.context[0])


def test_error_of_an_in_process_call_is_an_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise CacheError("no")

    monkeypatch.setattr(RunsPrograms, "codegen", fail)
    engine = _engine_for(RunsPrograms, tmp_path, CRATE_CACHE="off")
    for _ in range(3):
        (outcome,) = engine.run_cached("stub", "text", [_job()])
        assert "no" in str(outcome.error)
    engine.close()
