"""The one door to the disk.

Knows nothing of what the bytes mean. Whatever it writes appears whole or not at all.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .digest import content_digest
from .errors import CratewrightError, FormatError, OutputError

__all__ = ["digest_file", "read_bytes", "remove", "write_atomic", "write_if_changed"]


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
    """Return the digest of a file's content, or None where there is no readable file."""
    try:
        with open(path, "rb") as file:
            return content_digest(file.read())
    except OSError:
        return None


def write_atomic(path: str, data: bytes) -> None:
    """Write a file so that nobody ever sees a part of it.

    Raises: OutputError naming the file and the reason; whatever stood there before still stands.
    """
    directory = os.path.dirname(path) or "."
    temporary = ""
    try:
        os.makedirs(directory, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".tmp-", dir=directory)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        # mkstemp's 0600 would keep colleagues out; honour the umask as open() does.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        raise _cannot_write(path, error) from error


def write_if_changed(path: str, data: bytes) -> bool:
    """Write a file unless it already has this content, so that its time stamp says when it last changed.

    Raises: as `write_atomic`.
    """
    try:
        with open(path, "rb") as file:
            if file.read() == data:
                return False
    except OSError:
        pass
    write_atomic(path, data)
    return True


def remove(path: str) -> None:
    """Remove a file if it is there, and its directory if that is empty now and was ours (`*.spvs`-like).

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


def write_all(files: Mapping[str, bytes]) -> None:
    """Write several files; if one fails, none of those written by this call that are new is left behind.

    Raises: as `write_atomic`.
    """
    written: list[str] = []
    try:
        for path, data in files.items():
            write_if_changed(path, data)
            written.append(path)
    except CratewrightError:
        for path in written:
            with suppress(OSError):
                Path(path).unlink()
        raise


_known_umask: int | None = None


def _umask() -> int:
    # os.umask can only be read by setting it, which is not safe among threads: do it once.
    global _known_umask  # noqa: PLW0603
    if _known_umask is None:
        _known_umask = os.umask(0o022)
        os.umask(_known_umask)
    return _known_umask


_known_umask = _umask()


def _cannot_write(path: str, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write {path}",
        context=(("reason", error.strerror or str(error)),),
        hint="make room or make the directory writable, then build again: finished work is kept",
    )
