"""The other side of `process`: a zygote and the workers it forks, and the messages that pass between.

It runs the functions it is told.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from .child import end_group, join_group
from .errors import CratewrightError, ToolError
from .scratch import use_scratch
from .values import dataclass

__all__ = ["Calls", "Surroundings", "cannot_fork", "main", "portable_error", "receive", "send", "serve"]

Calls = Sequence[tuple[Callable[..., object], tuple[object, ...]]]

_LENGTH = struct.Struct(">Q")
# Nearly every message comes in one part of this size.
_PART = 1 << 16


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a zygote takes over from its caller before it forks the first worker, and the calls that warm it up."""

    path: list[str]
    environ: dict[str, str]
    directory: str
    calls: Calls
    scratch: str = ""


def send(connection: socket.socket, message: object) -> None:
    """Send a message, which is anything that can be pickled."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket) -> tuple[str, object]:
    """Return the answer to the message sent last: its kind and its value.

    Raises: EOFError, OSError if there will be none.
    """
    answer = pickle.loads(_message(connection))
    return answer[0], answer[1]


def _message(connection: socket.socket, part: int = _PART) -> memoryview:
    """Return the one message that is on its way.

    Shape: nothing may follow it before it is answered, unless `part` is the size of a length.
    """
    first = _some(connection.recv(part))
    while len(first) < _LENGTH.size:
        first += _some(connection.recv(part - len(first)))
    (size,) = _LENGTH.unpack_from(first)
    have = len(first) - _LENGTH.size
    if have == size:
        return memoryview(first)[_LENGTH.size :]
    data = bytearray(size)
    data[:have] = memoryview(first)[_LENGTH.size :]
    rest = memoryview(data)[have:]
    while rest:
        got = connection.recv_into(rest)
        if not got:
            raise EOFError
        rest = rest[got:]
    return memoryview(data)


def _some(part: bytes) -> bytes:
    if not part:
        raise EOFError
    return part


def main() -> None:
    """Be a zygote from the start; the socket to be asked through is standard input."""
    serve(socket.socket(fileno=os.dup(0)))


def serve(control: socket.socket) -> NoReturn:
    """Be a zygote: fork workers when asked to, and run nothing else."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller decides what an interrupt means
    join_group()
    workers: set[int] = set()
    while True:
        try:
            kind, argument = _request(control)
        except (OSError, EOFError):  # the caller has ended, perhaps killed
            for pid in workers:
                end_group(pid)
            os._exit(0)
        if kind == "fork":
            _, handles, _, _ = socket.recv_fds(control, 1, 1)
            # What is loaded now lives as long as the workers do. To look through it would be a waste, and to mark it
            # after the fork would copy it.
            gc.freeze()
            try:
                pid = os.fork()
            except OSError as error:
                os.close(handles[0])
                send(control, ("error", cannot_fork(error)))
                continue
            if pid == 0:
                control.close()
                join_group()
                _worker_main(socket.socket(fileno=handles[0]))
            os.close(handles[0])
            workers.add(pid)
            with suppress(OSError):
                os.setpgid(pid, pid)  # whoever is first: the caller may end the group at once
            send(control, ("value", pid))
        elif kind == "reap":
            assert isinstance(argument, int)
            workers.discard(argument)
            send(control, ("value", _reap(argument)))
        else:
            assert isinstance(argument, Surroundings)
            send(control, _prepare(argument))


def _request(control: socket.socket) -> tuple[str, object]:
    request = pickle.loads(_message(control, _LENGTH.size))
    return request[0], request[1] if len(request) > 1 else None


def _reap(pid: int) -> int:
    try:
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            # What it has started may live on, as a compiler whose wrapper has crashed.
            end_group(pid)
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0


def _prepare(given: Surroundings) -> tuple[str, object]:
    sys.path[:] = given.path
    os.environ.clear()
    os.environ.update(given.environ)
    use_scratch(given.scratch)
    try:
        os.chdir(given.directory)
        for function, arguments in given.calls:
            function(*arguments)
    except Exception as error:
        return "error", _portable(error)
    return "value", None


def _worker_main(connection: socket.socket) -> None:
    gc.set_threshold(200_000, 20, 100)
    while True:
        try:
            function, arguments = pickle.loads(_message(connection))
        except (OSError, EOFError):
            os._exit(0)
        except Exception as error:  # what is to be called is not found here
            send(connection, ("error", _portable(error)))
            continue
        try:
            answer: tuple[str, object] = ("value", function(*arguments))
        except Exception as error:
            answer = ("error", _portable(error))
        try:
            send(connection, answer)
        except OSError:
            os._exit(0)
        except Exception as error:  # the value cannot be pickled; nothing of it was sent
            send(connection, ("error", _portable(error)))


def cannot_fork(error: OSError) -> ToolError:
    """Return the error of a process that cannot be started."""
    return ToolError(
        "no process can be started",
        context=(("reason", error.strerror or str(error)),),
        hint="end other processes, or raise the limit of them (ulimit -u), or build with fewer jobs",
    )


def portable_error(error: BaseException) -> CratewrightError | None:
    """Return an error that is about the machine, and no fault of ours, as one to be shown; None for any other."""
    if isinstance(error, CratewrightError):
        return error
    if isinstance(error, OSError):
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place is not None else ""
        rows = [("reason", error.strerror or str(error)), ("file", error.filename or ""), ("at", where)]
        return ToolError("the system refused what a backend asked of it", context=[row for row in rows if row[1]])
    return None


def _portable(error: Exception) -> object:
    shown = portable_error(error)
    if shown is not None:
        return shown
    import traceback  # noqa: PLC0415 - only ever needed for a fault of ours

    return "".join(traceback.format_exception(error))
