"""Candidates for the format of a cache on disk."""

from __future__ import annotations

import os
import sqlite3
from abc import ABC, abstractmethod
from pathlib import Path


class Candidate(ABC):
    """A store of values."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def put(self, items: list[tuple[bytes, bytes]]) -> None:
        """Store all values or none."""

    @abstractmethod
    def get(self, key: bytes) -> bytes | None:
        """Return a value."""

    def close(self) -> None:
        """Close all files."""
        return


class Files(Candidate):
    """One file per value, in 16 directories, written to a temporary name and renamed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        for digit in "0123456789abcdef":
            (path / digit).mkdir(parents=True, exist_ok=True)

    def _file(self, key: bytes) -> str:
        name = key.hex()
        return f"{self.path}/{name[0]}/{name[1:]}"

    def put(self, items: list[tuple[bytes, bytes]]) -> None:
        for key, value in items:
            file = self._file(key)
            with open(f"{file}.{os.getpid()}", "wb", buffering=0) as stream:
                stream.write(value)
            os.replace(f"{file}.{os.getpid()}", file)

    def get(self, key: bytes) -> bytes | None:
        try:
            with open(self._file(key), "rb", buffering=0) as stream:
                return stream.read()
        except OSError:
            return None


class Sqlite(Candidate):
    """Two tables: small rows by key, and values by number in the order they came; a rollback journal."""

    journal = "DELETE"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        path.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path / "store.db", timeout=30, isolation_level=None)
        self._db.executescript(
            f"""PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode={self.journal}; PRAGMA synchronous=OFF;
            CREATE TABLE IF NOT EXISTS entry(key BLOB PRIMARY KEY, id INTEGER, used INTEGER) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS entry_use ON entry(used);
            CREATE TABLE IF NOT EXISTS content(id INTEGER PRIMARY KEY, value BLOB NOT NULL);"""
        )

    def put(self, items: list[tuple[bytes, bytes]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        for key, value in items:
            row = self._db.execute("INSERT INTO content(value) VALUES(?)", (value,)).lastrowid
            self._db.execute("INSERT OR REPLACE INTO entry VALUES(?, ?, ?)", (key, row, 1))
        self._db.execute("COMMIT")

    def get(self, key: bytes) -> bytes | None:
        query = "SELECT value FROM entry JOIN content USING (id) WHERE key = ?"
        row = self._db.execute(query, (key,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        self._db.close()


class SqliteWal(Sqlite):
    """The same with a write-ahead log."""

    journal = "WAL"


class Lmdb(Candidate):
    """One memory-mapped file, not synchronised with the disk, like the others."""

    def __init__(self, path: Path) -> None:
        import lmdb

        super().__init__(path)
        self._db = lmdb.open(str(path), map_size=1 << 33, sync=False, metasync=False)

    def put(self, items: list[tuple[bytes, bytes]]) -> None:
        with self._db.begin(write=True) as transaction:
            for key, value in items:
                transaction.put(key, value)

    def get(self, key: bytes) -> bytes | None:
        with self._db.begin() as transaction:
            found: bytes | None = transaction.get(key)
            return found

    def close(self) -> None:
        self._db.close()


def candidates() -> list[type[Candidate]]:
    rows: list[type[Candidate]] = [Files, Sqlite, SqliteWal]
    try:
        import lmdb  # noqa: F401
    except ImportError:
        return rows
    return [*rows, Lmdb]
