"""A worker process, as its caller sees it, and the calls that it is sent."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ..base.errors import CratewrightError, ToolError
from ..base.values import dataclass
from ..system.child import check_ended, disown, end_group, exit_reason, own, owns
from .worker import LENGTH_SIZE, ended_unexpectedly, receive, send, unprepared

if TYPE_CHECKING:
    from .spawned import Spawner
    from .zygote import Zygote


@dataclass(frozen=True, slots=True)
class WorkerCall:
    """A function of a module and its arguments, to be run in a worker.

    Shape: `function` is one that a worker can import; `label` names the unit in messages.
    Units: `memory` in bytes, what the call may need.
    """

    function: Callable[..., object]
    arguments: tuple[object, ...]
    label: str
    memory: int = 0


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """The outcome of a call: a value, or the error it raised."""

    value: object
    error: CratewrightError | None = None

    def get(self) -> object:
        """Return the value.

        Raises: the error, if there is one.
        """
        if self.error is not None:
            raise self.error
        return self.value


class WorkerProcess:
    """One process at the other end of a socket."""

    def __init__(self, connection: socket.socket, pid: int, source: Zygote | Spawner, number: int) -> None:
        self.socket = connection
        self.alive = True
        self.ready = source.warms
        self._began = time.monotonic()
        self.pid = pid
        self.number = number
        self._source = source
        own(pid)

    def send(self, call: WorkerCall) -> None:
        with suppress(OSError):  # receiving detects a dead worker
            send(self.socket, (call.function, call.arguments))

    @property
    def age(self) -> float:
        """Return its age in seconds."""
        return time.monotonic() - self._began

    def become_ready(self) -> None:
        """Receive the message that a new worker is ready.

        Raises: ToolError if it has ended instead; any CratewrightError of a warm-up call.
        """
        try:
            kind, value = receive(self.socket, LENGTH_SIZE)
        except (OSError, EOFError):
            raise ended_unexpectedly(self._reap()) from None
        if kind != "ready":
            raise unprepared(value)
        self.ready = True

    def receive(self, call: WorkerCall) -> CallOutcome:
        try:
            kind, value = receive(self.socket)
        except (OSError, EOFError):
            return CallOutcome(None, _crashed(call, self._reap()))
        if kind == "value":
            return CallOutcome(value)
        if isinstance(value, CratewrightError):
            return CallOutcome(None, value)
        raise RuntimeError(f"{call.label}: {call.function.__qualname__} failed in a worker\n{value}")

    def _reap(self) -> int:
        """Return how this dead worker ended.

        Raises: Interrupted if the build has been ended.
        """
        self.alive = False
        self.socket.close()
        check_ended()
        disown(self.pid)
        return self._source.reap(self.pid)

    def kill(self) -> None:
        self.alive = False
        self.socket.close()
        if owns(self.pid):
            end_group(self.pid)
            disown(self.pid)
            with suppress(ToolError):  # then nobody has to
                self._source.reap(self.pid)


def _crashed(call: WorkerCall, status: int) -> ToolError:
    return ToolError(
        f"{call.label}: the compiler crashed",
        context=(("reason", exit_reason(status)),),
        hint="this is a fault of the compiler; try another opt_level, or simplify the unit",
    )


def hung(label: str, seconds: float) -> ToolError:
    """Return the error of a call that takes too long."""
    return ToolError(
        f"{label}: the compiler did not answer within {seconds:g} s and was killed",
        hint="set CRATE_TIMEOUT to a larger number of seconds if the unit is merely slow",
    )
