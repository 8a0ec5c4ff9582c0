"""Remote execution of items: where each one runs, and how many at a time."""

from __future__ import annotations

import threading

import pytest

from cratewright.pipeline.remote_calls import machines as machines_module
from cratewright.pipeline.remote_calls.machines import MachinePool
from cratewright.system.elsewhere import Portable, Ran, run_elsewhere, runs_elsewhere
from cratewright.workers.pool import WorkerPool
from tests.support.bounds import HANG

PORTABLE = Portable(root="/", argv=("x",), environ=(), system={}, outputs=(), tools="")
MACHINES = 3


class _Machines:
    """Three other machines, which finish only after `here` local items, which wait until all three have started."""

    left = ""

    def __init__(self, here: int) -> None:
        self.here = here
        self.counts = {"here": 0, "there": 0}
        self.lock = threading.Lock()
        self.all_begun, self.all_made = threading.Event(), threading.Event()
        if not here:
            self.all_made.set()

    def _count(self, where: str) -> int:
        with self.lock:
            self.counts[where] += 1
            return self.counts[where]

    def run(self, portable: Portable) -> Ran | None:
        if self._count("there") == MACHINES:
            self.all_begun.set()
        assert self.all_made.wait(HANG)
        return Ran(0, b"", b"", {})

    def make(self, item: int) -> int:
        if runs_elsewhere():
            assert run_elsewhere(PORTABLE) is not None
            return item
        assert self.all_begun.wait(HANG)
        if self._count("here") == self.here:
            self.all_made.set()
        return item


@pytest.mark.parametrize(("beside", "here"), [(0, 0), (2, 5)])
def test_local_workers_run_beside_remote_machines(beside: int, here: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """While three items run remotely, all others run locally; without local workers, none does."""
    machines = _Machines(here)
    monkeypatch.setattr(machines_module, "open_executor", lambda *_, **__: machines)
    pool = MachinePool("grpc://farm:1", {}, MACHINES, WorkerPool(2, kind="fork"), HANG, beside)
    made: dict[int, int] = {}
    pool.map(range(8), machines.make, made.__setitem__, lambda position, worker: None)
    assert made == {number: number for number in range(8)}
    assert machines.counts == {"here": here, "there": 8 - here}
