"""The embedded store: one SQLite file in a directory that any number of builds and users share.

A damaged file is abandoned for the next number, so that a name never means two files. So is an unusable one: a link, a
pipe, another schema, or a file with a killed build's journal that only its owner may remove.

It uses a rollback journal, not a write-ahead log: this takes half the CPU here, needs no shared memory (where a full
disk or a stray write becomes a signal), and readers need no write access. Commits do not wait for the disk: damage by
a power failure is detected by digest, and the result is compiled again. Nothing is compressed: zlib would cost four
times as much as storing a value, for half the size.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from .rows import bytes_used, check_all, delete_rows, evict_rows, find_rows, write_rows
from .store import CacheKvStore, StoreReport
from .store_directory import StoreDirectory
from .store_file import SCHEMA, check_journal, is_store_file, own_journal, restrict

if TYPE_CHECKING:
    import sqlite3

DEFAULT_LIMIT = 5 << 30
"""Bytes."""

_PATIENCE = 5.0
"""Seconds that a build waits for another one's commit before it continues without the store."""
_HURRY = 0.1
_LONGEST = 60.0
"""Seconds that one call of SQLite may take; only a manipulated file takes longer."""
_BATCH_BYTES = 4 << 20
_BATCH_SECONDS = 0.5
_LARGEST = 512 << 20
"""Bytes of the largest value that is kept, or read."""
_DAMAGED = ("no such", "malformed", "has no column", "values were supplied", "Could not decode", "parser stack")
"""Texts of operational errors that mean damage; the others are about the disk or a lock."""

_READ_ONLY = "CRATE_CACHE_MODE=read"

_Answer = TypeVar("_Answer")


class EmbeddedStore(CacheKvStore):
    """Results in one file.

    Shape: `directory` is absolute and made by the first write; with `read_only` nothing is ever written, not even times
    of use.
    Units: `limit` in bytes.
    """

    def __init__(self, directory: str, limit: int = DEFAULT_LIMIT, *, read_only: bool = False) -> None:
        self._database: sqlite3.Connection | None = None
        self._files = StoreDirectory(directory)
        self._limit = limit
        self._read_only = read_only
        self._lock = threading.RLock()
        self._number = 0
        self._problem = _READ_ONLY if read_only else ""
        self._writable = not read_only
        self._patience = _PATIENCE
        self._deadline = [math.inf]  # apart, so that a connection does not refer to its store
        self._pending: dict[str, bytes] = {}
        self._pending_bytes = 0
        self._flushed = time.monotonic()
        self._touched: set[str] = set()

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return the values found, by key."""
        with self._lock:
            found = {key: self._pending[key] for key in keys if key in self._pending}
            names = {key: bytes.fromhex(key) for key in keys if key not in found}
            nothing: dict[str, bytes] = {}
            return self._try(lambda database: self._find(database, names), nothing, write=False) | found

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Keep values; they are written in batches."""
        with self._lock:
            for key, value in items.items() if not self._read_only else ():
                if len(value) < self._largest:
                    self._pending[key] = value
                    self._pending_bytes += len(value)
            if self._pending_bytes > _BATCH_BYTES or time.monotonic() - self._flushed > _BATCH_SECONDS:
                self.flush()

    def flush(self) -> None:
        """Write pending values."""
        with self._lock:
            if self._pending or self._touched:
                self._try(self._write, None)
            self._pending, self._pending_bytes, self._touched = {}, 0, set()
            self._flushed = time.monotonic()

    def close(self) -> None:
        """Write pending values and close the file."""
        with self._lock:
            self.flush()
            self._disconnect()

    def __del__(self) -> None:
        """Close the file of a store that nobody closed; from Python 3.13 on, sqlite3 warns of an open one."""
        if self._database is not None:
            self._database.close()

    def remove(self, keys: Iterable[str]) -> None:
        """Remove entries."""
        asked = list(keys)
        with self._lock:
            self._try(lambda database: delete_rows(database, asked), None)

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield all readable entries, after SQLite's integrity check."""
        with self._lock:
            self._try(check_all, None, write=False, longest=math.inf)
            keys: list[tuple[object]] = self._try(
                lambda database: database.execute("SELECT key FROM entry").fetchall(), [], write=False
            )
        for (key,) in keys:
            if isinstance(key, bytes):
                yield from self.get_many([key.hex()]).items()

    def collect(self) -> StoreReport:
        """Evict down to the limit, shrink the file, and remove abandoned files."""
        with self._lock:
            before = self._files.size()
            self._try(lambda database: evict_rows(database, self._limit), None, longest=math.inf)
            # Step by step: `execute` would stop after the first page.
            self._try(lambda database: database.executescript("PRAGMA incremental_vacuum"), None, longest=math.inf)
            if not self._read_only:
                self._files.remove_before(self._number)
            report, freed = self.report(), max(0, before - self._files.size())
            rows = (("freed", _bytes(freed)), *report.rows)
            return StoreReport(rows, self._problem, (("freed_bytes", freed), *report.figures))

    def report(self) -> StoreReport:
        """Report entries, size and limit."""

        def work(database: sqlite3.Connection) -> StoreReport:
            count, oldest = database.execute("SELECT count(*), min(used) FROM entry").fetchone()
            days = max(0, int(time.time()) - (oldest or 0)) // 86400
            last = (("last used", f"at most {days} days ago"),) if count else ()
            used = bytes_used(database)
            figures = (("entries", count), ("size_bytes", used), ("limit_bytes", self._limit))
            size = f"{_bytes(used)} of {_bytes(self._limit)}"
            return StoreReport((("entries", str(count)), ("size", size), *last), figures=figures)

        with self._lock:
            nothing = StoreReport((("entries", "0"),), figures=(("entries", 0),))
            found = self._try(work, nothing, write=False)
            return StoreReport((("directory", self._files.path), *found.rows), self._problem, found.figures)

    # All methods below are called with the lock held.

    def _try(
        self,
        work: Callable[[sqlite3.Connection], _Answer],
        otherwise: _Answer,
        write: bool = True,
        longest: float = _LONGEST,
    ) -> _Answer:
        """Run some work on the file; if the file proves damaged, run it again on a new one."""
        import sqlite3  # noqa: PLC0415 - a build that needs no store need not load it

        self._deadline[0] = time.monotonic() + longest
        for _ in range(3):
            try:
                database = self._connect(write)
                return otherwise if database is None else work(database)
            except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
                self._roll_back()
                if not isinstance(error, sqlite3.OperationalError) or any(word in str(error) for word in _DAMAGED):
                    self._give_up()
                    continue
                if self._leave():
                    continue
                if "locked" in str(error):
                    self._hurry()
                else:
                    self._problem = str(error)
                    self._writable = False
                return otherwise
            except OSError as error:
                self._problem = error.strerror or str(error)
                self._writable = False
                return otherwise
            except BaseException:  # an interrupt: leave no open transaction to the next caller
                self._roll_back()
                raise
        return otherwise

    def _connect(self, write: bool) -> sqlite3.Connection | None:
        import sqlite3  # noqa: PLC0415

        if write and not self._writable:
            return None
        if self._database is not None:
            check_journal(self._files.file(self._number))
            return self._database
        self._number = max([self._number, *self._files.numbers()])
        file = self._files.file(self._number)
        mode = "ro" if self._read_only else "rw"
        if self._number == 0 or not is_store_file(file):
            if not write:
                return None
            self._number = self._files.begin(max(1, self._number))
            file = self._files.file(self._number)
        elif not self._read_only and not (os.access(file, os.W_OK) and os.access(self._files.path, os.W_OK)):
            self._problem, self._writable, mode = "it is read-only", False, "ro"
            if write:
                return None
        check_journal(file)
        self._database = sqlite3.connect(
            f"file:{_quoted(file)}?mode={mode}",
            uri=True,
            timeout=self._patience,
            isolation_level=None,
            check_same_thread=False,
        )
        deadline = self._deadline
        restrict(self._database, lambda: time.monotonic() > deadline[0])
        self._database.execute("PRAGMA synchronous=OFF")
        if mode == "rw" and self._database.execute("PRAGMA schema_version").fetchone() == (0,):
            self._database.execute("PRAGMA auto_vacuum=INCREMENTAL")
            self._database.execute("BEGIN IMMEDIATE")
            if self._database.execute("PRAGMA schema_version").fetchone() == (0,):  # unless another build was faster
                for statement in SCHEMA.values():
                    self._database.execute(statement)
            self._database.execute("COMMIT")
        return self._database

    def _find(self, database: sqlite3.Connection, names: Mapping[str, bytes]) -> dict[str, bytes]:
        found, used = find_rows(database, names, self._largest)
        if self._writable:
            self._touched.update(used)
        return found

    def _write(self, database: sqlite3.Connection) -> None:
        write_rows(database, self._pending, self._touched - self._pending.keys())
        if bytes_used(database) > self._limit:
            evict_rows(database, self._limit)

    def _give_up(self) -> None:
        """Abandon a damaged file for the next number, or for the file that another build has begun."""
        self._disconnect()
        self._number = max([self._number + 1, *self._files.numbers()])
        if not self._read_only:
            self._files.remove_before(self._number)

    def _leave(self) -> bool:
        """Abandon a file whose journal this user may not remove; return whether a next number remains."""
        journal = self._files.file(self._number) + "-journal"
        if not self._number or not os.path.lexists(journal) or own_journal(journal):
            return False
        self._disconnect()
        self._number = max([self._number + 1, *self._files.numbers()])
        return True

    def _hurry(self) -> None:
        """Shorten later waits after one that failed: the file may be locked for good."""
        self._patience = min(self._patience, _HURRY)
        if self._database is not None:
            self._database.execute(f"PRAGMA busy_timeout={int(self._patience * 1000)}")

    @property
    def _largest(self) -> int:
        return min(self._limit // 4, _LARGEST)

    def _roll_back(self) -> None:
        import sqlite3  # noqa: PLC0415

        with suppress(sqlite3.Error):
            if self._database is not None and self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _disconnect(self) -> None:
        import sqlite3  # noqa: PLC0415

        with suppress(sqlite3.Error):
            if self._database is not None:
                self._database.close()
        self._database = None


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _bytes(count: int) -> str:
    size, units = float(count), ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.0f} {units[0]}" if units[0] == "bytes" else f"{size:.1f} {units[0]}"
