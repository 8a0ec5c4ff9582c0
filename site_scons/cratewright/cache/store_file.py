"""Checks a file of the embedded store before SQLite opens it, and its schema afterwards.

Whoever may write to the directory may plant anything there: a link to one of the reader's files, a pipe without a
writer, a journal that makes SQLite delete a file, an endless trigger. Changes between these checks and SQLite's own
access go unnoticed: use a stranger's directory only with `CRATE_CACHE_MODE=read`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ..base.host import BINARY, CLOEXEC, NOFOLLOW, NONBLOCK, belongs_to_user, permit

if TYPE_CHECKING:
    import sqlite3

# Both tables are filled in the order they are asked for: rows found by key stay small, values are appended.
SCHEMA = {
    "entry": "CREATE TABLE entry(key BLOB PRIMARY KEY, id INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID",
    "entry_use": "CREATE INDEX entry_use ON entry(used)",
    "content": "CREATE TABLE content(id INTEGER PRIMARY KEY, value BLOB NOT NULL)",
}
"""The whole schema of a file, by name."""

_CREATE = os.O_CREAT | os.O_EXCL | os.O_RDWR | NOFOLLOW | CLOEXEC | BINARY
_READ = os.O_RDONLY | NOFOLLOW | NONBLOCK | CLOEXEC | BINARY
_ROLLBACK = b"\1\1"
"""The versions, at offset 18, of a file without a write-ahead log, whose index would be memory that others can
truncate.
"""
_OTHERS_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""The last bytes of a journal that names another one, which SQLite would delete; ours never do."""
_JOURNAL_HEAD = 512
_STEPS = 100_000
"""Steps of SQLite's virtual machine between checks of the clock; statements of a build end before the first."""


def is_store_file(file: str) -> bool:
    """Return whether a path is a regular file without other hard links, which SQLite may open."""
    try:
        found = os.lstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            return False
        handle = os.open(file, _READ)
    except OSError as error:
        return isinstance(error, PermissionError)  # SQLite says so
    try:
        head = os.read(handle, 20)
    except OSError:
        return True
    finally:
        os.close(handle)
    return len(head) < 20 or not head.startswith(b"SQLite format 3\0") or head[18:20] == _ROLLBACK


def create_store_file(file: str) -> None:
    """Make an empty file, writable by those who may write to its directory.

    Raises: FileExistsError if anything is there.
    """
    directory = os.path.dirname(file)
    os.makedirs(directory, exist_ok=True)
    handle = os.open(file, _CREATE, 0o600)
    try:
        with suppress(OSError):
            permit(handle, 0o600 | (os.stat(directory).st_mode & 0o066))
    finally:
        os.close(handle)


def check_journal(file: str) -> None:
    """Refuse a planted journal that SQLite would act on.

    Raises: sqlite3.OperationalError.
    """
    import sqlite3  # noqa: PLC0415 - a build that needs no store need not load it

    if not _is_journal(f"{file}-journal"):
        raise sqlite3.OperationalError(f"{os.path.basename(file)} has a journal that is not ours")
    if any(os.path.lexists(file + suffix) for suffix in ("-wal", "-shm")):
        raise sqlite3.DatabaseError("a write-ahead log")


def own_journal(journal: str) -> bool:
    """Return whether the path holds no journal, or one that this user may remove."""
    try:
        return _is_journal(journal) and belongs_to_user(os.lstat(journal))
    except OSError:
        return True


def _is_journal(journal: str) -> bool:
    """Return whether nothing is there, or a journal that names no other journal."""
    try:
        found = os.lstat(journal)
        if not stat.S_ISREG(found.st_mode):
            return False
        handle = os.open(journal, _READ)
    except OSError as error:
        return isinstance(error, (FileNotFoundError, PermissionError))
    try:
        size = os.fstat(handle).st_size
        # The head of every journal, up to here, begins with the same bytes; another build may be writing it now.
        if size <= _JOURNAL_HEAD:
            return True
        os.lseek(handle, size - 8, os.SEEK_SET)
        return os.read(handle, 8) != _OTHERS_JOURNAL
    finally:
        os.close(handle)


def restrict(database: sqlite3.Connection, late: Callable[[], bool]) -> None:
    """Restrict a connection: the schema may call no unsafe function, and a late statement ends."""
    for setting in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0"):
        database.execute(f"PRAGMA {setting}")
    database.set_progress_handler(late, _STEPS)


def check_schema(database: sqlite3.Connection) -> None:
    """Refuse a file with anything but our tables: views and triggers would run whenever tables are used.

    Raises: sqlite3.DatabaseError.
    """
    import sqlite3  # noqa: PLC0415 - a build that needs no store need not load it

    rows = database.execute("SELECT name, sql FROM sqlite_master LIMIT 9").fetchall()
    if rows and dict(rows) != SCHEMA:
        raise sqlite3.DatabaseError("another schema")
