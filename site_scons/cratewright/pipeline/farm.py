"""Calls whose programs may run on other machines: threads of this process make them, one for each remote program.

A call that runs something locally takes the place of a worker, so no more programs run locally than without other
machines.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from ..remote import open_executor
from ..system.child import take_turns
from ..system.elsewhere import set_runner
from ..workers.process import WorkerPool
from .threads import map_in_threads

__all__ = ["Farm"]

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

_TOGETHER = 16
"""The most calls that are sent together: each way there and back takes as long as some shaders do."""


class Farm:
    """A server that runs programs, and the threads that wait for it.

    Shape: `count` is the most that runs there at a time, `beside` what is made here at the same time for its own sake.
    Units: `timeout` in seconds, for one program.
    Raises: ConfigurationError for a server or settings that mean nothing.
    """

    def __init__(
        self,
        server: str,
        environ: Mapping[str, str],
        count: int,
        workers: WorkerPool,
        timeout: float,
        beside: int = 0,
    ) -> None:
        self._count = count + beside
        self._beside = threading.Semaphore(beside)
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
        """Make each item, side by side, and give `done` what it came to as soon as that is known.

        Shape: `memory` is what a program takes that is run here after all.
        Raises: Interrupted if the build has been ended; what `make` raises.
        """

        def begun(item: _Item, begin: Callable[[], None]) -> _Made:
            take_turns(partial(self._workers.place, memory(item)))
            # Nobody waits for this machine: what it has no time for goes elsewhere.
            here = self._beside.acquire(blocking=False)
            try:
                # Once the server is left alone, it is not worth finding out what a unit reads.
                set_runner(None if here or self.executor.left else self.executor.run)
                begin()
                return make(item)
            finally:
                if here:
                    self._beside.release()

        map_in_threads(items, begun, done, began, most=self._count, name="cratewright farm")

    def shares(self, count: int) -> list[range]:
        """Return so many positions in shares, as many as are made at a time or more, large and small ones mixed."""
        number = max(min(self._count, count), -(-count // _TOGETHER))
        return [range(first, count, number) for first in range(number)]

    def close(self) -> None:
        """Let go of the server."""
        self.executor.close()
