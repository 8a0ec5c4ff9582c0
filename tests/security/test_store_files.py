"""A store that somebody else can write to: no file outside it, no wait, no trace of a reader, whatever lies in it."""

from __future__ import annotations

import os
import socket
import sqlite3
import stat
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.cache import database
from cratewright.cache.database import EmbeddedStore
from cratewright.cache.level import Level
from cratewright.cache.store import NoStore
from cratewright.cache.store_file import SCHEMA, check_journal
from cratewright.pipeline.cache_settings import read_store
from cratewright.plugins.registry import Registry
from tests.support.bounds import ends
from tests.support.memory_store import MemoryStore

KEYS = [f"{number:064x}" for number in range(4)]
ITEMS = {key: f"value {key}".encode() for key in KEYS}
FIRST = "results-1.1.db"


def _filled(directory: Path) -> Path:
    store = EmbeddedStore(str(directory))
    store.put_many(ITEMS)
    store.close()
    return directory / FIRST


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
    _filled(directory)
    (directory / f"{FIRST}-journal").symlink_to(victim)


def _journal_pipe(directory: Path, victim: Path) -> None:
    _filled(directory)
    os.mkfifo(directory / f"{FIRST}-journal")


def _journal_of_the_first(directory: Path, victim: Path) -> None:
    (directory / f"{FIRST}-journal").symlink_to(victim)


def _journal_that_deletes(directory: Path, victim: Path) -> None:
    """A hot journal that names another, which SQLite removes once it has rolled back."""
    file = _filled(directory)
    size = file.stat().st_size
    with sqlite3.connect(file) as connection:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
    head = bytes.fromhex("d9d505f920a163d7") + struct.pack(">5I", 0, 1, size // page, 512, page)
    name = os.fsencode(victim)
    checksum = sum(struct.unpack(f"{len(name)}b", name)) & 0xFFFFFFFF
    tail = struct.pack(">I", size // page + 1) + name + struct.pack(">2I", len(name), checksum)
    (directory / f"{FIRST}-journal").write_bytes(head.ljust(512, b"\0") + tail + bytes.fromhex("d9d505f920a163d7"))


def _log(directory: Path, victim: Path) -> None:
    file = _filled(directory)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE other(x)")
    connection.close()
    for suffix in ("-wal", "-shm"):
        (directory / f"{FIRST}{suffix}").symlink_to(victim)


def _damaged_pages(directory: Path, victim: Path) -> None:
    file = _filled(directory)
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
    _filled(tmp_path)
    store = EmbeddedStore(str(tmp_path))
    assert store.get_many(KEYS) == ITEMS
    with ends():
        found = store._try(lambda connection: connection.execute(NEVER_ENDING).fetchall(), [], False, 0.3)
    assert found == []


def test_a_value_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _filled(tmp_path)
    monkeypatch.setattr(database, "_LARGEST", 10)
    assert EmbeddedStore(str(tmp_path)).get_many(KEYS) == {}


def test_who_holds_the_store_for_good_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 2)
    holder = sqlite3.connect(_filled(tmp_path), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    store = EmbeddedStore(str(tmp_path))
    with ends():  # twenty waits would take forty seconds
        for _ in range(10):
            assert store.get_many(KEYS) == {}
            store.put_many(ITEMS)
            store.flush()
    holder.close()


def _as(user: int, work: Callable[[], object]) -> None:
    """Do some work in a child as another user; this Python need not be one that others may start."""
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        return
    try:
        os.umask(0)
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        work()
        os._exit(0)
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)


def _killed(store: str) -> None:
    opened = EmbeddedStore(store)
    opened.put_many(ITEMS)
    opened.flush()
    connection = opened._connect(True)
    assert connection is not None
    connection.execute("PRAGMA cache_size=1")
    connection.execute("BEGIN IMMEDIATE")
    for _ in range(50):
        connection.execute("INSERT INTO content(value) VALUES(?)", (bytes(9000),))
    os._exit(0)


def _goes_on(store: str) -> None:
    opened = EmbeddedStore(store)
    opened.get_many(KEYS)
    opened.put_many({KEYS[0]: b"new"})
    opened.close()
    assert EmbeddedStore(store).get(KEYS[0]) == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_the_journal_of_a_killed_build_shuts_nobody_out() -> None:
    """In a directory such as /tmp a journal can be removed by its owner alone, and the file not be used before."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        store = os.path.join(place, "store")
        os.mkdir(store)
        os.chmod(store, 0o1777)
        _as(2001, lambda: _killed(store))
        assert os.stat(os.path.join(store, f"{FIRST}-journal")).st_size
        _as(2002, lambda: _goes_on(store))
        _as(2003, lambda: _goes_on(store))
        assert sorted(os.listdir(store)) == [FIRST, f"{FIRST}-journal", "results-1.2.db"]


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Path]:
    """Give a filled store and fail if anything of it was changed."""
    file = _filled(tmp_path / "store")
    connection = sqlite3.connect(file)
    connection.execute("UPDATE entry SET used = 1")
    connection.commit()
    connection.close()
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in file.parent.iterdir()}
    yield file.parent
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in file.parent.iterdir()} == before


def test_the_mode_read_changes_nothing(untouched: Path, tmp_path: Path) -> None:
    environ = {"CRATE_CACHE": str(untouched), "CRATE_CACHE_MODE": "read"}
    for _ in range(2):
        store = read_store(environ, "/", Registry())
        assert isinstance(store, Level) and not store.writes
        assert store.get_many(KEYS) == ITEMS
        store.put_many({"f" * 64: b"new"})
        store.remove(KEYS)
        store.collect()
        store.flush()
        assert store.get("f" * 64) is None and dict(store.entries()) == ITEMS
        assert store.report().problem == "CRATE_CACHE_MODE=read"
        store.close()
    none = read_store(environ | {"CRATE_CACHE": str(tmp_path / "none")}, "/", Registry())
    assert none.get_many(KEYS) == {}
    none.put_many(ITEMS)
    none.close()
    assert not (tmp_path / "none").exists()


def test_a_damaged_store_is_left_to_those_who_may_write(tmp_path: Path) -> None:
    file = _filled(tmp_path)
    file.write_bytes(b"damaged" * 1000)
    store = EmbeddedStore(str(tmp_path), read_only=True)
    assert store.get_many(KEYS) == {} and list(store.entries()) == []
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == [FIRST] and file.read_bytes() == b"damaged" * 1000


def test_the_mode_write_believes_nothing() -> None:
    kept = MemoryStore(ITEMS)
    store = Level(kept, "kept", reads=False)
    assert store.get_many(KEYS) == {}
    store.insert("f" * 64, b"new")
    assert kept["f" * 64] == b"new" and dict(store.entries()) == {}
    assert Level(kept, "kept", writes=False).get("f" * 64) == b"new"


def test_modes() -> None:
    for mode, kind in (("", EmbeddedStore), ("read-write", EmbeddedStore), ("read", Level), ("write", Level)):
        assert type(read_store({"CRATE_CACHE_MODE": mode}, "/nowhere", Registry())) is kind
    assert type(read_store({"CRATE_CACHE": "off", "CRATE_CACHE_MODE": "read"}, "/", Registry())) is NoStore
    for mode in ("readonly", "ro", "READ", "write-read", "1"):
        with pytest.raises(ConfigurationError, match="CRATE_CACHE_MODE takes"):
            read_store({"CRATE_CACHE": "off", "CRATE_CACHE_MODE": mode}, "/", Registry())


@pytest.mark.parametrize("size", [0, 8, 28, 512])
def test_a_journal_that_another_build_begins_is_no_reason_to_leave(tmp_path: Path, size: int) -> None:
    file = _filled(tmp_path)
    begun = bytes.fromhex("d9d505f920a163d7").ljust(512, b"\0")[:size]
    (tmp_path / f"{FIRST}-journal").write_bytes(begun)
    check_journal(str(file))
