"""Differences between operating systems, all in one place.

Each facility is requested by what it does. Where it is missing, there is an alternative or an error.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

# Flags of `os.open` that some systems lack.
BINARY: int = getattr(os, "O_BINARY", 0)
CLOEXEC: int = getattr(os, "O_CLOEXEC", 0)
NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)

WINDOWS = sys.platform == "win32"
"""Whether paths have drives, sockets are handed over by themselves and open files stand in the way."""
_ATTEMPTS = 40
"""How often replacing a file is retried while another process, such as a virus scanner or an editor, holds it open."""
_PAUSE = 0.05
_NOWHERE = 1 << 30


def is_absolute(path: str) -> bool:
    """Return whether a `/`-separated path is absolute."""
    return path.startswith("/") or (WINDOWS and path[1:2] == ":")


def way_to(root: str, path: str) -> str:
    """Return an absolute path relative to an absolute root, if they have any directory in common."""
    path, root = path.replace(os.sep, "/"), root.replace(os.sep, "/")
    return os.path.relpath(path, root).replace(os.sep, "/") if path.split("/")[:2] == root.split("/")[:2] else path


def whole_path(root: str, path: str) -> str:
    """Return a `/`-separated path of a file below an absolute root as it is; absolute if it begins with `..`.

    Shape: later steps up stay, for they may follow a link.
    """
    above = root.replace(os.sep, "/").rstrip("/")
    while path.startswith("../"):
        above, path = above.rpartition("/")[0], path[3:]
        if not path.startswith("../"):
            return f"{above}/{path}"
    return path


def can_fork() -> bool:
    """Return whether this system can fork."""
    return hasattr(os, "fork")


def forks_safely() -> bool:
    """Return whether a fork may do more than exec: on macOS, system libraries do not allow it."""
    return can_fork() and sys.platform != "darwin"


def default_workers() -> str:
    """Return how workers are started by default."""
    return "fork" if forks_safely() else "spawn"


def new_group() -> dict[str, Any]:
    """Return the arguments of `subprocess.Popen` that make a child lead its own group."""
    if WINDOWS:
        return {"creationflags": 0x200}  # CREATE_NEW_PROCESS_GROUP: Ctrl-C goes to the parent alone
    return {"start_new_session": True}


def lead_group() -> None:
    """Lead a group from now on."""
    if hasattr(os, "setpgid"):
        with suppress(OSError):  # it leads a session, and so already its group
            os.setpgid(0, 0)


def end_tree(leader: int) -> None:
    """Kill a process and those of its descendants that the system can name."""
    if has_groups():
        try:
            os.killpg(leader, signal.SIGKILL)
        except OSError:  # it does not lead a group yet
            with suppress(OSError):
                os.kill(leader, signal.SIGKILL)
        return
    if WINDOWS:
        _end_tree_on_windows(leader)
    with suppress(OSError):
        os.kill(leader, getattr(signal, "SIGKILL", signal.SIGTERM))  # on Windows both end it at once


def _end_tree_on_windows(leader: int) -> None:
    import subprocess  # noqa: PLC0415 - a build that is not ended runs no program for it

    program = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "taskkill.exe")
    nothing = subprocess.DEVNULL
    with suppress(OSError):
        subprocess.run([program, "/F", "/T", "/PID", str(leader)], stdout=nothing, stderr=nothing, check=False)


@contextmanager
def hold_signals() -> Iterator[None]:
    """Block the signals that end this process while it forks and records its child.

    A signal in between would orphan the child. And Python runs hooks when it forks and drops what they raise, so Ctrl-C
    would be lost. The child unblocks the signals itself.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ending())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def release_signals() -> None:
    """Unblock, in a child, the signals that its parent blocked."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ending())


def _ending() -> set[signal.Signals]:
    return {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def has_groups() -> bool:
    """Return whether a process group can be killed as a whole."""
    return hasattr(os, "killpg")


def wait_unreaped(pid: int) -> bool:
    """Wait until a child has ended; return whether it is still unreaped, so that its group's number is not reused."""
    if not hasattr(os, "waitid"):
        return False
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def user_number() -> int:
    """Return the user id; 0 where each user has a temporary directory."""
    return os.getuid() if hasattr(os, "getuid") else 0


def belongs_to_user(found: os.stat_result) -> bool:
    """Return whether this user owns a file; true where files have no owner ids, and directories keep others out."""
    return not hasattr(os, "geteuid") or found.st_uid == os.geteuid()


def permit(handle: int, mode: int) -> None:
    """Set an open file's permissions, where files have any.

    Raises: OSError.
    """
    if hasattr(os, "fchmod"):
        os.fchmod(handle, mode)


def wakeup_ends() -> tuple[Callable[[], bytes], int]:
    """Return a function that waits for signal numbers, and the descriptor for `signal.set_wakeup_fd`."""
    if WINDOWS:  # which accepts only a socket
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        return lambda: ours.recv(64), theirs.detach()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    return lambda: os.read(reader, 64), writer


def can_lock() -> bool:
    """Return whether files can be locked here, so that a lock proves that its process lives."""
    return _posix_locks() is not None or _windows_locks() is not None


def lock(handle: int, *, forks: bool = True, wait: bool = False) -> bool:
    """Lock an open file until this process and, if `forks`, its forks have closed it; return whether it is locked.

    Where files cannot be locked, this returns True. It waits if told to, except on Windows.
    Raises: OSError if this file cannot be locked.
    """
    posix, windows = _posix_locks(), _windows_locks()
    try:
        if posix is not None:
            (posix.flock if forks else posix.lockf)(handle, posix.LOCK_EX | (0 if wait else posix.LOCK_NB))
        elif windows is not None:
            # A locked byte cannot be read by others, so it lies beyond the end of any file.
            place = os.lseek(handle, 0, os.SEEK_CUR)
            os.lseek(handle, _NOWHERE, os.SEEK_SET)
            try:
                windows.locking(handle, windows.LK_NBLCK, 1)
            finally:
                os.lseek(handle, place, os.SEEK_SET)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _posix_locks() -> Any:
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    return fcntl


def _windows_locks() -> Any:
    try:
        import msvcrt  # noqa: PLC0415 - on Windows alone
    except ImportError:
        return None
    return msvcrt


def replace(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Replace a file by another, atomically; on Windows, wait briefly for programs that have it open.

    Raises: OSError.
    """
    for attempt in range(_ATTEMPTS):
        try:
            os.replace(source, target)
        except PermissionError:
            if not WINDOWS or attempt == _ATTEMPTS - 1 or os.path.isdir(target):
                raise
            time.sleep(_PAUSE)
        else:
            return
