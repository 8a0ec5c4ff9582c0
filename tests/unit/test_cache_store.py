"""The embedded store: shared, bounded, and never more than a miss whatever happens to its file."""

from __future__ import annotations

import ctypes
import hashlib
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import ItemsView, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.cache import database, rows
from cratewright.cache.database import EmbeddedStore
from cratewright.cache.store import NoStore
from cratewright.pipeline.cache_settings import read_store
from cratewright.plugins.registry import Registry
from tests.support.bounds import HANG
from tests.support.paths import source_paths


def _key(word: object) -> str:
    return hashlib.sha256(str(word).encode()).hexdigest()


def _items(count: int, size: int = 100, name: str = "") -> dict[str, bytes]:
    return {_key(f"{name}{number}"): f"{name}{number};".encode().ljust(size, b".") for number in range(count)}


def _filled(directory: Path, items: Mapping[str, bytes]) -> Path:
    store = EmbeddedStore(str(directory))
    store.put_many(items)
    store.close()
    (file,) = directory.iterdir()
    return file


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path / "a" / "store"))
    assert store.get(_key(0)) is None
    assert not (tmp_path / "a").exists(), "a lookup makes no directory"
    items = _items(20) | {_key("empty"): b""}
    store.put_many(items)
    assert store.get_many(list(items)) == items, "what waits to be written is there already"
    store.flush()
    other = EmbeddedStore(str(tmp_path / "a" / "store"))
    assert other.get_many([*items, _key("no such")]) == items
    other.insert(_key(3), b"new")
    other.close()
    assert store.get(_key(3)) == b"new"
    assert dict(store.entries()) == items | {_key(3): b"new"}
    store.remove([_key(3), _key("no such")])
    assert store.get(_key(3)) is None and len(dict(store.entries())) == 20
    store.close()
    assert store.get(_key(4)) == items[_key(4)], "closed is not lost"


def test_values_are_replaced_not_added(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path))
    for number in range(30):
        store.put_many({_key(0): bytes([number]) * 50_000})
        store.flush()
    assert store.get(_key(0)) == bytes([29]) * 50_000
    store.close()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 200_000


def test_much_is_written_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that is killed loses little."""
    writer, reader = EmbeddedStore(str(tmp_path)), EmbeddedStore(str(tmp_path))
    writer.put_many(_items(50, 100_000))
    assert len(reader.get_many(list(_items(50)))) == 50
    writer.put_many(_items(1, name="late"))
    later = time.monotonic() + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    writer.put_many(_items(1, name="later"))
    assert reader.get(_key("late0")) and reader.get(_key("later0"))


def test_every_file_flipped_anywhere_is_a_miss_and_heals(tmp_path: Path) -> None:
    """Bits flip in one page after another, and all over."""
    items = _items(120, 3000)
    wrong = 0
    for seed in range(60):
        directory = tmp_path / str(seed)
        file = _filled(directory, items)
        data = bytearray(file.read_bytes())
        rng = random.Random(seed)
        start, length = (0, len(data)) if seed % 3 else (seed * 4096 % len(data), 4096)
        for _ in range(max(1, length // 200)):
            data[min(len(data) - 1, start + rng.randrange(length))] ^= 1 << rng.randrange(8)
        file.write_bytes(data)
        store = EmbeddedStore(str(directory))
        found = store.get_many(list(items))
        wrong += sum(items[key] != value for key, value in found.items())
        # Once compiled again and kept, all is there, and stays.
        store.put_many({key: value for key, value in items.items() if found.get(key) != value})
        store.close()
        store = EmbeddedStore(str(directory))
        again = store.get_many(list(items))
        store.put_many({key: value for key, value in items.items() if again.get(key) != value})
        store.close()
        assert EmbeddedStore(str(directory)).get_many(list(items)) == items
    assert wrong, "values do come back wrong: it is the caller who checks their digests"


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"SQLite format 3\0", b"no database" * 1000], ids=range(4))
def test_a_file_that_is_no_database_is_left_behind(tmp_path: Path, content: bytes) -> None:
    file = _filled(tmp_path, _items(5))
    file.write_bytes(content)
    store = EmbeddedStore(str(tmp_path))
    assert store.get_many(list(_items(5))) == {}
    store.put_many(_items(5))
    store.close()
    assert EmbeddedStore(str(tmp_path)).get_many(list(_items(5))) == _items(5)
    assert len(list(tmp_path.iterdir())) == 1


def test_truncated_anywhere(tmp_path: Path) -> None:
    items = _items(40, 3000)
    whole = _filled(tmp_path / "whole", items).read_bytes()
    for number, size in enumerate(range(0, len(whole), 7001)):
        directory = tmp_path / str(number)
        _filled(directory, items).write_bytes(whole[:size])
        store = EmbeddedStore(str(directory))
        assert set(store.get_many(list(items))) <= set(items)
        store.put_many(items)
        store.close()
        assert EmbeddedStore(str(directory)).get_many(list(items)) == items


def test_other_tables_are_damage(tmp_path: Path) -> None:
    file = _filled(tmp_path, _items(3))
    connection = sqlite3.connect(file)
    connection.execute("ALTER TABLE entry RENAME TO else_where")
    connection.commit()
    connection.close()
    store = EmbeddedStore(str(tmp_path))
    assert store.get(_key(0)) is None
    store.put_many(_items(3))
    store.close()
    assert EmbeddedStore(str(tmp_path)).get_many(list(_items(3))) == _items(3)


def test_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    newer = tmp_path / "results-2.7.db"
    newer.write_bytes(b"of the future")
    store = EmbeddedStore(str(tmp_path))
    assert store.get(_key(0)) is None
    store.put_many(_items(3))
    store.collect()
    store.close()
    assert newer.read_bytes() == b"of the future"
    assert EmbeddedStore(str(tmp_path)).get_many(list(_items(3))) == _items(3)


def test_a_name_is_never_used_for_two_files(tmp_path: Path) -> None:
    """Who still has a damaged file open must not touch its successor's journal."""
    first = _filled(tmp_path, _items(3))
    one, two = EmbeddedStore(str(tmp_path)), EmbeddedStore(str(tmp_path))
    assert one.get(_key(0)) and two.get(_key(0))
    first.write_bytes(b"damaged" * 1000)
    one._disconnect()
    assert one.get(_key(0)) is None
    one.put_many(_items(4))
    one.flush()
    two.put_many(_items(9, name="two"))
    two.flush()
    (file,) = tmp_path.iterdir()
    assert file.name == "results-1.2.db"
    assert two.get(_key(3)) is not None, "both have moved on"
    assert EmbeddedStore(str(tmp_path)).get_many(list(_items(4))) == _items(4)


def test_the_bound_keeps_what_was_used_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_EVICT_ROWS", 16)
    clock = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    limit = 2_000_000
    store, running = EmbeddedStore(str(tmp_path), limit), EmbeddedStore(str(tmp_path), limit)
    old, used = _items(80, 10_000, "old"), _items(40, 10_000, "used")
    for items in (old, used):
        store.put_many(items)
        store.flush()
    clock[0] += 7200
    assert running.get_many(list(used)) == used
    running.flush()
    clock[0] += 60
    for number in range(9):
        store.put_many(_items(20, 10_000, f"new{number}"))
        store.flush()
        assert max(file.stat().st_size for file in tmp_path.iterdir()) < limit * 1.15
        if number < 4:
            assert running.get_many(list(used)) == used, "what was used later outlives what was not"
    assert store.get_many(list(_items(20, 10_000, "new8"))) == _items(20, 10_000, "new8")
    assert store.get_many(list(old)) == {}
    # A build that runs meanwhile finds what is left and keeps what it makes.
    running.put_many(_items(1, name="running"))
    running.flush()
    assert store.get(_key("running0"))


def test_a_clock_that_was_ahead_does_not_decide_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [4_000_000_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    store = EmbeddedStore(str(tmp_path), 2_000_000)
    ahead = _items(150, 10_000, "ahead")
    store.put_many(ahead)
    store.flush()
    clock[0] = 1_000_000_000.0
    for number in range(20):
        clock[0] += 7200
        latest = _items(20, 10_000, f"new{number}")
        store.put_many(latest)
        store.flush()
        assert store.get_many(list(latest)) == latest, "what was used last is not what goes first"
    assert store.get_many(list(ahead)) == {}
    store.close()


def test_gc_gives_room_back(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path))
    store.put_many(_items(100, 20_000))
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


def test_one_value_may_not_fill_the_store(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path), 100_000)
    store.put_many({_key(0): b"." * 50_000, _key(1): b"small"})
    store.close()
    assert list(dict(store.entries())) == [_key(1)]


def test_an_empty_store_reports_so(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path / "none"))
    assert dict(store.report().rows) == {"directory": str(tmp_path / "none"), "entries": "0"}
    assert list(store.entries()) == [] and not (tmp_path / "none").exists()


def test_settings(tmp_path: Path) -> None:
    root, registry = str(tmp_path), Registry()
    assert isinstance(read_store({"CRATE_CACHE": "off"}, root, registry), NoStore)
    for setting, place in (("", ".crate-cache"), ("here", "here"), (str(tmp_path / "there"), "there")):
        store = read_store({"CRATE_CACHE": setting}, root, registry)
        store.insert(_key(0), b"value")
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


def _run(script: str, *arguments: object, status: int = 0, forget: bool = False) -> str:
    def drop() -> None:
        if forget and os.geteuid() == 0:  # root heeds no modes otherwise
            for capability in (1, 2):
                ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)

    done = subprocess.run(
        [sys.executable, "-c", _PRELUDE + script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(source_paths())},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=drop,
        timeout=HANG,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout.strip()


_PRELUDE = """
import hashlib, os, resource, signal, sys, time
from cratewright.cache.database import EmbeddedStore
def key(word): return hashlib.sha256(str(word).encode()).hexdigest()
def value(word): return (str(word) + ";").encode().ljust(9000, b".")
store = EmbeddedStore(sys.argv[1])
"""


def test_a_read_only_directory_is_read(tmp_path: Path) -> None:
    file = _filled(tmp_path / "store", {_key(0): b"value"})
    before = file.read_bytes()
    file.chmod(0o444)
    (tmp_path / "store").chmod(0o555)
    script = """
print(store.get(key(0)), store.get(key(1)))
store.insert(key(1), b"new"); store.flush()
print(store.get(key(1)), store.get(key(0)), store.report().problem)
"""
    assert _run(script, tmp_path / "store", forget=True) == ("b'value' None\nNone b'value' it is read-only")
    # The same if the first thing that happens is a write, or if nothing is there.
    assert _run("store.insert(key(1), b'n'); store.flush(); print(store.get(key(0)))", file.parent, forget=True)
    (tmp_path / "none").mkdir(mode=0o555)
    assert _run("store.insert(key(1), b'n'); store.close(); print(store.get(key(1)))", tmp_path / "none", forget=True)
    assert file.read_bytes() == before and list((tmp_path / "none").iterdir()) == []


def test_several_users_share_a_directory_that_says_so(tmp_path: Path) -> None:
    for mode, expect in ((0o755, 0o644), (0o775, 0o664), (0o777, 0o666), (0o700, 0o600)):
        directory = tmp_path / oct(mode)
        directory.mkdir()
        directory.chmod(mode)
        assert _filled(directory, _items(1)).stat().st_mode & 0o777 == expect


def test_a_full_disk_costs_only_what_does_not_fit(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk; a real one is in tests/bench/cache_faults.py."""
    script = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
for number in range(200):
    store.insert(key(number), value(number)); store.flush()
kept = [store.get(key(number)) for number in range(200)]
print(all(item in (None, value(number)) for number, item in enumerate(kept)), sum(map(bool, kept)) > 10)
store.close()
"""
    assert _run(script, tmp_path / "store") == "True True"
    found = dict(EmbeddedStore(str(tmp_path / "store")).entries())
    assert len(found) > 10 and all(value.startswith(b"") and len(value) == 9000 for value in found.values())


def _line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Three writers at a time, four times over; what one has flushed is there, what is there is whole."""
    directory = tmp_path / "store"
    script = (
        _PRELUDE
        + """
from cratewright.cache import database
database._PATIENCE = 100  # for a build that gives up a lock promises nothing
store, name = EmbeddedStore(sys.argv[1]), sys.argv[2]
for number in range(10**6):
    store.insert(key(f"{name}{number}"), value(f"{name}{number}")); store.flush()
    print(number, flush=True)
    time.sleep(0.002)  # without a pause two of them keep the third out, as no build does
"""
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(source_paths())}
    rng = random.Random(1)
    promised: dict[str, int] = {}
    for turn in range(4):
        writers = {
            f"{turn}-{index}-": subprocess.Popen(
                [sys.executable, "-c", script, str(directory), f"{turn}-{index}-"], env=environ, stdout=subprocess.PIPE
            )
            for index in range(3)
        }
        first = {name: [_line(writer) for _ in range(3)][-1] for name, writer in writers.items()}
        time.sleep(rng.random() * 0.2)
        for name, writer in writers.items():
            writer.send_signal(signal.SIGKILL)
            out, _ = writer.communicate()
            promised[name] = int((first[name] + out).split()[-1]) + 1
    assert sum(promised.values()) > 20
    store = EmbeddedStore(str(directory))
    for name, count in promised.items():
        words = [f"{name}{number}" for number in range(count)]
        found = store.get_many([_key(word) for word in words])
        assert found == {_key(word): f"{word};".encode().ljust(9000, b".") for word in words}
    store.put_many(_items(1, name="after"))
    store.flush()
    assert EmbeddedStore(str(directory)).get(_key("after0")), "no lock outlives its owner"


def test_builds_that_begin_a_store_together_all_write_to_it(tmp_path: Path) -> None:
    """Each may find an empty file, and another one's tables by the time that it makes its own."""
    for turn in range(30):
        directory, barrier = tmp_path / str(turn), threading.Barrier(4)

        def write(number: int, directory: Path = directory, barrier: threading.Barrier = barrier) -> None:
            store = EmbeddedStore(str(directory))
            barrier.wait()
            store.put_many(_items(1, name=str(number)))
            store.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        expected = {key: value for number in range(4) for key, value in _items(1, name=str(number)).items()}
        assert EmbeddedStore(str(directory)).get_many(list(expected)) == expected


def test_who_waits_too_long_goes_on_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.05)
    file = _filled(tmp_path, _items(3))
    stopped = sqlite3.connect(file, isolation_level=None)
    stopped.execute("BEGIN EXCLUSIVE")
    store = EmbeddedStore(str(tmp_path))
    assert store.get(_key(0)) is None
    store.put_many(_items(1, name="lost"))
    store.flush()
    stopped.execute("ROLLBACK")
    stopped.close()
    assert store.get_many(list(_items(3))) == _items(3)
    store.put_many(_items(1, name="kept"))
    store.flush()
    assert store.get(_key("kept0")) and not store.get(_key("lost0"))
    assert file.exists()


class _Interrupted(dict[str, bytes]):
    def items(self) -> ItemsView[str, bytes]:
        raise KeyboardInterrupt


def test_an_interrupt_leaves_no_transaction(tmp_path: Path) -> None:
    file = _filled(tmp_path, _items(3))
    store = EmbeddedStore(str(tmp_path))
    store.put_many(_items(1, name="lost"))
    store._pending = _Interrupted(store._pending)
    with pytest.raises(KeyboardInterrupt):
        store.flush()
    store._pending = {}
    store.put_many(_items(1, name="kept"))
    store.flush()
    assert file.exists(), "nobody took it for damage"
    assert EmbeddedStore(str(tmp_path)).get_many(list(_items(3))) == _items(3)
    assert store.get(_key("kept0"))


def test_threads_share_a_store(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path))
    wrong: list[object] = []

    def work(name: str) -> None:
        for number in range(30):
            items = _items(3, name=f"{name}{number}-")
            store.put_many(items)
            if number % 5 == 0:
                store.flush()
            if store.get_many(list(items)) != items:
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(f"t{index}-",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert not wrong and len(dict(store.entries())) == 4 * 30 * 3


def test_a_lookup_among_many_is_quick(tmp_path: Path) -> None:
    """No entry but its own is looked at; tests/bench/cache_stores.py measures it at 100,000 entries."""
    store = EmbeddedStore(str(tmp_path))
    store.put_many(_items(20_000, 200))
    store.close()
    keys = list(_items(20_000))[::10]
    start = resource.getrusage(resource.RUSAGE_SELF)
    assert len(store.get_many(keys)) == len(keys)
    end = resource.getrusage(resource.RUSAGE_SELF)
    used = end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime
    assert used / len(keys) < 1e-3
