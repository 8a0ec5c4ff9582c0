"""The store on disk used by several processes: kills, missing permissions, full disks and contention."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import ItemsView
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cratewright.cache import database
from cratewright.cache.database import EmbeddedStore
from tests.support.bounds import HANG
from tests.support.paths import source_paths
from tests.support.store_items import filled_store, key_for, some_items


def _run(script: str, *arguments: object, status: int = 0, forget: bool = False) -> str:
    def drop() -> None:
        if forget and os.geteuid() == 0:  # without these capabilities, root respects file modes
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


def test_read_only_directory_is_read(tmp_path: Path) -> None:
    file = filled_store(tmp_path / "store", {key_for(0): b"value"})
    before = file.read_bytes()
    file.chmod(0o444)
    (tmp_path / "store").chmod(0o555)
    script = """
print(store.get(key(0)), store.get(key(1)))
store.insert(key(1), b"new"); store.flush()
print(store.get(key(1)), store.get(key(0)), store.report().problem)
"""
    assert _run(script, tmp_path / "store", forget=True) == ("b'value' None\nNone b'value' it is read-only")
    # The same if a write comes first, and in an empty directory.
    first = "store.insert(key(1), b'n'); store.flush(); print(store.get(key(0)), store.get(key(1)))"
    assert _run(first, file.parent, forget=True) == "b'value' None"
    (tmp_path / "none").mkdir(mode=0o555)
    assert _run(first, tmp_path / "none", forget=True) == "None None"
    assert file.read_bytes() == before and list((tmp_path / "none").iterdir()) == []


def test_file_mode_follows_the_directory(tmp_path: Path) -> None:
    for mode, expect in ((0o755, 0o644), (0o775, 0o664), (0o777, 0o666), (0o700, 0o600)):
        directory = tmp_path / oct(mode)
        directory.mkdir()
        directory.chmod(mode)
        assert filled_store(directory, some_items(1)).stat().st_mode & 0o777 == expect


def test_full_disk_loses_only_what_does_not_fit(tmp_path: Path) -> None:
    """A file size limit simulates the full disk; tests/bench/cache_faults.py uses a real one."""
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
    whole = {key_for(number): f"{number};".encode().ljust(9000, b".") for number in range(200)}
    assert len(found) > 10 and found.items() <= whole.items()


def _line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_killed_writers_lose_nothing_flushed(tmp_path: Path) -> None:
    """Kill three concurrent writers, four times: all flushed values are found, and all found values are whole."""
    directory = tmp_path / "store"
    script = (
        _PRELUDE
        + """
from cratewright.cache import database
database._PATIENCE = 100  # a writer that gives up a lock would drop its values
store, name = EmbeddedStore(sys.argv[1]), sys.argv[2]
for number in range(10**6):
    store.insert(key(f"{name}{number}"), value(f"{name}{number}")); store.flush()
    print(number, flush=True)
    time.sleep(0.002)  # without a pause, two writers starve the third
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
        found = store.get_many([key_for(word) for word in words])
        assert found == {key_for(word): f"{word};".encode().ljust(9000, b".") for word in words}
    store.put_many(some_items(1, name="after"))
    store.flush()
    assert EmbeddedStore(str(directory)).get(key_for("after0")), "no lock outlives its owner"


def test_builds_that_create_a_store_at_once_all_write_to_it(tmp_path: Path) -> None:
    """Each may find an empty file, and later the tables that another build has created."""
    for turn in range(30):
        directory, barrier = tmp_path / str(turn), threading.Barrier(4)

        def write(number: int, directory: Path = directory, barrier: threading.Barrier = barrier) -> None:
            store = EmbeddedStore(str(directory))
            barrier.wait()
            store.put_many(some_items(1, name=str(number)))
            store.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        expected = {key: value for number in range(4) for key, value in some_items(1, name=str(number)).items()}
        assert EmbeddedStore(str(directory)).get_many(list(expected)) == expected


def test_store_is_skipped_after_waiting_too_long_for_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.05)
    file = filled_store(tmp_path, some_items(3))
    stopped = sqlite3.connect(file, isolation_level=None)
    stopped.execute("BEGIN EXCLUSIVE")
    store = EmbeddedStore(str(tmp_path))
    assert store.get(key_for(0)) is None
    store.put_many(some_items(1, name="lost"))
    store.flush()
    stopped.execute("ROLLBACK")
    stopped.close()
    assert store.get_many(list(some_items(3))) == some_items(3)
    store.put_many(some_items(1, name="kept"))
    store.flush()
    assert store.get(key_for("kept0")) and not store.get(key_for("lost0"))
    assert file.exists()


class _Interrupted(dict[str, bytes]):
    def items(self) -> ItemsView[str, bytes]:
        raise KeyboardInterrupt


def test_interrupt_leaves_no_open_transaction(tmp_path: Path) -> None:
    file = filled_store(tmp_path, some_items(3))
    store = EmbeddedStore(str(tmp_path))
    store.put_many(some_items(1, name="lost"))
    store._pending = _Interrupted(store._pending)
    with pytest.raises(KeyboardInterrupt):
        store.flush()
    store._pending = {}
    store.put_many(some_items(1, name="kept"))
    store.flush()
    assert file.exists(), "the file was not taken for damaged"
    assert EmbeddedStore(str(tmp_path)).get_many(list(some_items(3))) == some_items(3)
    assert store.get(key_for("kept0"))


def test_threads_share_a_store_without_losses(tmp_path: Path) -> None:
    store = EmbeddedStore(str(tmp_path))
    wrong: list[object] = []

    def work(name: str) -> None:
        for number in range(30):
            items = some_items(3, name=f"{name}{number}-")
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
