"""Chooses where to call backends: in this process, its threads or workers, or on other machines.

Reusing results and reporting are the engine's work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import cache as cache_package
from ..base.errors import CratewrightError, Interrupted
from ..base.values import dataclass
from ..contract.backend import CodegenBackend
from ..contract.edge import plugin_class
from ..contract.session import Session
from ..system.fs import FileDigests
from ..values.stencil import UnitStencil
from ..workers.pool import WorkerPool
from ..workers.process import CallOutcome, WorkerCall
from ..workers.worker import portable_error
from . import in_worker, settings
from .job import Job

if TYPE_CHECKING:
    from .remote_calls.machines import MachinePool
    from .remote_calls.sender import Sender


def _nobody(position: int, worker: int) -> None:
    """Ignore that a call has begun."""


@dataclass(frozen=True, slots=True)
class HowCalled:
    """Who is notified of calls, and what to return besides each result.

    Shape: `done` gets each job's position and outcome as it comes, whose value is `Watched` or `Timed` if requested.
    `began` gets the position and the number of the worker that takes the job, 0 for this process.
    """

    done: Callable[[int, CallOutcome], None]
    began: Callable[[int, int], None] = _nobody
    watched: bool = False
    timed: bool = False


@dataclass(slots=True, kw_only=True)
class CallRunner:
    """The workers and machines of one build.

    Shape: `root`, `environ`, `workers`, `digests` and `backends` as in `Engine`, whose methods the others are; `jobs`
    returns the limit of concurrent calls, once workers are needed.
    """

    root: str
    environ: Mapping[str, str]
    jobs: Callable[[], int]
    workers: bool
    digests: FileDigests
    backends: Mapping[tuple[str, str], CodegenBackend]
    session: Callable[[str], Session]
    fingerprint: Callable[[str, str], str]
    code_digest: Callable[[str, str], str]
    _pool: WorkerPool | None = None
    _machines: MachinePool | None = None
    _senders: dict[tuple[str, str], Sender] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _alone: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ran_elsewhere(self) -> int:
        """How many programs ran on other machines."""
        return self._machines.executor.ran if self._machines is not None else 0

    def close(self) -> None:
        """Stop the workers."""
        if self._pool is not None:
            self._pool.close()
        if self._machines is not None:
            self._machines.close()

    def run(self, backend: CodegenBackend, jobs: Sequence[Job[Any]], how: HowCalled) -> None:
        """Make the call of each job, wherever it is fastest."""
        if not self.workers:
            for position, job in enumerate(jobs):
                how.began(position, 0)
                how.done(position, _run_here(backend, job, how.watched, how.timed))
            return
        machines = self._machine_pool() if not (how.watched or how.timed) else None
        if machines is not None and any(backend.is_portable(job.call) for job in jobs):
            if backend.RUNS_PROGRAMS:
                machines.map(jobs, lambda job: _run_here(backend, job), how.done, how.began, lambda job: job.memory)
                return
            sender = self._sender(backend)
            if sender is not None:
                sender.send(machines, jobs, lambda some: self._made_here(backend, some), how.done, how.began)
                return
        if backend.RUNS_PROGRAMS and len(jobs) == 1 and not (how.watched or how.timed):
            with self._workers().occupy(jobs[0].memory):
                how.began(0, 0)
                how.done(0, _run_here(backend, jobs[0]))
            return
        self._run_by_workers(backend, jobs, how)

    def _made_here(self, backend: CodegenBackend, jobs: Sequence[Job[Any]]) -> list[CallOutcome]:
        """Return the outcomes of calls by workers, in their order."""
        outcomes: dict[int, CallOutcome] = {}
        self._run_by_workers(backend, jobs, HowCalled(outcomes.__setitem__))
        return [outcomes[position] for position in range(len(jobs))]

    def _sender(self, backend: CodegenBackend) -> Sender | None:
        """Return the sender of whole calls to other machines, or None if these have no Python, or have failed."""
        python = settings.read_remote_python(self.environ)
        if not python:
            return None
        from .remote_calls.sender import Sender  # noqa: PLC0415 - few builds need it

        session, key = backend.session, (backend.NAME, backend.session.target)
        fingerprint = self.fingerprint(*key)
        with self._lock:
            if key not in self._senders:
                installed = self.code_digest(*key) if settings.read_remote_code(self.environ) == "installed" else ""
                self._senders[key] = Sender(
                    backend, self.root, session, python, fingerprint, self.digests.digest, installed
                )
            sender = self._senders[key]
        return None if sender.left else sender

    def _run_by_workers(self, backend: CodegenBackend, jobs: Sequence[Job[Any]], how: HowCalled) -> None:
        if settings.read_workers(self.environ) == "threads":
            self._run_in_threads(backend, jobs, how)
            return
        path = in_worker.backend_path(plugin_class(backend))
        session = self.session(backend.session.target)
        calls = [
            WorkerCall(
                in_worker.run_call,
                (path, session, job.call, how.watched, how.timed),
                job.label,
                job.memory,
            )
            for job in jobs
        ]
        stencils = [item for job in jobs for item in job.call.arguments if isinstance(item, UnitStencil)]
        workers = self._workers()
        # Only the first units matter: all workers are forked from a process that is warmed up once.
        warm = WorkerCall(in_worker.warm, (path, session, stencils), f"backend '{backend.NAME}'")
        workers.warm = workers.warm or (warm,)
        workers.map(calls, how.done, how.began)

    def _run_in_threads(self, backend: CodegenBackend, jobs: Sequence[Job[Any]], how: HowCalled) -> None:
        from .threads import map_in_threads  # noqa: PLC0415 - few builds need it

        workers = self._workers()

        def make(job: Job[Any], begin: Callable[[], None]) -> CallOutcome:
            # Timings of passes are counted per process, so calls must not overlap.
            with self._alone if how.timed else nullcontext(), workers.occupy(job.memory):
                begin()
                return _run_here(backend, job, how.watched, how.timed)

        map_in_threads(jobs, make, how.done, how.began, most=workers.size, name="cratewright call")

    def _machine_pool(self) -> MachinePool | None:
        """Return the machines that may run programs, None if there are none (left)."""
        server, count = settings.read_remote(self.environ)
        if not server:
            return None
        from .remote_calls.machines import MachinePool  # noqa: PLC0415 - few builds need it

        workers = self._workers()
        with self._lock:
            if self._machines is None:
                mixed = settings.read_remote_mode(self.environ) == "mix"
                self._machines = MachinePool(
                    server, self.environ, count, workers, self.session("").timeout, workers.size if mixed else 0
                )
            return None if self._machines.executor.left else self._machines

    def _workers(self) -> WorkerPool:
        with self._lock:
            if self._pool is None:
                paths = [
                    str(Path(cache_package.__file__).parents[2]),
                    *(in_worker.import_directory(plugin_class(backend)) for backend in self.backends.values()),
                ]
                self._pool = WorkerPool(
                    self.jobs(),
                    kind=settings.read_workers(self.environ),
                    paths=paths,
                    timeout=self.session("").timeout,
                    memory=settings.read_size("CRATE_MEMORY", self.environ),
                )
            return self._pool


def _run_here(backend: CodegenBackend, job: Job[Any], watched: bool = False, timed: bool = False) -> CallOutcome:
    try:
        return CallOutcome(in_worker.make(backend, job.call, watched, timed))
    except Interrupted:
        raise
    except (CratewrightError, OSError) as error:
        return CallOutcome(None, portable_error(error))
