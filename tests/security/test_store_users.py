"""Several users of one store: locks, abandoned journals and read-only use."""

from __future__ import annotations

import os
import sqlite3
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
from cratewright.cache.store_file import check_journal
from cratewright.pipeline.cache_settings import read_store
from cratewright.plugins.registry import Registry
from tests.support.bounds import ends
from tests.support.memory_store import MemoryStore
from tests.support.store_files import FIRST, ITEMS, KEYS, store_of_items


def test_locked_store_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 2)
    holder = sqlite3.connect(store_of_items(tmp_path), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    store = EmbeddedStore(str(tmp_path))
    with ends():  # twenty waits would take forty seconds
        for _ in range(10):
            assert store.get_many(KEYS) == {}
            store.put_many(ITEMS)
            store.flush()
    holder.close()


def _as(user: int, work: Callable[[], object]) -> None:
    """Call `work` as another user, in a fork: other users may not be allowed to start this Python."""
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


def _die_while_writing(store: str) -> None:
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


def _use_store(store: str) -> None:
    opened = EmbeddedStore(store)
    opened.get_many(KEYS)
    opened.put_many({KEYS[0]: b"new"})
    opened.close()
    assert EmbeddedStore(store).get(KEYS[0]) == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_journal_of_killed_build_does_not_block_other_users() -> None:
    """In a sticky directory such as /tmp only its owner can remove the journal, so others need another file."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        store = os.path.join(place, "store")
        os.mkdir(store)
        os.chmod(store, 0o1777)
        _as(2001, lambda: _die_while_writing(store))
        assert os.stat(os.path.join(store, f"{FIRST}-journal")).st_size
        _as(2002, lambda: _use_store(store))
        _as(2003, lambda: _use_store(store))
        assert sorted(os.listdir(store)) == [FIRST, f"{FIRST}-journal", "results-1.2.db"]


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Path]:
    """Return a filled store, and fail if the test changed it."""
    file = store_of_items(tmp_path / "store")
    connection = sqlite3.connect(file)
    connection.execute("UPDATE entry SET used = 1")
    connection.commit()
    connection.close()
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in file.parent.iterdir()}
    yield file.parent
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in file.parent.iterdir()} == before


def test_mode_read_changes_nothing(untouched: Path, tmp_path: Path) -> None:
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


def test_read_only_use_leaves_damaged_store_alone(tmp_path: Path) -> None:
    file = store_of_items(tmp_path)
    file.write_bytes(b"damaged" * 1000)
    store = EmbeddedStore(str(tmp_path), read_only=True)
    assert store.get_many(KEYS) == {} and list(store.entries()) == []
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == [FIRST] and file.read_bytes() == b"damaged" * 1000


def test_mode_write_reads_nothing() -> None:
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
def test_journal_just_begun_by_another_build_is_accepted(tmp_path: Path, size: int) -> None:
    file = store_of_items(tmp_path)
    begun = bytes.fromhex("d9d505f920a163d7").ljust(512, b"\0")[:size]
    (tmp_path / f"{FIRST}-journal").write_bytes(begun)
    check_journal(str(file))
