"""Temporary files: a directory for each build, which the next build removes if the first was killed.

A lock shows that a build is alive: it ends with the process that holds it.
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
from ..base.host import CLOEXEC, NOFOLLOW, NONBLOCK, can_lock, is_own, lock, user_number

__all__ = ["remove_scratch", "scratch_directory", "scratch_lock", "scratch_root", "use_scratch"]

_MEMORY = "/dev/shm"
# Far more than the modules and objects of a link; what is left beside them is the user's.
_PLENTY = 4 << 30
_LOCK = ".lock"
_OPEN = os.O_RDWR | NOFOLLOW | CLOEXEC


class _Scratch:
    """The directory of this build, and the lock that says so."""

    def __init__(self) -> None:
        self.root = ""
        self.lock = -1
        self.owner = 0
        self.guard = threading.RLock()


_scratch = _Scratch()


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """Give a directory of its own that is gone afterwards; in memory, if the user has named no other place.

    Raises: OutputError if there is no room for one.
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
    """Wait until no other process is in here for a file that is made if need be, perhaps because it has ended.

    Shape: where files cannot be locked, on Windows and some file systems, several may be.
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
    """Return the directory of this build, made when first asked for; what dead builds have left is removed then.

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
    """Use the directory of the build that has started this process; who has made it removes it."""
    _scratch.root, _scratch.owner, _scratch.lock = root, 0, -1


def remove_scratch() -> None:
    """Remove the directory of this build and what is in it."""
    if _scratch.owner != os.getpid():
        return
    root, handle, _scratch.root = _scratch.root, _scratch.lock, ""
    _scratch.owner = 0
    shutil.rmtree(root, ignore_errors=True)
    # On Windows only what is closed can be removed; elsewhere the lock ends last, or another could take it meanwhile.
    for closed in (False, True):
        with suppress(OSError):
            os.unlink(root + _LOCK)
        if not closed:
            with suppress(OSError):
                os.close(handle)


def _prefix() -> str:
    return f"cratewright-{user_number()}-"


def _make(place: str) -> None:
    """Make a directory of a name whose lock file is held; who removes a lock file holds it as well."""
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
    """Remove what builds of this user have left that do not live any more."""
    if not can_lock():  # who lives cannot be told
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
                if stat.S_ISREG(found.st_mode) and is_own(found) and _held(handle, path):
                    root = path.removesuffix(_LOCK)
                    if os.path.lexists(root) and is_own(os.lstat(root)):
                        shutil.rmtree(root, ignore_errors=True)  # refuses a link
                    os.unlink(path)
            finally:
                os.close(handle)


def _held(handle: int, path: str) -> bool:
    """Return whether this process holds the lock of the file that is at a path now."""
    try:
        return lock(handle) and os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except OSError:
        return False


def _memory() -> str:
    """Return a directory that no disk is behind, if there is one with plenty of room.

    Thin LTO goes through two files for each module, and a file system takes up to half a millisecond to make one.
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
