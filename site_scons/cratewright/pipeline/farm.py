"""Calls whose programs may run on other machines: made by threads of this process, as many as programs run there.

Knows nothing of what the programs are. What a call runs on this machine takes the place of a worker, so that it runs no
more programs side by side than without other machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ..child import take_turns
from ..elsewhere import set_runner
from ..process import Outcome, WorkerPool
from ..remote import open_executor
from .job import Job
from .threads import map_in_threads

__all__ = ["Farm"]


class Farm:
    """A server that runs programs, and the threads that wait for it.

    Shape: `count` is the most that runs there at a time.
    Units: `timeout` in seconds, for one program.
    Raises: ConfigurationError for a server or settings that mean nothing.
    """

    def __init__(
        self, server: str, environ: Mapping[str, str], count: int, workers: WorkerPool, timeout: float
    ) -> None:
        self._count = count
        self.executor = open_executor(server, environ, jobs=count, timeout=timeout)
        self._workers = workers

    def map(
        self,
        jobs: Sequence[Job[Any]],
        make: Callable[[Job[Any]], Outcome],
        done: Callable[[int, Outcome], None],
        began: Callable[[int, int], None],
    ) -> None:
        """Make the call of each job, and give `done` each outcome as it comes.

        Raises: Interrupted if the build has been ended; what `make` raises.
        """

        def begun(job: Job[Any], begin: Callable[[], None]) -> Outcome:
            # Once the server is left alone, it is not worth finding out what a unit reads.
            set_runner(None if self.executor.left else self.executor.run)
            take_turns(partial(self._workers.place, job.memory))
            begin()
            return make(job)

        map_in_threads(jobs, begun, done, began, most=self._count, name="cratewright farm")

    def close(self) -> None:
        """Let go of the server."""
        self.executor.close()
