"""The file to which a build's events are written as they happen, one JSON object on each line."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from ..base.errors import OutputError
from ..base.host import BINARY, CLOEXEC, NONBLOCK, lock
from .events import Event, event_line


class EventFile:
    """Writes events to a file, each whole and unbuffered, so that a stopped build leaves all events before its end.

    Raises: OutputError if the file cannot be opened for writing, holds anything but events, or belongs to another
    build. A later failure only stops the writing, and is reported to `lost`.
    """

    def __init__(self, path: str, lost: Callable[[str], object] = lambda message: None) -> None:
        self._file: int | None = _opened(path)
        self._path = path
        self._lost = lost
        self._lock = threading.RLock()  # a signal handler may write while this does
        self._start = time.monotonic()
        self._owner = os.getpid()

    def __call__(self, event: Event) -> None:
        """Write an event."""
        # Forks inherit the open file, but must not write to it.
        if os.getpid() != self._owner:
            return
        line = event_line(event, time.monotonic() - self._start)
        with self._lock:
            if self._file is None:
                return
            try:
                view = memoryview(line)
                while view:
                    view = view[os.write(self._file, view) :]
            except OSError as error:
                os.close(self._file)
                self._file = None
                reason = error.strerror or error
                self._lost(f"{self._path}: build events end here, the build goes on: {reason}")


def _opened(path: str) -> int:
    """Open an empty file for appending, or a pipe that has a reader."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | CLOEXEC | BINARY
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            # Without O_NONBLOCK, opening a pipe without a reader would block for ever.
            file = os.open(path, os.O_WRONLY | os.O_APPEND | NONBLOCK | CLOEXEC)
            os.set_blocking(file, True)
            return file
        file = os.open(path, flags, 0o666)
    except OSError as error:
        reason = "this pipe has no reader" if error.errno == errno.ENXIO else error.strerror or error
        hint = "let CRATE_EVENTS name a file that this build may write, in a directory that exists"
        raise _refused(path, "build events cannot be written there", reason, hint) from error
    try:
        _own(file, path)
    except BaseException:
        os.close(file)
        raise
    return file


def _own(file: int, path: str) -> None:
    """Lock a file of events for the lifetime of this process, and truncate it."""
    locked = True
    with suppress(OSError):  # a file system may have no locks
        locked = lock(file, forks=False)
    if not locked:
        hint = "give each build a file of its own"
        raise _refused(path, "another build writes its events there", "the file is locked", hint)
    begin = os.read(file, len(_BEGIN))
    if begin and begin != _BEGIN:
        hint = "name another file in CRATE_EVENTS, or remove this one"
        raise _refused(path, "build events would overwrite a file of another kind", f"begins with {begin!r}", hint)
    os.ftruncate(file, 0)


_BEGIN = b'{"event":"'


def _refused(path: str, message: str, reason: object, hint: str) -> OutputError:
    return OutputError(f"{path}: {message}", context=(("reason", reason),), hint=hint)
