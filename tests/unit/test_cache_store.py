"""The store on disk: round trips, damage, the size limit and settings."""

from __future__ import annotations

import random
import resource
import sqlite3
import time
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.cache import rows
from cratewright.cache.database import EmbeddedStore
from cratewright.cache.store import NoStore
from cratewright.pipeline.cache_settings import read_store
from cratewright.plugins.registry import Registry
from tests.support.store_items import filled_store, key_for, some_items


def test_round_trip_and_removal(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path / "a" / "store"))
    assert store.get(key_for(0)) is None
    assert not (tmp_path / "a").exists(), "a lookup creates no directory"
    items = some_items(20) | {key_for("empty"): b""}
    store.put_many(items)
    assert store.get_many(list(items)) == items, "pending writes are visible"
    store.flush()
    other = EmbeddedStore(str(tmp_path / "a" / "store"))
    assert other.get_many([*items, key_for("no such")]) == items
    other.insert(key_for(3), b"new")
    other.close()
    assert store.get(key_for(3)) == b"new"
    assert dict(store.entries()) == items | {key_for(3): b"new"}
    store.remove([key_for(3), key_for("no such")])
    assert store.get(key_for(3)) is None and len(dict(store.entries())) == 20
    store.close()
    assert store.get(key_for(4)) == items[key_for(4)], "a closed store still reads"


def test_replaced_value_takes_no_more_space(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path))
    for number in range(30):
        store.put_many({key_for(0): bytes([number]) * 50_000})
        store.flush()
    assert store.get(key_for(0)) == bytes([29]) * 50_000
    store.close()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 200_000


def test_pending_writes_are_bounded_in_size_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that is killed loses little."""
    writer, reader = EmbeddedStore(str(tmp_path)), EmbeddedStore(str(tmp_path))
    writer.put_many(some_items(50, 100_000))
    assert len(reader.get_many(list(some_items(50)))) == 50
    writer.put_many(some_items(1, name="late"))
    later = time.monotonic() + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    writer.put_many(some_items(1, name="later"))
    assert reader.get(key_for("late0")) and reader.get(key_for("later0"))


def test_flipped_bits_are_misses_and_the_store_recovers(tmp_path: Path) -> None:
    """Flip bits in single pages and in the whole file."""
    items = some_items(120, 3000)
    wrong = 0
    for seed in range(60):
        directory = tmp_path / str(seed)
        file = filled_store(directory, items)
        data = bytearray(file.read_bytes())
        rng = random.Random(seed)
        start, length = (0, len(data)) if seed % 3 else (seed * 4096 % len(data), 4096)
        for _ in range(max(1, length // 200)):
            data[min(len(data) - 1, start + rng.randrange(length))] ^= 1 << rng.randrange(8)
        file.write_bytes(data)
        store = EmbeddedStore(str(directory))
        found = store.get_many(list(items))
        wrong += sum(items[key] != value for key, value in found.items())
        # After the lost values are stored again, all are found.
        store.put_many({key: value for key, value in items.items() if found.get(key) != value})
        store.close()
        store = EmbeddedStore(str(directory))
        again = store.get_many(list(items))
        store.put_many({key: value for key, value in items.items() if again.get(key) != value})
        store.close()
        assert EmbeddedStore(str(directory)).get_many(list(items)) == items
    assert wrong, "values do come back wrong: it is the caller who checks their digests"


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"SQLite format 3\0", b"no database" * 1000], ids=range(4))
def test_file_that_is_not_a_database_is_replaced(tmp_path: Path, content: bytes) -> None:
    file = filled_store(tmp_path, some_items(5))
    file.write_bytes(content)
    store = EmbeddedStore(str(tmp_path))
    assert store.get_many(list(some_items(5))) == {}
    store.put_many(some_items(5))
    store.close()
    assert EmbeddedStore(str(tmp_path)).get_many(list(some_items(5))) == some_items(5)
    assert len(list(tmp_path.iterdir())) == 1


def test_truncated_store_recovers(tmp_path: Path) -> None:
    items = some_items(40, 3000)
    whole = filled_store(tmp_path / "whole", items).read_bytes()
    for number, size in enumerate(range(0, len(whole), 7001)):
        directory = tmp_path / str(number)
        filled_store(directory, items).write_bytes(whole[:size])
        store = EmbeddedStore(str(directory))
        assert set(store.get_many(list(items))) <= set(items)
        store.put_many(items)
        store.close()
        assert EmbeddedStore(str(directory)).get_many(list(items)) == items


def test_store_with_unexpected_tables_recovers(tmp_path: Path) -> None:
    file = filled_store(tmp_path, some_items(3))
    connection = sqlite3.connect(file)
    connection.execute("ALTER TABLE entry RENAME TO else_where")
    connection.commit()
    connection.close()
    store = EmbeddedStore(str(tmp_path))
    assert store.get(key_for(0)) is None
    store.put_many(some_items(3))
    store.close()
    assert EmbeddedStore(str(tmp_path)).get_many(list(some_items(3))) == some_items(3)


def test_file_of_a_newer_version_is_untouched(tmp_path: Path) -> None:
    newer = tmp_path / "results-2.7.db"
    newer.write_bytes(b"of the future")
    store = EmbeddedStore(str(tmp_path))
    assert store.get(key_for(0)) is None
    store.put_many(some_items(3))
    store.collect()
    store.close()
    assert newer.read_bytes() == b"of the future"
    assert EmbeddedStore(str(tmp_path)).get_many(list(some_items(3))) == some_items(3)


def test_successor_of_a_damaged_file_has_a_new_name(tmp_path: Path) -> None:
    """A process that still has the damaged file open must not touch its successor's journal."""
    first = filled_store(tmp_path, some_items(3))
    one, two = EmbeddedStore(str(tmp_path)), EmbeddedStore(str(tmp_path))
    assert one.get(key_for(0)) and two.get(key_for(0))
    first.write_bytes(b"damaged" * 1000)
    one._disconnect()
    assert one.get(key_for(0)) is None
    one.put_many(some_items(4))
    one.flush()
    two.put_many(some_items(9, name="two"))
    two.flush()
    (file,) = tmp_path.iterdir()
    assert file.name == "results-1.2.db"
    assert two.get(key_for(3)) is not None, "both stores use the new file"
    assert EmbeddedStore(str(tmp_path)).get_many(list(some_items(4))) == some_items(4)


def test_least_recently_used_values_are_evicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_EVICT_ROWS", 16)
    clock = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    limit = 2_000_000
    store, running = EmbeddedStore(str(tmp_path), limit), EmbeddedStore(str(tmp_path), limit)
    old, used = some_items(80, 10_000, "old"), some_items(40, 10_000, "used")
    for items in (old, used):
        store.put_many(items)
        store.flush()
    clock[0] += 7200
    assert running.get_many(list(used)) == used
    running.flush()
    clock[0] += 60
    for number in range(9):
        store.put_many(some_items(20, 10_000, f"new{number}"))
        store.flush()
        assert max(file.stat().st_size for file in tmp_path.iterdir()) < limit * 1.15
        if number < 4:
            assert running.get_many(list(used)) == used, "what was used later outlives what was not"
    assert store.get_many(list(some_items(20, 10_000, "new8"))) == some_items(20, 10_000, "new8")
    assert store.get_many(list(old)) == {}
    # A build that runs meanwhile finds the remaining values and stores its own.
    running.put_many(some_items(1, name="running"))
    running.flush()
    assert store.get(key_for("running0"))


def test_eviction_recovers_from_a_clock_that_was_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [4_000_000_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    store = EmbeddedStore(str(tmp_path), 2_000_000)
    ahead = some_items(150, 10_000, "ahead")
    store.put_many(ahead)
    store.flush()
    clock[0] = 1_000_000_000.0
    for number in range(20):
        clock[0] += 7200
        latest = some_items(20, 10_000, f"new{number}")
        store.put_many(latest)
        store.flush()
        assert store.get_many(list(latest)) == latest, "the most recently used values are not evicted first"
    assert store.get_many(list(ahead)) == {}
    store.close()


def test_gc_shrinks_the_file(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path))
    store.put_many(some_items(100, 20_000))
    store.close()
    (file,) = tmp_path.iterdir()
    (tmp_path / "results-1.0.db").write_bytes(b"what a damaged one left")
    before = file.stat().st_size
    small = EmbeddedStore(str(tmp_path), 500_000)
    rows = dict(small.collect().rows)
    assert rows["freed"].endswith("MiB") and rows["size"].endswith("of 488.3 KiB")
    small.close()
    assert [item.name for item in tmp_path.iterdir()] == [file.name]
    assert file.stat().st_size <= 500_000 < before
    assert 0 < len(dict(EmbeddedStore(str(tmp_path)).entries())) < 30


def test_oversized_value_is_not_stored(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path), 100_000)
    store.put_many({key_for(0): b"." * 50_000, key_for(1): b"small"})
    store.close()
    assert list(dict(store.entries())) == [key_for(1)]


def test_report_of_an_empty_store(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path / "none"))
    assert dict(store.report().rows) == {"directory": str(tmp_path / "none"), "entries": "0"}
    assert list(store.entries()) == [] and not (tmp_path / "none").exists()


def test_cache_settings(tmp_path: Path) -> None:
    root, registry = str(tmp_path), Registry()
    assert isinstance(read_store({"CRATE_CACHE": "off"}, root, registry), NoStore)
    for setting, place in (("", ".crate-cache"), ("here", "here"), (str(tmp_path / "there"), "there")):
        store = read_store({"CRATE_CACHE": setting}, root, registry)
        store.insert(key_for(0), b"value")
        store.close()
        assert (tmp_path / place / "results-1.1.db").is_file()
    for text, size in (
        ("1000", 1000),
        ("2k", 2048),
        ("1.5M", 3 << 19),
        ("5GiB", 5 << 30),
        ("1tb", 1 << 40),
        ("7 B", 7),
    ):
        store = read_store({"CRATE_CACHE_SIZE": text}, root, registry)
        assert isinstance(store, EmbeddedStore) and store._limit == size
    for text in ("G", "0", "-5", "5X", "nan", "inf", "5 apples"):
        with pytest.raises(ConfigurationError):
            read_store({"CRATE_CACHE_SIZE": text}, root, registry)


def test_lookup_is_fast_among_many_entries(tmp_path: Path) -> None:
    """A lookup must not scan; tests/bench/cache_stores.py measures it with 100,000 entries."""
    store = EmbeddedStore(str(tmp_path))
    store.put_many(some_items(20_000, 200))
    store.close()
    keys = list(some_items(20_000))[::10]
    start = resource.getrusage(resource.RUSAGE_SELF)
    assert len(store.get_many(keys)) == len(keys)
    end = resource.getrusage(resource.RUSAGE_SELF)
    used = end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime
    assert used / len(keys) < 1e-3
