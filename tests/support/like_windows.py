"""Makes this process look like one on Windows: removes what Python lacks there, and adds stand-ins for what it has.

Execute its text before anything else is imported. `PLACE` is a directory for sockets.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from typing import Any

PLACE = os.environ["PLACE"]
_MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "pty", "tty", "syslog", "readline")
_OS = (
    *("fork", "forkpty", "register_at_fork", "killpg", "setpgid", "getpgid", "setsid", "getsid", "waitid", "wait4"),
    *("posix_spawn", "posix_spawnp", "getuid", "geteuid", "getgid", "getegid", "fchmod", "fchown", "chown", "pread"),
    *("pwrite", "statvfs", "fstatvfs", "sysconf", "sched_getaffinity", "mkfifo", "set_blocking", "getppid", "uname"),
    *("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_DIRECTORY"),
)
_SIGNALS = (
    "SIGHUP",
    "SIGALRM",
    "SIGKILL",
    "SIGPIPE",
    "SIGUSR1",
    "SIGUSR2",
    "SIGCHLD",
    "setitimer",
    "pthread_sigmask",
    "alarm",
    "pause",
)
KILL = os.kill, int(signal.SIGKILL)


class _Blocked:
    """Hides modules."""

    __module__ = "_frozen_importlib"

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in _MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _share(given: socket.socket, pid: int) -> bytes:
    """Stand in for `socket.share`: its result lets the process `pid` receive the socket, once."""
    server = socket.socket(socket.AF_UNIX)
    path = os.path.join(PLACE, f"share{given.fileno()}-{pid}-{os.getpid()}")
    server.bind(path)
    server.listen(1)
    kept = given.dup()

    def hand() -> None:
        with server, kept, server.accept()[0] as connection:
            _send_fds(connection, [b"x"], [kept.fileno()])

    threading.Thread(target=hand, daemon=True).start()
    return path.encode()


def _from_share(data: bytes) -> socket.socket:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(data.decode())
        return socket.socket(fileno=_recv_fds(connection, 1, 1)[1][0])


class _Locks:
    """Stand in for `msvcrt`."""

    LK_NBLCK = 2

    @staticmethod
    def locking(handle: int, mode: int, size: int) -> None:
        try:
            _fcntl.lockf(handle, _fcntl.LOCK_EX | _fcntl.LOCK_NB, size, 0, os.SEEK_CUR)
        except BlockingIOError as error:
            raise PermissionError(13, "Permission denied") from error


_send_fds, _recv_fds = socket.send_fds, socket.recv_fds
_fcntl: Any = __import__("fcntl")
import shutil  # noqa: E402 - before their own dependencies are removed
import subprocess  # noqa: E402

for _module in _MODULES:
    sys.modules.pop(_module, None)
sys.meta_path.insert(0, _Blocked())  # type: ignore[arg-type]
for _holder, _names in ((os, _OS), (signal, _SIGNALS), (socket, ("send_fds", "recv_fds"))):
    for _name in _names:
        if hasattr(_holder, _name):
            delattr(_holder, _name)
# Decided when these modules are imported.
shutil._use_fd_functions = False  # type: ignore[attr-defined]
subprocess._USE_POSIX_SPAWN = False  # type: ignore[attr-defined]
sys.modules["msvcrt"] = _Locks  # type: ignore[assignment]
socket.socket.share = _share  # type: ignore[attr-defined]
socket.fromshare = _from_share  # type: ignore[attr-defined]
