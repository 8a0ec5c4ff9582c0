"""A server with machines that run programs, and the threads that wait for it, one for each program.

A call that runs a program locally takes the slot of a worker, so no more programs run locally than without other
machines.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from ...remote import open_executor
from ...system.child import take_turns
from ...system.elsewhere import set_runner
from ...workers.pool import WorkerPool
from ..threads import map_in_threads

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

_MOST_TOGETHER = 16
"""The most calls sent together: a round trip takes as long as compiling some shaders."""


class MachinePool:
    """Makes calls whose programs may run on other machines.

    Shape: `count` is the limit of programs there, `local` of calls that this machine makes at the same time.
    Units: `timeout` in seconds, for one program.
    Raises: ConfigurationError for invalid settings.
    """

    def __init__(
        self,
        server: str,
        environ: Mapping[str, str],
        count: int,
        workers: WorkerPool,
        timeout: float,
        local: int = 0,
    ) -> None:
        self._count = count + local
        self._local = threading.Semaphore(local)
        self.executor = open_executor(server, environ, jobs=count, timeout=timeout)
        self._workers = workers

    def map(
        self,
        items: Sequence[_Item],
        make: Callable[[_Item], _Made],
        done: Callable[[int, _Made], None],
        began: Callable[[int, int], None],
        memory: Callable[[_Item], int] = lambda _: 0,
    ) -> None:
        """Make each item, concurrently, and pass its outcome to `done` as soon as it is known.

        Shape: `memory` is what a program needs that runs here after all.
        Raises: Interrupted if the build has ended; anything that `make` raises.
        """

        def begun(item: _Item, begin: Callable[[], None]) -> _Made:
            take_turns(partial(self._workers.occupy, memory(item)))
            # The others do not wait for this machine: they take whatever it has not begun.
            here = self._local.acquire(blocking=False)
            try:
                # Once the server has been given up, finding out what a unit reads is wasted.
                set_runner(None if here or self.executor.left else self.executor.run)
                begin()
                return make(item)
            finally:
                if here:
                    self._local.release()

        map_in_threads(items, begun, done, began, most=self._count, name="cratewright machine")

    def shares(self, count: int) -> list[range]:
        """Divide positions into shares, at least as many as run at a time, each with large and small items."""
        number = max(min(self._count, count), -(-count // _MOST_TOGETHER))
        return [range(first, count, number) for first in range(number)]

    def close(self) -> None:
        """Disconnect from the server."""
        self.executor.close()
