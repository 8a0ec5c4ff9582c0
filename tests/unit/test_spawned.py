"""Workers that are new interpreters: warm-up, environment, number, and exit with their caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cratewright.base.errors import SourceError, ToolError
from cratewright.workers.pace import Pace
from cratewright.workers.pool import WorkerPool
from cratewright.workers.process import WorkerCall
from tests.support import worker_functions
from tests.support.bounds import HANG, until

ROOT = Path(__file__).resolve().parents[2]


def _pool(warm: str = "", *arguments: object, timeout: float = HANG, size: int = 2) -> WorkerPool:
    calls = [WorkerCall(getattr(worker_functions, warm), arguments, "warming up")] if warm else []
    return WorkerPool(size, kind="spawn", warm=calls, timeout=timeout)


def test_worker_that_crashes_while_warming_up() -> None:
    pool = _pool("crash", 9)
    with pytest.raises(ToolError, match=r"(?s)the worker process ended unexpectedly.*-9"):
        pool.call(worker_functions.double, 1, label="x")
    pool.close()


def test_warm_up_function_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("here_alone")
    exec("def nothing(): ...", module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    pool = WorkerPool(1, kind="spawn", warm=[WorkerCall(module.nothing, (), "x")], timeout=HANG)
    with pytest.raises(RuntimeError, match=r"(?s)a worker could not be prepared.*here_alone"):
        pool.call(worker_functions.double, 1, label="x")
    pool.close()


def test_failed_warm_up_is_reported_each_time() -> None:
    pool = _pool("warm_badly")
    for _ in range(2):
        with pytest.raises(SourceError, match="cannot warm up"):
            pool.map([WorkerCall(worker_functions.double, (1,), "x")] * 3)
    pool.close()


def test_timeout_applies_to_a_large_call_during_warm_up() -> None:
    """Data that does not fit into the socket would block the caller, and so all timeouts."""
    pool = _pool("hang", timeout=3)
    with pytest.raises(ToolError, match=r"(?s)the backend was not ready after 3 s and was killed.*CRATE_TIMEOUT"):
        pool.call(worker_functions.length, b"x" * 5_000_000, label="x")
    pool.close()


def test_environment_directory_and_path_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_later.py").write_text("value = 7\n", encoding="utf-8")
    monkeypatch.setenv("SET_LATER", "yes")
    monkeypatch.chdir(tmp_path)
    pool = WorkerPool(1, kind="spawn", paths=[str(tmp_path)], timeout=HANG)
    expression = "__import__('os').environ['SET_LATER'], __import__('os').getcwd(), __import__('made_later').value"
    assert pool.call(worker_functions.evaluate, expression, label="x") == ("yes", str(tmp_path), 7)
    assert "SConstruct" not in str(pool.call(worker_functions.evaluate, "list(__import__('sys').modules)", label="x"))
    pool.close()


def test_output_of_workers_is_discarded(capfd: pytest.CaptureFixture[str]) -> None:
    pool = _pool()
    pool.call(worker_functions.evaluate, "print('chatter', flush=True)", label="x")
    pool.call(worker_functions.evaluate, "__import__('os').write(1, b'more')", label="x")
    pool.close()
    assert capfd.readouterr() == ("", "")


def test_another_worker_starts_when_waiting_costs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("cratewright.workers.pace.time.monotonic", lambda: now)
    pace = Pace(1)
    assert pace.allows(1) and not pace.allows(2)
    now += 50
    assert not pace.allows(2), "the first is not ready"
    pace.ready(0.5)
    assert not pace.allows(2)
    for most in (2, 4, 8):
        now += 0.5
        assert pace.allows(most) and not pace.allows(most + 1)


def test_short_build_starts_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = _pool()
    monkeypatch.setattr(pool._pace, "ready", lambda seconds: None)  # as if the worker had just become ready
    pool.map([WorkerCall(worker_functions.double, (1,), "x")] * 9)
    assert pool._started == 1
    pool.close()


CALLER = """
import os, signal, sys
sys.path[:0] = [{paths}]
from cratewright.system import watchdog
from cratewright.workers.pool import WorkerPool
from tests.support.worker_functions import evaluate

if {alone}:
    watchdog._SHELL = "/is/not/there"
pool = WorkerPool(1, kind="spawn", timeout=100)
run = "__import__('cratewright').run_program(['sh', '-c', 'touch {mark}; sleep 400; true'])"
pool.call(evaluate, run, label="x")
"""


@pytest.mark.parametrize("alone", [False, True], ids=["watchdog", "no watchdog"])
def test_busy_worker_ends_when_its_caller_is_killed(alone: bool, tmp_path: Path) -> None:
    """Without a watchdog, the worker detects the end of its standard input."""
    paths = f"{str(ROOT)!r}, {str(ROOT / 'site_scons')!r}"
    program = CALLER.format(paths=paths, alone=alone, mark=tmp_path / "began")
    caller = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ}
    )
    until(lambda: (tmp_path / "began").exists() or caller.poll() is not None)
    os.kill(caller.pid, signal.SIGKILL)
    assert caller.communicate(timeout=HANG) == (b"", None)  # until every process that could write to it has exited
    until(lambda: not _left(str(tmp_path / "began")))


def _left(mark: str) -> bool:
    def words(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError:
            return b""

    return any(mark.encode() in words(path) for path in Path("/proc").glob("[0-9]*/cmdline"))
