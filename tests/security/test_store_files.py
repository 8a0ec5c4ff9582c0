"""A store that others can write to: planted files neither touch anything outside it nor make a build wait."""

from __future__ import annotations

import os
import socket
import sqlite3
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from cratewright.cache import database
from cratewright.cache.database import EmbeddedStore
from cratewright.cache.store_file import SCHEMA
from tests.support.bounds import ends
from tests.support.store_files import FIRST, ITEMS, KEYS, store_of_items


def _dangling_link(directory: Path, victim: Path) -> None:
    victim.unlink()
    (directory / FIRST).symlink_to(victim)


def _link(directory: Path, victim: Path) -> None:
    (directory / FIRST).symlink_to(victim)


def _hard_link(directory: Path, victim: Path) -> None:
    os.link(victim, directory / FIRST)


def _hard_link_to_empty_file(directory: Path, victim: Path) -> None:
    """Plant an empty file, which SQLite takes for a new database."""
    victim.write_bytes(b"")
    os.link(victim, directory / FIRST)


def _pipe(directory: Path, victim: Path) -> None:
    os.mkfifo(directory / FIRST)


def _directory(directory: Path, victim: Path) -> None:
    (directory / FIRST / "inside").mkdir(parents=True)


def _device(directory: Path, victim: Path) -> None:
    (directory / FIRST).symlink_to("/dev/zero")


def _socket(directory: Path, victim: Path) -> None:
    here = os.getcwd()
    os.chdir(directory)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(FIRST)
    finally:
        os.chdir(here)


def _high_numbers(directory: Path, victim: Path) -> None:
    for digits in (3, 9, 10, 200):
        (directory / f"results-1.{'9' * digits}.db").symlink_to(victim)


def _journal_link(directory: Path, victim: Path) -> None:
    store_of_items(directory)
    (directory / f"{FIRST}-journal").symlink_to(victim)


def _journal_pipe(directory: Path, victim: Path) -> None:
    store_of_items(directory)
    os.mkfifo(directory / f"{FIRST}-journal")


def _journal_without_store(directory: Path, victim: Path) -> None:
    (directory / f"{FIRST}-journal").symlink_to(victim)


def _journal_that_deletes(directory: Path, victim: Path) -> None:
    """Plant a hot journal that names a super-journal, which SQLite removes after the rollback."""
    file = store_of_items(directory)
    size = file.stat().st_size
    with sqlite3.connect(file) as connection:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
    head = bytes.fromhex("d9d505f920a163d7") + struct.pack(">5I", 0, 1, size // page, 512, page)
    name = os.fsencode(victim)
    checksum = sum(struct.unpack(f"{len(name)}b", name)) & 0xFFFFFFFF
    tail = struct.pack(">I", size // page + 1) + name + struct.pack(">2I", len(name), checksum)
    (directory / f"{FIRST}-journal").write_bytes(head.ljust(512, b"\0") + tail + bytes.fromhex("d9d505f920a163d7"))


def _wal_link(directory: Path, victim: Path) -> None:
    file = store_of_items(directory)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE other(x)")
    connection.close()
    for suffix in ("-wal", "-shm"):
        (directory / f"{FIRST}{suffix}").symlink_to(victim)


def _damaged_pages(directory: Path, victim: Path) -> None:
    file = store_of_items(directory)
    data = bytearray(file.read_bytes())
    data[16:18] = b"\0\1"  # pages of 64 kB
    file.write_bytes(data)


PLANTED: list[Callable[[Path, Path], None]] = [
    *(
        _dangling_link,
        _link,
        _hard_link,
        _hard_link_to_empty_file,
        _pipe,
        _directory,
        _device,
        _socket,
        _high_numbers,
        _journal_link,
    ),
    *(_journal_pipe, _journal_without_store, _journal_that_deletes, _wal_link, _damaged_pages),
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__.strip("_"))
def test_planted_file_harms_nothing(tmp_path: Path, plant: Callable[[Path, Path], None]) -> None:
    store, victim = tmp_path / "store", tmp_path / "profile"
    store.mkdir()
    store.chmod(0o777)
    victim.write_bytes(b"precious")
    victim.chmod(0o600)
    plant(store, victim)
    there = victim.exists()
    content = victim.read_bytes() if there else b""
    with ends():
        for read_only in (True, False, False):
            opened = EmbeddedStore(str(store), read_only=read_only)
            assert set(opened.get_many(KEYS).items()) <= set(ITEMS.items())
            opened.put_many(ITEMS)
            opened.close()
    assert victim.exists() == there
    if there:
        assert victim.read_bytes() == content and stat.S_IMODE(victim.stat().st_mode) == 0o600
    again = EmbeddedStore(str(store))
    assert again.get_many(KEYS) == ITEMS, "builds continue with another file"
    again.close()


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"

SCHEMAS = {
    "a trigger": (*SCHEMA.values(), f"CREATE TRIGGER t AFTER INSERT ON content BEGIN {ENDLESS}; END"),
    "a trigger on use": (*SCHEMA.values(), f"CREATE TRIGGER t AFTER UPDATE ON entry BEGIN {ENDLESS}; END"),
    "a view": (
        *[text for name, text in SCHEMA.items() if name == "content"],
        f"CREATE VIEW entry AS SELECT x'{KEYS[0]}' AS key, 1 AS id, ({ENDLESS}) AS used",
    ),
    "a check": ("CREATE TABLE entry(key, id, used)", "CREATE TABLE content(id, value CHECK(hex(zeroblob(1e9)) = ''))"),
    "a default": ("CREATE TABLE entry(key, id, used)", "CREATE TABLE content(id DEFAULT (randomblob(1e9)), value)"),
    "an index on an expression": (*SCHEMA.values(), "CREATE INDEX i ON content(hex(value))"),
    "a computed column": ("CREATE TABLE entry(key, id, used)", "CREATE TABLE content(id, value AS (zeroblob(1e9)))"),
    "another table": (*SCHEMA.values(), "CREATE TABLE other(x)"),
    "a foreign key": (*SCHEMA.values(), "CREATE TABLE other(x REFERENCES entry ON DELETE CASCADE)"),
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
@pytest.mark.parametrize("late", [False, True], ids=["before", "while it is open"])
def test_foreign_schema_is_not_used(tmp_path: Path, schema: tuple[str, ...], late: bool) -> None:
    opened = EmbeddedStore(str(tmp_path))
    if late:
        opened.put_many(ITEMS)
        opened.flush()
        assert opened.get_many(KEYS) == ITEMS
    connection = sqlite3.connect(tmp_path / FIRST)
    for name in ("entry", "content"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    for statement in schema:
        connection.execute(statement)
    connection.commit()
    connection.close()
    with ends():
        assert opened.get_many(KEYS) == {}
        opened.put_many(ITEMS)
        opened.flush()
    assert opened.get_many(KEYS) == ITEMS
    opened.close()


def test_endless_statement_is_interrupted(tmp_path: Path) -> None:
    store_of_items(tmp_path)
    store = EmbeddedStore(str(tmp_path))
    assert store.get_many(KEYS) == ITEMS
    with ends():
        found = store._try(lambda connection: connection.execute(ENDLESS).fetchall(), [], False, 0.3)
    assert found == []


def test_oversized_value_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_of_items(tmp_path)
    monkeypatch.setattr(database, "_LARGEST", 10)
    assert EmbeddedStore(str(tmp_path)).get_many(KEYS) == {}
