"""The worker's side of `process`: a zygote and the workers it forks, new interpreters, and their messages."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from ..base.errors import CratewrightError, ToolError
from ..base.host import has_groups, wait_unreaped
from ..base.values import dataclass
from ..system.child import end_all, end_group, join_group
from ..system.scratch import use_scratch
from .interpreter import adopt

Calls = Sequence[tuple[Callable[..., object], tuple[object, ...]]]

_LENGTH = struct.Struct(">Q")
_PART = 1 << 16
"""Nearly every message fits one part of this size."""
LENGTH_SIZE = _LENGTH.size
"""The part of a message to ask for first if another may follow it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The state that a zygote or a spawned worker takes over from its caller, and its warm-up calls."""

    path: list[str]
    environ: dict[str, str]
    directory: str
    calls: Calls
    scratch: str = ""


def send(connection: socket.socket, message: object) -> None:
    """Send any object that can be pickled."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket, part: int = _PART) -> tuple[str, object]:
    """Return the answer to the message sent last: its kind and its value.

    Shape: `part` as in `_message`, if another message may follow.
    Raises: EOFError, OSError if none will come.
    """
    answer = pickle.loads(_message(connection, part))
    return answer[0], answer[1]


def _message(connection: socket.socket, part: int = _PART) -> memoryview:
    """Return the next message.

    Shape: no other may follow before this one is answered, unless `part` is the size of the length field.
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
    """Run a new interpreter as a zygote; its socket is standard input."""
    serve(socket.socket(fileno=os.dup(0)))


def work() -> NoReturn:
    """Run a new interpreter as a worker with its caller's surroundings; standard input ends with the caller."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller decides what an interrupt means
    join_group()
    connection = adopt()
    threading.Thread(target=_end_with_caller, name="cratewright caller", daemon=True).start()
    try:
        kind, value = _prepare(pickle.loads(_message(connection, LENGTH_SIZE)))
    except (OSError, EOFError):
        os._exit(0)
    except Exception as error:  # a warm-up function cannot be imported here
        kind, value = "error", _portable(error)
    gc.freeze()  # exempt what is loaded now from collection, as in the zygote
    with suppress(OSError):
        send(connection, ("ready" if kind == "value" else "unready", value))
    _worker_main(connection)


def _end_with_caller() -> None:
    """End this process and its children when the caller is gone."""
    with suppress(OSError):
        while os.read(0, 64):
            pass
    end_all()
    if has_groups():
        end_group(os.getpid())
    os._exit(0)


def serve(control: socket.socket) -> NoReturn:
    """Run as a zygote: fork workers on request, and nothing else."""
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
            # What is loaded now lives as long as the workers: scanning it is a waste, and the collector's marks would
            # copy shared pages after the fork.
            gc.freeze()
            try:
                pid = os.fork()
            except OSError as error:
                os.close(handles[0])
                send(control, ("error", cannot_start(error)))
                continue
            if pid == 0:
                control.close()
                join_group()
                _worker_main(socket.socket(fileno=handles[0]))
            os.close(handles[0])
            workers.add(pid)
            with suppress(OSError):
                os.setpgid(pid, pid)  # the child does so too: whoever is first, the caller can end the group at once
            send(control, ("value", pid))
        elif kind == "reap":
            assert isinstance(argument, int)
            workers.discard(argument)
            send(control, ("value", _reap(argument)))
        else:
            assert isinstance(argument, Surroundings)
            send(control, _prepare(argument))


def _request(control: socket.socket) -> tuple[str, object]:
    request = pickle.loads(_message(control, LENGTH_SIZE))
    return request[0], request[1] if len(request) > 1 else None


def _reap(pid: int) -> int:
    if wait_unreaped(pid):
        # Its children may live on, such as the compiler of a crashed wrapper.
        end_group(pid)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
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


def _worker_main(connection: socket.socket) -> NoReturn:
    gc.set_threshold(200_000, 20, 100)
    while True:
        try:
            function, arguments = pickle.loads(_message(connection))
        except (OSError, EOFError):
            os._exit(0)
        except Exception as error:  # the function cannot be imported here
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
        except Exception as error:  # the value cannot be pickled; nothing was sent
            send(connection, ("error", _portable(error)))


def cannot_start(error: OSError) -> ToolError:
    """Return the error of a process that cannot be started."""
    return ToolError(
        "no process can be started",
        context=(("reason", error.strerror or str(error)),),
        hint="end other processes, raise their limit (ulimit -u), or build with fewer jobs",
    )


def not_ready(seconds: float) -> ToolError:
    """Return the error of a backend that takes too long to warm up."""
    return ToolError(
        f"the backend was not ready after {seconds:g} s and was killed",
        hint="set CRATE_TIMEOUT to a larger number of seconds if it is merely slow",
    )


def ended_unexpectedly(status: int) -> ToolError:
    """Return the error of a process that ended during its warm-up or before it forked a worker."""
    return ToolError("the worker process ended unexpectedly", context=(("exit status", status),))


def unprepared(value: object) -> Exception:
    """Return the error of a process whose warm-up failed: its own message, or a traceback."""
    return value if isinstance(value, CratewrightError) else RuntimeError(f"a worker could not be prepared\n{value}")


def portable_error(error: BaseException) -> CratewrightError | None:
    """Return the error as users see it: a CratewrightError as it is, an OSError as a ToolError, else None."""
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
