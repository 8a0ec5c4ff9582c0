"""Workers that are new interpreters, for where forking is impossible or unsafe.

Each warms itself up, in parallel with the others, and inherits nothing but the messages it is sent.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..base.host import wait_unreaped
from ..system.child import end_group, watch_groups
from ..system.scratch import scratch_root
from .interpreter import start_interpreter
from .worker import Calls, Surroundings, cannot_start, send

if TYPE_CHECKING:
    import subprocess

_BOOT = "import sys; sys.path[:] = {path!r}; from cratewright.workers.worker import work; work()"


class Spawner:
    """Starts workers that warm up while others already work.

    Shape: `warm` and `paths` as in `Zygote`.
    """

    warms = False
    """Whether a started worker is ready at once."""
    usable = True

    def __init__(self, *, warm: Calls, paths: Sequence[str]) -> None:
        path = list(dict.fromkeys([*sys.path, *paths]))
        self._given = Surroundings(path, dict(os.environ), os.getcwd(), list(warm), scratch_root())
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        watch_groups()

    def start(self) -> tuple[socket.socket, int]:
        """Return the socket to a new worker, which will report that it is ready, and its process id.

        Raises: ToolError if no process can be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = start_interpreter(_BOOT.format(path=sys.path), theirs, os.environ)
            except OSError as error:
                ours.close()
                raise cannot_start(error) from error
        self._processes[process.pid] = process
        with suppress(OSError):  # waiting for it detects that it is dead
            send(ours, self._given)
        return ours, process.pid

    def reap(self, pid: int) -> int:
        """Return the exit status of a worker that has ended: negative for a signal, 0 if unknown."""
        process = self._processes.pop(pid, None)
        if process is None:
            return 0
        if wait_unreaped(pid):
            # Its children may live on, such as the compiler of a crashed wrapper.
            end_group(pid)
        status = process.wait()
        if process.stdin is not None:
            process.stdin.close()
        return status

    def close(self) -> None:
        """Do nothing: its workers have ended."""
