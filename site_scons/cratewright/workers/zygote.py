"""The process from which workers are forked: a fork of this process if that is safe, else a new Python."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from ..base.errors import ToolError
from ..base.host import can_fork, hold_signals, release_signals, wait_unreaped
from ..system.child import check_ended, disown, end_group, own, owns, watch_groups
from ..system.scratch import scratch_root
from .interpreter import isolated
from .worker import Calls, Surroundings, cannot_start, ended_unexpectedly, not_ready, receive, send, serve, unprepared

_OPEN_FILES = "/dev/fd"
_BOOT = "import sys; sys.path[:] = {path!r}; from cratewright.workers.worker import main; main()"


class Zygote:
    """A single-threaded, hence safely forked, process in which everything that workers need is imported and warm."""

    warms = True
    """Whether a started worker is ready at once."""

    def __init__(self, *, warm: Calls, paths: Sequence[str], timeout: float | None = None) -> None:
        """Start the process, or take the one forked ahead.

        Shape: `warm` are functions with their arguments, called once; `paths` are directories to import from, beside
        this process's own.
        Units: `timeout` in seconds, for all calls together.
        Raises: ToolError if this platform cannot fork, or the calls take too long; any CratewrightError of a call.
        """
        scratch = scratch_root()
        self._lock = threading.Lock()
        self._process = _start()
        self.alive = True
        if warm:  # during its warm-up it does not notice that its caller is gone
            watch_groups()
        path = list(dict.fromkeys([*sys.path, *paths]))
        self._ask(("warm", Surroundings(path, dict(os.environ), os.getcwd(), list(warm), scratch)), timeout=timeout)

    def start(self) -> tuple[socket.socket, int]:
        """Return the socket to a new worker, which is ready, and its process id.

        Raises: ToolError if it cannot be forked.
        """
        ours, theirs = socket.socketpair()
        pid = self._ask(("fork",), theirs)
        theirs.close()
        if not isinstance(pid, int):
            raise ToolError("no worker could be started", context=(("reason", pid),))
        return ours, pid

    def reap(self, pid: int) -> int:
        """Return the exit status of a worker that has ended: negative for a signal, 0 if unknown."""
        status = self._ask(("reap", pid)) if self.alive else 0
        return status if isinstance(status, int) else 0

    def close(self) -> None:
        """Kill the process; its workers must have ended."""
        self.alive = False
        self._process.close()

    @property
    def usable(self) -> bool:
        """Whether a worker can be forked from it."""
        return self.alive and owns(self._process.pid)

    def _ask(
        self, request: tuple[object, ...], passed: socket.socket | None = None, timeout: float | None = None
    ) -> object:
        with self._lock:
            connection = self._process.socket
            connection.settimeout(timeout)
            try:
                send(connection, request)
                if passed is not None:
                    socket.send_fds(connection, [b"f"], [passed.fileno()])
                kind, value = receive(connection)
            except TimeoutError as error:
                self.close()
                raise not_ready(timeout or 0) from error
            except (OSError, EOFError) as error:
                self.alive = False
                check_ended()
                raise ended_unexpectedly(self._process.ended()) from error
        if kind == "error":
            self.close()
            raise unprepared(value)
        return value


class _Process:
    """A child of this process and the socket to it."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.socket = connection
        self.pid = pid
        with suppress(OSError):
            os.setpgid(pid, pid)
        own(pid)

    def ended(self) -> int:
        """Wait for its end, kill its remaining children, and return its exit status; 0 if it was reaped elsewhere."""
        wait_unreaped(self.pid)
        return self._end()

    def close(self) -> None:
        """Kill it."""
        self.socket.close()
        self._end()

    def _end(self) -> int:
        # Until it is reaped, no other group can have its number.
        end_group(self.pid)
        disown(self.pid)
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            return 0


_spares: list[_Process] = []
"""At most one process forked ahead; a list, so that taking it is atomic."""

_forgotten: list[object] = []


def fork_ahead() -> None:
    """Fork the next zygote now, while this process still has one thread; later, only a new Python is safe.

    Without effect if one was forked already. A fork costs a millisecond or two, a new Python with its imports fifty.
    """
    if not _spares and _alone():
        with suppress(ToolError):  # the pool that needs it will raise it
            _spares.append(_forked())


@atexit.register
def _end_spare() -> None:
    while _spares:
        _spares.pop().close()


def _start() -> _Process:
    if not can_fork():
        raise ToolError("this platform cannot fork", hint="set CRATE_WORKERS to spawn")
    with suppress(IndexError):
        return _spares.pop()
    return _forked() if _alone() else _executed()


def _alone() -> bool:
    """Return whether no other thread can hold a lock, which would stay locked in the child for ever."""
    if not os.path.isdir(_OPEN_FILES):  # no /proc, as on systems without fork
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # counts also threads of libraries, unknown to Python
    except OSError:
        return threading.active_count() == 1


def _forked() -> _Process:
    ours, theirs = socket.socketpair()
    with hold_signals():
        try:
            pid = os.fork()
        except OSError as error:
            raise cannot_start(error) from error
        if pid == 0:
            try:
                _forget_parent(theirs)
                serve(theirs)
            except SystemExit as leaving:  # a called function exited; the worker must not continue as the caller
                os._exit(leaving.code if isinstance(leaving.code, int) else 1)
            finally:
                os._exit(1)
        theirs.close()
        return _Process(ours, pid)


def _forget_parent(control: socket.socket) -> None:
    """Release what a new program would not inherit."""
    # Replaced streams write to a file about to be closed. They are kept, since collecting them would write as well.
    _forgotten.extend((sys.stdin, sys.stdout, sys.stderr))
    gc.freeze()
    nothing = os.open(os.devnull, os.O_RDWR)
    # An inherited object closes its file when it is collected, as the next Popen collects a leftover one. So every
    # descriptor stays in use, or that would close another file of the same number.
    for number in {0, 1, *map(int, os.listdir(_OPEN_FILES))} - {2, nothing, control.fileno()}:
        os.dup2(nothing, number, inheritable=number < 2)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww"))
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    release_signals()


def _executed() -> _Process:
    ours, theirs = socket.socketpair()
    program = [sys.executable, *isolated(), "-S", "-c", _BOOT.format(path=sys.path)]
    # A worker's own output must not reach a build log or a pipe that is parsed.
    nothing = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    actions = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0), nothing]
    try:
        pid = os.posix_spawn(program[0], program, os.environ, file_actions=actions, setpgroup=0)
    except OSError as error:
        raise cannot_start(error) from error
    theirs.close()
    return _Process(ours, pid)
