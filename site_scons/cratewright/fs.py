"""The one door to the disk.

Knows nothing of what the bytes mean. Whatever it writes appears whole or not at all.
"""

from __future__ import annotations

import io
import itertools
import os
import time
from contextlib import suppress

from .digest import content_digest
from .errors import FormatError, OutputError

__all__ = [
    "FileDigests",
    "digest_file",
    "file_stamp",
    "is_recent",
    "read_bytes",
    "remove",
    "write_atomic",
    "write_if_changed",
]


_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_serial = itertools.count()
# A container gives every process the same small number: the number alone would meet what a killed build left.
_TOKEN = os.urandom(6).hex()
_RECENT_NS = 2_000_000_000


def read_bytes(path: str, *, role: str = "file") -> bytes:
    """Return a file's content.

    Raises: FormatError naming the file and the reason if it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise FormatError(f"cannot read {role} {path}", context=(("reason", error.strerror),)) from error


def digest_file(path: str) -> str | None:
    """Return the digest of a file's content, the word `directory` for one, or None where nothing can be read."""
    try:
        with open(path, "rb") as file:
            return content_digest(file.read())
    except IsADirectoryError:
        # Whoever looked below a path in vain because nothing was there wants to know when something is.
        return "directory"
    except OSError:
        return None


def file_stamp(found: os.stat_result) -> list[int]:
    """Return numbers that are others as soon as a file may have another content, however its time was set."""
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino]


def is_recent(found: os.stat_result) -> bool:
    """Return whether a file is so young that it may change again without its time stamp showing it."""
    return time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _RECENT_NS


class FileDigests:
    """The digests of files, each read once as long as it is unchanged.

    Many crates include the same headers, and many programs are linked with the same C library.
    Shape: `root` is absolute; paths are relative to it, or absolute.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._known: dict[str, tuple[list[int], str]] = {}

    def digest(self, path: str) -> str | None:
        """Return what `digest_file` returns."""
        file = os.path.join(self.root, path)
        try:
            found = os.stat(file)
        except OSError:
            return None
        known = self._known.get(path)
        if known is not None and known[0] == file_stamp(found):
            return known[1]
        digest = digest_file(file)
        if digest is not None and not is_recent(found):
            self.learn(path, file_stamp(found), digest)
        return digest

    def learn(self, path: str, stamp: list[int], digest: str) -> None:
        """Take note of the digest that a file of this stamp has, as somebody knows who has read it before."""
        self._known[path] = (stamp, digest)


def write_atomic(path: str, data: bytes, *, executable: bool = False) -> None:
    """Write a file so that nobody ever sees a part of it.

    Raises: OutputError naming the file and the reason; whatever stood there before still stands.
    """
    mode = 0o777 if executable else 0o666
    temporary = os.path.join(os.path.dirname(path), f".tmp-{_TOKEN}-{os.getpid()}-{next(_serial)}")
    try:
        try:
            handle = os.open(temporary, _CREATE, mode)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            handle = os.open(temporary, _CREATE, mode)
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                _write_whole(file, data)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from error


def _write_whole(file: io.RawIOBase | io.BufferedIOBase, data: bytes) -> None:
    view = memoryview(data)
    while view:  # a signal or a nearly full disk may let through only a part
        view = view[file.write(view) :]


def write_if_changed(path: str, data: bytes, *, executable: bool = False) -> bool:
    """Write a file unless it already has this content, so that its time stamp says when it last changed.

    Raises: as `write_atomic`.
    """
    try:
        with open(path, "rb") as file:
            if file.read() == data and (not executable or os.access(path, os.X_OK)):
                return False
    except OSError:
        pass
    write_atomic(path, data, executable=executable)
    return True


def remove(path: str) -> None:
    """Remove a file if it is there.

    Raises: OutputError if it is there and stays.
    """
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"cannot remove {path}", context=(("reason", error.strerror),)) from error


def prune_directory(path: str) -> None:
    """Remove a directory and those below it as far as they are empty."""
    for directory, _, _ in os.walk(path, topdown=False):
        with suppress(OSError):
            os.rmdir(directory)


def _cannot_write(path: str, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write {path}",
        context=(("reason", error.strerror or str(error)),),
        hint="make room or make the directory writable, then build again: finished work is kept",
    )
