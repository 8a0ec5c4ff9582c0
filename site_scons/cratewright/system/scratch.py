"""Temporary files: a directory for each build, which a later build removes if this one is killed.

A build holds a lock as long as it lives; the system releases it even if the build is killed.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..base.errors import OutputError
from ..base.host import CLOEXEC, NOFOLLOW, NONBLOCK, belongs_to_user, can_lock, lock, user_number

_MEMORY = "/dev/shm"
# Far more than the modules and objects of a link take.
_PLENTY = 4 << 30
_LOCK = ".lock"
_OPEN = os.O_RDWR | NOFOLLOW | CLOEXEC


class _Scratch:
    """The directory of this build, and the lock that marks it as in use."""

    def __init__(self) -> None:
        self.root = ""
        self.lock = -1
        self.owner = 0
        self.guard = threading.RLock()


_scratch = _Scratch()


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """Yield a new directory and remove it afterwards; it is in memory unless the user names another place.

    Raises: OutputError if it cannot be made.
    """
    try:
        directory = tempfile.mkdtemp(dir=scratch_root())
    except OSError as error:
        raise _no_room(_scratch.root or tempfile.gettempdir(), error) from error
    try:
        yield Path(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def scratch_lock(path: str) -> Iterator[None]:
    """Hold the lock of a file, created if missing, against other processes; one that ends releases its lock.

    On Windows and on file systems without locks, this excludes nobody.
    """
    handle = -1
    with suppress(OSError):
        handle = os.open(path, _OPEN | os.O_CREAT, 0o600)
        lock(handle, wait=True)
    try:
        yield
    finally:
        if handle >= 0:
            os.close(handle)


def scratch_root() -> str:
    """Return the directory of this build; the first call makes it and removes those of dead builds.

    Raises: OutputError if it cannot be made.
    """
    with _scratch.guard:
        if not _scratch.root:
            place = _memory() or _temporary()
            try:
                _sweep(place)
                _make(place)
            except OSError as error:
                raise _no_room(place, error) from error
            atexit.register(remove_scratch)
        return _scratch.root


def use_scratch(root: str) -> None:
    """Use the directory of the build that started this process, and leave its removal to that build."""
    _scratch.root, _scratch.owner, _scratch.lock = root, 0, -1


def remove_scratch() -> None:
    """Remove the directory of this build, if this process made it."""
    if _scratch.owner != os.getpid():
        return
    root, handle, _scratch.root = _scratch.root, _scratch.lock, ""
    _scratch.owner = 0
    shutil.rmtree(root, ignore_errors=True)
    # Windows cannot remove an open file. Elsewhere, unlink before closing: else another build could take the lock.
    for closed in (False, True):
        with suppress(OSError):
            os.unlink(root + _LOCK)
        if not closed:
            with suppress(OSError):
                os.close(handle)


def _prefix() -> str:
    return f"cratewright-{user_number()}-"


def _make(place: str) -> None:
    """Make the directory once its lock file is locked; whoever removes a lock file also holds its lock."""
    for _ in range(100):
        root = os.path.join(place, _prefix() + os.urandom(6).hex())
        handle = os.open(root + _LOCK, _OPEN | os.O_CREAT | os.O_EXCL, 0o600)
        if _held(handle, root + _LOCK):
            os.mkdir(root, 0o700)
            _scratch.root, _scratch.lock, _scratch.owner = root, handle, os.getpid()
            return
        os.close(handle)
    raise BlockingIOError("no lock can be held")


def _sweep(place: str) -> None:
    """Remove the directories of this user's dead builds."""
    if not can_lock():  # live builds cannot be told from dead ones
        return
    prefix = _prefix()
    with os.scandir(place) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(prefix) and entry.name.endswith(_LOCK)]
    for name in names:
        path = os.path.join(place, name)
        with suppress(OSError):
            handle = os.open(path, _OPEN | NONBLOCK)
            try:
                found = os.fstat(handle)
                if stat.S_ISREG(found.st_mode) and belongs_to_user(found) and _held(handle, path):
                    root = path.removesuffix(_LOCK)
                    if os.path.lexists(root) and belongs_to_user(os.lstat(root)):
                        shutil.rmtree(root, ignore_errors=True)  # rmtree refuses a symbolic link
                    os.unlink(path)
            finally:
                os.close(handle)


def _held(handle: int, path: str) -> bool:
    """Lock an open file; return whether that worked and the path still names this file."""
    try:
        return lock(handle) and os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except OSError:
        return False


def _memory() -> str:
    """Return a directory in memory if there is one with plenty of room, else an empty string.

    Thin LTO uses two files for each module, and creating one on disk takes up to half a millisecond.
    """
    if any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")) or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return ""
    found = os.statvfs(_MEMORY)
    return _MEMORY if found.f_bavail * found.f_frsize >= _PLENTY else ""


def _temporary() -> str:
    named = os.environ.get("TMPDIR", "")
    try:
        return os.path.abspath(tempfile.gettempdir())
    except OSError as error:
        raise _no_room(named or "the temporary directory", error) from error


def _no_room(place: str, error: OSError) -> OutputError:
    return OutputError(
        f"no scratch file can be made in {place}",
        context=(("reason", error.strerror or str(error)),),
        hint="make room there, or name another directory in TMPDIR",
    )
