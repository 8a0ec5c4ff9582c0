"""Operations on the rows of a store: each function runs one or more transactions on an open database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from .store_file import check_schema

if TYPE_CHECKING:
    import sqlite3

_RECENT = 3600
"""Seconds; a use is recorded only if the last record is older, so that a build of hits hardly writes."""
_EVICT_ROWS = 256
_EVICT_TO = 0.9


def find_rows(
    database: sqlite3.Connection, names: Mapping[str, bytes], largest: int
) -> tuple[dict[str, bytes], list[str]]:
    """Return the values of keys that are smaller than `largest`, and the keys whose use is to be recorded.

    Shape: `names` are keys as bytes.
    """
    found: dict[str, bytes] = {}
    used: list[str] = []
    now = int(time.time())
    database.execute("BEGIN")  # one lock for all
    check_schema(database)
    query = "SELECT value, used FROM entry JOIN content USING (id) WHERE key = ? AND length(value) < ?"
    for key, name in names.items():
        row = database.execute(query, (name, largest)).fetchone()
        if row is not None and isinstance(row[0], bytes):
            found[key] = row[0]
            if abs(now - row[1]) > _RECENT:
                used.append(key)
    database.execute("COMMIT")
    return found, used


def write_rows(database: sqlite3.Connection, values: Mapping[str, bytes], used: Iterable[str]) -> None:
    """Write values by key, and record the use of other keys."""
    now = int(time.time())
    database.execute("BEGIN IMMEDIATE")
    check_schema(database)
    for key, value in values.items():
        name = bytes.fromhex(key)
        old = database.execute("SELECT id FROM entry WHERE key = ?", (name,)).fetchone()
        if old is not None:
            database.execute("DELETE FROM content WHERE id = ?", old)
        row = database.execute("INSERT INTO content(value) VALUES(?)", (value,)).lastrowid
        database.execute("INSERT OR REPLACE INTO entry VALUES(?, ?, ?)", (name, row, now))
    database.executemany("UPDATE entry SET used = ? WHERE key = ?", [(now, bytes.fromhex(key)) for key in used])
    database.execute("COMMIT")


def delete_rows(database: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Remove entries."""
    names = [(bytes.fromhex(key),) for key in keys]
    database.execute("BEGIN IMMEDIATE")
    check_schema(database)
    database.executemany("DELETE FROM content WHERE id = (SELECT id FROM entry WHERE key = ?)", names)
    database.executemany("DELETE FROM entry WHERE key = ?", names)
    database.execute("COMMIT")


def evict_rows(database: sqlite3.Connection, limit: int) -> None:
    """Remove the least recently used entries, in small steps that let other builds in.

    Units: `limit` in bytes.
    """
    goal = limit * _EVICT_TO if bytes_used(database) > limit else limit
    # A time from a clock that was ahead would outlive all entries used from now on.
    now = int(time.time())
    database.execute("UPDATE entry SET used = ? WHERE used > ?", (now, now + _RECENT))
    while (excess := bytes_used(database) - goal) > 0:
        database.execute("BEGIN IMMEDIATE")
        check_schema(database)
        query = "SELECT key, id, length(value) FROM entry LEFT JOIN content USING (id) ORDER BY used LIMIT ?"
        rows = database.execute(query, (_EVICT_ROWS,)).fetchall()
        sizes = accumulate(row[2] or 0 for row in rows)
        last = next((index for index, size in enumerate(sizes) if size >= excess), len(rows) - 1)
        database.executemany("DELETE FROM content WHERE id = ?", [(row[1],) for row in rows[: last + 1]])
        database.executemany("DELETE FROM entry WHERE key = ?", [(row[0],) for row in rows[: last + 1]])
        database.execute("COMMIT")
        if not rows:
            return


def check_all(database: sqlite3.Connection) -> None:
    """Run SQLite's integrity check.

    Raises: sqlite3.DatabaseError if the file is damaged.
    """
    import sqlite3  # noqa: PLC0415 - a build that needs no store need not load it

    check_schema(database)
    answer = database.execute("PRAGMA quick_check(1)").fetchone()
    if answer != ("ok",):
        raise sqlite3.DatabaseError(str(answer))


def bytes_used(database: sqlite3.Connection) -> int:
    """Return the bytes in use, without free pages."""
    (size,) = database.execute("PRAGMA page_size").fetchone()
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (free,) = database.execute("PRAGMA freelist_count").fetchone()
    return int(size) * (int(pages) - int(free))
