"""Worker processes, which run a backend's functions; all other code uses them through this module.

A crash or a hang costs the call that caused it, never the caller.

A *zygote* process imports and warms up what the workers need, once, and forks workers on demand; so ten workers pay for
one warm-up, and a crashed worker is replaced in a millisecond. Where forking is impossible, each worker is a new
interpreter that warms itself up.
"""

from __future__ import annotations

import atexit
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..system.child import check_ended, owns
from ..system.memory import MemoryBudget, available_memory
from .pace import Pace
from .process import CallOutcome, WorkerCall, WorkerProcess, hung
from .worker import not_ready
from .zygote import Zygote

if TYPE_CHECKING:
    from .spawned import Spawner


class WorkerPool:
    """At most `size` warm workers, shared by all threads of this process.

    Shape: `warm` are calls to make first, once in the zygote or in each spawned worker; `paths` are directories to
    import from, beside this process's own. `kind` is `fork` or `spawn`.
    Units: `timeout` in seconds, for one call; `memory` in bytes, for all calls that run at once.
    """

    def __init__(
        self,
        size: int,
        *,
        kind: str,
        warm: Sequence[WorkerCall] = (),
        paths: Sequence[str] = (),
        timeout: float = 300.0,
        memory: int | None = None,
    ) -> None:
        self.kind = kind
        self.size = max(1, size)
        self.timeout = timeout
        self._memory = MemoryBudget(available_memory() if memory is None else memory)
        self.warm = tuple(warm)
        self._paths = tuple(paths)
        self._source: Zygote | Spawner | None = None
        self._idle: deque[WorkerProcess] = deque()
        self._busy = 0
        self._started = 0
        self._pace = Pace(1 if kind == "spawn" else self.size)
        self._condition = threading.Condition()

    def map(
        self,
        calls: Iterable[WorkerCall],
        done: Callable[[int, CallOutcome], None] | None = None,
        began: Callable[[int, int], None] | None = None,
    ) -> list[CallOutcome]:
        """Run calls in parallel and return their outcomes in order; `done` receives each as it arrives.

        Shape: one outcome per call; a failed call does not stop the others. `began` receives the position of
        each call that begins, and the number of its worker, from 1.
        Raises: ToolError if no worker can be started at all.
        """
        waiting = deque(enumerate(calls))
        outcomes: list[CallOutcome | None] = [None] * len(waiting)
        running: dict[WorkerProcess, tuple[int, WorkerCall, float]] = {}
        settled: deque[tuple[int, CallOutcome]] = deque()

        def begin(worker: WorkerProcess, index: int, call: WorkerCall) -> None:
            if began:
                began(index, worker.number)
            worker.send(call)

        def begin_waiting() -> None:
            check_ended()
            while waiting:
                worker = self._acquire(waiting[0][1].memory, block=not (running or settled))
                if worker is None:
                    break
                index, call = waiting.popleft()
                if worker.ready:
                    begin(worker, index, call)
                running[worker] = (index, call, time.monotonic() + self.timeout)
                selector.register(worker.socket, selectors.EVENT_READ, worker)

        def settle() -> None:
            while settled:
                index, outcome = settled.popleft()
                outcomes[index] = outcome
                if done:
                    done(index, outcome)

        with selectors.DefaultSelector() as selector:
            try:
                while waiting or running:
                    try:
                        begin_waiting()
                    finally:  # let no worker idle while answers are handled, and lose no answer
                        settle()
                    for worker, answer in self._collect(selector, running) if running else ():
                        if answer is None:
                            self._pace.ready(worker.age)
                            index, call, _ = running[worker]
                            begin(worker, index, call)
                            running[worker] = (index, call, time.monotonic() + self.timeout)
                            continue
                        index, call, _ = running.pop(worker)
                        selector.unregister(worker.socket)
                        self._release(worker, call.memory, alive=worker.alive)
                        settled.append((index, answer))
                settle()
            finally:
                for worker, (_, call, _) in running.items():  # only after an exception
                    worker.kill()
                    self._release(worker, call.memory, alive=False)
        return [outcome for outcome in outcomes if outcome is not None]

    def call(self, function: Callable[..., object], *arguments: object, label: str) -> object:
        """Run one function in a worker and return its value.

        Raises: what the function raised, or ToolError if the worker crashed or did not answer in time.
        """
        return self.map([WorkerCall(function, arguments, label)])[0].get()

    @contextmanager
    def occupy(self, memory: int) -> Iterator[None]:
        """Occupy a worker's slot while the calling thread does the work itself.

        Units: `memory` in bytes, as in a call.
        """
        with self._condition:
            self._wait(memory)
        try:
            yield
        finally:
            self._give_back(memory)

    def close(self) -> None:
        """End all workers. The pool starts new ones if it is used again."""
        with self._condition:
            while self._idle:
                self._idle.popleft().kill()
            if self._source:
                self._source.close()
                self._source = None
            atexit.unregister(self.close)

    def _collect(
        self, selector: selectors.BaseSelector, running: dict[WorkerProcess, tuple[int, WorkerCall, float]]
    ) -> list[tuple[WorkerProcess, CallOutcome | None]]:
        """Return the outcomes of calls, None for one whose worker has just become ready."""
        # While other threads hold workers of this pool, look up now and then to take those they return.
        limit = min(deadline for _, _, deadline in running.values()) - time.monotonic()
        pause = max(0.0, limit if len(running) >= self.size else min(limit, 0.05))
        finished: list[tuple[WorkerProcess, CallOutcome | None]] = []
        for key, _ in selector.select(pause):
            worker = key.data
            finished.append((worker, worker.receive(running[worker][1]) if worker.ready else worker.become_ready()))
        now = time.monotonic()
        answered = {worker for worker, _ in finished}
        for worker, (_, call, deadline) in running.items():
            if worker not in answered and now >= deadline:
                if not worker.ready:
                    raise not_ready(self.timeout)
                worker.kill()
                finished.append((worker, CallOutcome(None, hung(call.label, self.timeout))))
        return finished

    def _acquire(self, need: int, *, block: bool) -> WorkerProcess | None:
        with self._condition:
            if not block and not (self._has_room(need) and (self._idle or self._pace.allows(self._busy + 1))):
                return None
            self._wait(need)
            try:
                check_ended()
                while self._idle:
                    worker = self._idle.popleft()
                    if owns(worker.pid):
                        return worker
                return self._new()
            except BaseException:
                self._give_back(need)
                raise

    def _has_room(self, need: int) -> bool:
        return self._busy < self.size and self._memory.fits(need)

    def _wait(self, need: int) -> None:
        self._condition.wait_for(lambda: self._has_room(need))
        self._busy += 1
        self._memory.take(need)

    def _give_back(self, need: int) -> None:
        with self._condition:
            self._busy -= 1
            self._memory.give_back(need)
            self._condition.notify_all()

    def _new(self) -> WorkerProcess:
        if self._source is None or not self._source.usable:
            atexit.unregister(self.close)
            atexit.register(self.close)
            warm = [(call.function, call.arguments) for call in self.warm]
            if self.kind == "fork":
                self._source = Zygote(warm=warm, paths=self._paths, timeout=self.timeout)
            else:
                from .spawned import Spawner  # noqa: PLC0415 - few builds have one

                self._source = Spawner(warm=warm, paths=self._paths)
        self._started += 1
        return WorkerProcess(*self._source.start(), self._source, self._started)

    def _release(self, worker: WorkerProcess, need: int, *, alive: bool) -> None:
        with self._condition:
            if alive:
                self._idle.append(worker)
            self._give_back(need)
