"""The one door to the disk.

Every write is atomic.
"""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..base.digest import DIRECTORY, UNREADABLE, Digest, content_digest
from ..base.errors import FormatError, OutputError
from ..base.host import BINARY, CLOEXEC, NONBLOCK, belongs_to_user, replace
from ..base.stamp import clock_ns, file_stamp, is_older

_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | CLOEXEC | BINARY
_READ = os.O_RDONLY | NONBLOCK | CLOEXEC | BINARY
_WRITE = os.O_RDWR | NONBLOCK | CLOEXEC | BINARY
_LARGE = 16 << 20
"""Size in bytes from which a file is digested in parts instead of as a whole."""
_ENDLESS = 1 << 36
"""Size in bytes beyond anything a compiler reads (a memory image, a sparse file): the stamp stands for the content."""
_serial = itertools.count()
# Containers repeat process numbers, so a number alone could collide with a file that a killed build left.
_TOKEN = os.urandom(6).hex()


def read_bytes(path: str, *, role: str = "file") -> bytes:
    """Return a file's content.

    Raises: FormatError with the path and the reason if it cannot be read.
    """
    try:
        return read_regular(path)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise FormatError(f"cannot read {role} {path}", context=(("reason", reason),)) from error


def read_regular(path: str, size: int = -1) -> bytes:
    """Return the content of a regular file, or its first `size` bytes.

    Raises: OSError if it cannot be read or is not a regular file: reading a pipe or a device may never end.
    """
    with _open_regular(path) as file:
        return file.read(size)


def set_first_byte(path: str, value: int) -> None:
    """Overwrite the first byte of a regular file in place.

    Raises: OSError if it cannot be written or is not a regular file.
    """
    with _open_regular(path, _WRITE) as file:
        file.write(bytes([value]))


def digest_file(path: str) -> Digest | None:
    """Return the digest of a file's content, or None if there is no file.

    Shape: the word `directory` for a directory, `unreadable` for a file that may exist but cannot be read. Pipes,
    devices and impossible paths count as no file.
    """
    try:
        with _open_regular(path) as file:
            found = os.fstat(file.fileno())
            return content_digest(file.read()) if found.st_size < _LARGE else _digest_large(file, found)
    except IsADirectoryError:
        # Not None: a missing path below this one could now be created.
        return DIRECTORY
    except ValueError:
        return None
    except OSError as error:
        # A compiler fails at an unreadable file or a cycle of links; where there is no file, it searches on.
        return UNREADABLE if error.errno in (errno.ELOOP, errno.EACCES) else None


def _open_regular(path: str, flags: int = _READ) -> io.FileIO:
    # Checked before opening, since opening a device may have effects, and after, since the path may have changed.
    _check_regular(os.stat(path), path)
    file = io.FileIO(os.open(path, flags), "r+b" if flags == _WRITE else "rb")
    try:
        _check_regular(os.fstat(file.fileno()), path)
    except BaseException:
        file.close()
        raise
    return file


def _check_regular(found: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", path)


def _digest_large(file: io.FileIO, found: os.stat_result) -> Digest:
    if found.st_size > _ENDLESS:
        return content_digest(repr(file_stamp(found)).encode())
    digest = hashlib.sha256()
    while part := file.read(_LARGE):
        digest.update(part)
    return Digest(digest.hexdigest())


def plain_path(path: str) -> str:
    """Return an absolute path without `.` and `..`; as for the system, `..` after a link leaves the link's target."""
    drive, path = os.path.splitdrive(path)
    path = path.replace(os.sep, "/")
    if "/.." not in path:
        return os.path.normpath(drive + path)
    found = drive + os.sep
    for name in path.split("/"):
        if name == "..":
            found = os.path.dirname(os.path.realpath(found) if os.path.islink(found) else found)
        elif name not in ("", "."):
            found = os.path.join(found, name)
    return found


def is_recent(found: os.stat_result) -> bool:
    """Return whether a file is so young that a further change may leave its time stamp as it is.

    Call this between `stat` and reading, since reading takes unknown time.
    """
    return not is_older(found, clock_ns())


class FileDigests:
    """The digests of files, each read once while it is unchanged: many crates share headers and the C library.

    Shape: `root` is absolute; paths are relative to it, or absolute.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._known: dict[str, tuple[list[int], Digest]] = {}

    def digest(self, path: str) -> Digest | None:
        """Return as `digest_file` does."""
        file = os.path.join(self.root, path)
        try:
            found = os.stat(file)
        except (OSError, ValueError):
            return digest_file(file)
        known = self._known.get(path)
        if known is not None and known[0] == file_stamp(found):
            return known[1]
        is_young = is_recent(found)
        digest = digest_file(file)
        if digest is not None and not is_young:
            self.learn(path, file_stamp(found), digest)
        return digest

    def learn(self, path: str, stamp: list[int], digest: Digest) -> None:
        """Record the digest of a file with this stamp, from a caller that has read it."""
        self._known[path] = (stamp, digest)


def make_private(path: str) -> bool:
    """Make a directory that only this user can use; return whether the path is such a directory now.

    In a place where everyone may write, another user may have put a link or a directory there first.
    """
    with suppress(OSError):
        os.mkdir(path, 0o700)
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and belongs_to_user(found) and not found.st_mode & 0o077


def write_atomic(path: str, data: bytes, *, executable: bool = False) -> None:
    """Write a file atomically.

    Raises: OutputError with the path and the reason; an existing file then stays as it was.
    """
    mode = 0o777 if executable else 0o666
    temporary = temporary_beside(path)
    try:
        try:
            handle = os.open(temporary, _CREATE, mode)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            handle = os.open(temporary, _CREATE, mode)
        with _put_in_place(temporary, path), os.fdopen(handle, "wb", buffering=0) as file:
            _write_whole(file, data)
    except OSError as error:
        raise _cannot_write(path, error) from error


def temporary_beside(path: str) -> str:
    return os.path.join(os.path.dirname(path), f".tmp-{_TOKEN}-{os.getpid()}-{next(_serial)}")


@contextmanager
def _put_in_place(temporary: str, path: str) -> Iterator[None]:
    """Rename a temporary file to its path once it is written; remove it if that fails."""
    try:
        yield
        replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _write_whole(file: io.RawIOBase | io.BufferedIOBase, data: bytes) -> None:
    view = memoryview(data)
    while view:  # a signal or a nearly full disk may let through only a part
        view = view[file.write(view) :]


def write_if_changed(path: str, data: bytes, *, executable: bool = False) -> bool:
    """Write a file unless it has this content, so that its time stamp tells of changes; return whether it was written.

    Raises: as `write_atomic`.
    """
    try:
        # Anything but a regular file, such as a link or a pipe, is replaced.
        if stat.S_ISREG(os.lstat(path).st_mode):
            with open(path, "rb") as file:
                if file.read() == data and (not executable or os.access(path, os.X_OK)):
                    return False
    except OSError:
        pass
    write_atomic(path, data, executable=executable)
    return True


def link_if_changed(path: str, to: str) -> bool:
    """Make or replace a symbolic link atomically, unless it is there; return whether it was made.

    Raises: OutputError with the path and the reason; an existing file then stays as it was.
    """
    with suppress(OSError):
        if os.readlink(path) == to:
            return False
    temporary = temporary_beside(path)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with _put_in_place(temporary, path):
            os.symlink(to, temporary)
    except OSError as error:
        raise _cannot_write(path, error) from error
    return True


def remove(path: str) -> None:
    """Remove a file if it exists.

    Raises: OutputError if it cannot be removed.
    """
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"cannot remove {path}", context=(("reason", error.strerror),)) from error


def prune_directory(path: str) -> None:
    """Remove a directory with its subdirectories, apart from those that hold files; keep a link to a directory."""
    if os.path.islink(path):
        return
    for directory, _, _ in os.walk(path, topdown=False):
        with suppress(OSError):
            os.rmdir(directory)


def _cannot_write(path: str, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write {path}",
        context=(("reason", error.strerror or str(error)),),
        hint="make room or make the directory writable, then build again: finished work is kept",
    )
