"""A store that somebody else can write to: no file outside it, no wait, no trace of a reader, whatever lies in it."""

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


def _link_to_nothing(directory: Path, victim: Path) -> None:
    victim.unlink()
    (directory / FIRST).symlink_to(victim)


def _link(directory: Path, victim: Path) -> None:
    (directory / FIRST).symlink_to(victim)


def _hard_link(directory: Path, victim: Path) -> None:
    os.link(victim, directory / FIRST)


def _hard_link_to_nothing_yet(directory: Path, victim: Path) -> None:
    """SQLite takes an empty file for a new store."""
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


def _far_number(directory: Path, victim: Path) -> None:
    for digits in (3, 9, 10, 200):
        (directory / f"results-1.{'9' * digits}.db").symlink_to(victim)


def _journal_link(directory: Path, victim: Path) -> None:
    store_of_items(directory)
    (directory / f"{FIRST}-journal").symlink_to(victim)


def _journal_pipe(directory: Path, victim: Path) -> None:
    store_of_items(directory)
    os.mkfifo(directory / f"{FIRST}-journal")


def _journal_of_the_first(directory: Path, victim: Path) -> None:
    (directory / f"{FIRST}-journal").symlink_to(victim)


def _journal_that_deletes(directory: Path, victim: Path) -> None:
    """A hot journal that names another, which SQLite removes once it has rolled back."""
    file = store_of_items(directory)
    size = file.stat().st_size
    with sqlite3.connect(file) as connection:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
    head = bytes.fromhex("d9d505f920a163d7") + struct.pack(">5I", 0, 1, size // page, 512, page)
    name = os.fsencode(victim)
    checksum = sum(struct.unpack(f"{len(name)}b", name)) & 0xFFFFFFFF
    tail = struct.pack(">I", size // page + 1) + name + struct.pack(">2I", len(name), checksum)
    (directory / f"{FIRST}-journal").write_bytes(head.ljust(512, b"\0") + tail + bytes.fromhex("d9d505f920a163d7"))


def _log(directory: Path, victim: Path) -> None:
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
        _link_to_nothing,
        _link,
        _hard_link,
        _hard_link_to_nothing_yet,
        _pipe,
        _directory,
        _device,
        _socket,
        _far_number,
        _journal_link,
    ),
    *(_journal_pipe, _journal_of_the_first, _journal_that_deletes, _log, _damaged_pages),
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__.strip("_"))
def test_what_is_planted_harms_nobody(tmp_path: Path, plant: Callable[[Path, Path], None]) -> None:
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
    assert again.get_many(KEYS) == ITEMS, "a build goes on with another file"
    again.close()


NEVER_ENDING = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"

SCHEMAS = {
    "a trigger": (*SCHEMA.values(), f"CREATE TRIGGER t AFTER INSERT ON content BEGIN {NEVER_ENDING}; END"),
    "a trigger on use": (*SCHEMA.values(), f"CREATE TRIGGER t AFTER UPDATE ON entry BEGIN {NEVER_ENDING}; END"),
    "a view": (
        *[text for name, text in SCHEMA.items() if name == "content"],
        f"CREATE VIEW entry AS SELECT x'{KEYS[0]}' AS key, 1 AS id, ({NEVER_ENDING}) AS used",
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
def test_no_schema_but_ours_is_used(tmp_path: Path, schema: tuple[str, ...], late: bool) -> None:
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


def test_a_statement_that_goes_on_and_on_is_ended(tmp_path: Path) -> None:
    store_of_items(tmp_path)
    store = EmbeddedStore(str(tmp_path))
    assert store.get_many(KEYS) == ITEMS
    with ends():
        found = store._try(lambda connection: connection.execute(NEVER_ENDING).fetchall(), [], False, 0.3)
    assert found == []


def test_a_value_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_of_items(tmp_path)
    monkeypatch.setattr(database, "_LARGEST", 10)
    assert EmbeddedStore(str(tmp_path)).get_many(KEYS) == {}
