"""Runs `scons` in forks of a process that has imported it, at a fifth of the cost of a new process.

Each run is a process with its own directory, environment and output, and runs its exit functions. Two servers with
different hash seeds take turns, so that no result depends on the order of a set. Variables that an interpreter or the
loader reads at its start (`PYTHON…`, `LD_…`, the locale) do not affect a fork: such runs need a new process.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import hashlib
import importlib
import itertools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["SconsServer", "can_fork"]

_FIXED = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC")
_LARGE = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
_NUMBER = 10
_PAGE = 1 << 21
_COLLAPSE = 25
"""MADV_COLLAPSE, which the module `mmap` does not name."""


def can_fork(environ: Mapping[str, str]) -> bool:
    """Return whether runs with these variables can be forked here."""
    return hasattr(os, "pidfd_open") and not any(name.startswith(_FIXED) for name in environ)


class SconsServer:
    """The servers for the cratewright in the directory `site`, or for the installed one if that is empty.

    All processes of one test run share them.
    """

    def __init__(self, site: str, environ: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._sockets = itertools.cycle(
            # With huge pages, a fork has few page table entries to copy.
            [self._connected(site, {**environ, **_LARGE, "PYTHONHASHSEED": seed}) for seed in "12"]
        )

    def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        environ: Mapping[str, str],
        timeout: float,
        program: str = "scons",
    ) -> subprocess.CompletedProcess[str]:
        """Run `scons`, or `cratewright`, to its end and return what it printed.

        Units: `timeout` in seconds.
        Raises: subprocess.TimeoutExpired; the run has then been killed.
        """
        words = [program, *arguments]
        request = json.dumps({"argv": words, "cwd": str(cwd), "environ": dict(environ)}).encode()
        ends = [os.pipe() for _ in range(3)]
        with self._lock:
            connection = next(self._sockets)
            socket.send_fds(connection, [b"%10d" % len(request)], [write for _, write in ends])
            connection.sendall(request)
            process = int(connection.recv(_NUMBER, socket.MSG_WAITALL))
        for _, write in ends:
            os.close(write)
        try:
            stdout, stderr, status = _read([read for read, _ in ends], timeout)
        except TimeoutError as error:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, timeout) from error
        finally:
            for read, _ in ends:
                os.close(read)
        return subprocess.CompletedProcess(words, int(status), stdout, stderr)

    @staticmethod
    def _connected(site: str, environ: Mapping[str, str]) -> socket.socket:
        """Connect to the server; start it if it does not run."""
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
        words = json.dumps([run, site, dict(environ)])
        path = os.path.join(tempfile.gettempdir(), f"cw-scons-{hashlib.sha256(words.encode()).hexdigest()[:16]}")
        for _ in range(10_000):
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(path)
            except OSError:
                connection.close()
                _start(path, site, environ)
                time.sleep(0.001)
            else:
                _CONNECTIONS.append(connection)
                return connection
        raise RuntimeError(f"the server at {path} has died")


def _start(path: str, site: str, environ: Mapping[str, str]) -> None:
    """Start a server at a path, unless another process does; it ends with its last connection."""
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(path)
        except OSError:
            return
        listener.listen()
        listener.set_inheritable(True)
        nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        words = [sys.executable, __file__, str(listener.fileno()), site]
        _STARTED.append(os.posix_spawn(sys.executable, words, environ, file_actions=nowhere))


_CONNECTIONS: list[socket.socket] = []
_STARTED: list[int] = []


@atexit.register
def _end() -> None:
    """Disconnect from all servers before waiting for any, so that test processes do not wait for one another."""
    for connection in _CONNECTIONS:
        connection.close()
    for process in _STARTED:
        with suppress(ChildProcessError):
            os.waitpid(process, 0)


def _read(files: Sequence[int], timeout: float) -> list[str]:
    """Read files concurrently to their ends, as text."""
    chunks = {file: b"" for file in files}
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for file in files:
            selector.register(file, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if chunk := os.read(key.fd, 1 << 16):
                    chunks[key.fd] += chunk
                else:
                    selector.unregister(key.fd)
    return [text.decode() for text in chunks.values()]


def _serve(listener: socket.socket) -> bool:
    """Fork a process for each request; return True in the fork, and False after the last connection."""
    running: dict[int, tuple[int, int]] = {}
    connections: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)

        def accept() -> None:
            connection, _ = listener.accept()
            connections[connection.fileno()] = connection
            selector.register(connection, selectors.EVENT_READ)

        while True:
            for key, _ in selector.select():
                if key.fd in running:
                    process, status = running.pop(key.fd)
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    with suppress(BrokenPipeError):
                        os.write(status, b"%d" % os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
                    os.close(status)
                    continue
                if key.fileobj is listener:
                    accept()
                    continue
                connection = connections[key.fd]
                head, files, _, _ = socket.recv_fds(connection, _NUMBER, 3)
                if not head:
                    selector.unregister(connection)
                    connections.pop(key.fd).close()
                    if not connections:
                        # No process can connect from now on, but one may have just before.
                        with suppress(FileNotFoundError):
                            os.unlink(listener.getsockname())
                        listener.setblocking(False)
                        try:
                            accept()
                        except BlockingIOError:
                            return False
                    continue
                request = json.loads(connection.recv(int(head), socket.MSG_WAITALL))
                if not (process := os.fork()):
                    selector.close()
                    for each in (listener, *connections.values()):
                        each.close()
                    _become(request, files, [*running, *(status for _, status in running.values())])
                    return True
                connection.sendall((b"%d" % process).ljust(_NUMBER))
                os.close(files[0])
                os.close(files[1])
                handle = os.pidfd_open(process)
                running[handle] = (process, files[2])
                selector.register(handle, selectors.EVENT_READ)


def _become(request: dict[str, object], files: Sequence[int], others: Sequence[int]) -> None:
    """Give this fork the files, environment, directory and arguments of a request."""
    os.dup2(files[0], 1)
    os.dup2(files[1], 2)
    for number in (*files, *others):
        os.close(number)
    os.environ.clear()
    os.environ.update(request["environ"])  # type: ignore[call-overload]
    os.chdir(str(request["cwd"]))
    sys.path.insert(0, os.getcwd())
    sys.argv = request["argv"]  # type: ignore[assignment]


def main(number: str, site: str) -> None:
    """Import what runs need, then serve; a fork returns from serving and runs the program."""
    warm_scons = importlib.import_module("warm_scons")  # from this file's directory
    path = sys.path[1:]
    sys.path[:1] = [site] if site else []
    with suppress(Exception):  # a run that needs a missing or broken module will report it
        warm_scons.warm()
    sys.path[:] = path
    gc.collect()
    gc.freeze()
    _make_pages_large()
    if _serve(socket.socket(fileno=int(number))):
        _run()


def _make_pages_large() -> None:
    """Move the heap into huge pages, so that a fork has few page table entries to copy."""
    advise = ctypes.CDLL(None).madvise
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, access, _, _, file = line.split()[:5]
        start, end = (int(word, 16) for word in span.split("-"))
        start, size = -(-start // _PAGE) * _PAGE, end // _PAGE * _PAGE - -(-start // _PAGE) * _PAGE
        if access == "rw-p" and file == "0" and size > 0:
            advise(ctypes.c_void_p(start), ctypes.c_size_t(size), _COLLAPSE)  # older systems refuse, harmlessly


def _run() -> None:
    """Run the program and end as an interpreter does, but free no objects, which would copy their pages."""
    status: object = None
    try:
        if sys.argv[0] == "scons":
            sys.modules["SCons.Script"].main()
        else:
            status = importlib.import_module("cratewright.cli").main()
    except SystemExit as stop:
        status = stop.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    main(*sys.argv[1:])
