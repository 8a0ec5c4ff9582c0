"""A comparison of formats for the store on disk: files, SQLite and LMDB.

    python -m tests.bench cache-stores [--entries N] [--directory DIR]

Each candidate is a minimal program, independent of cratewright's own store. CPU is user + system time of this process
and its children. Values are 10 kB of words that compress like SPIR-V. `killed` counts the processes, of 20, that died
of a signal with a store in which bits had flipped. LMDB takes part if the `lmdb` package is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import resource
import shutil
import sqlite3
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from .store_candidates import Candidate, candidates

SIZE = 10_000
BATCH = 64
WRITERS = 4
EACH = 500


def _items(count: int, seed: int) -> Iterator[tuple[bytes, bytes]]:
    # A few instructions with increasing numbers: zlib compresses them to a quarter, like real modules.
    rng = random.Random(seed)
    words = [struct.pack("<HH", rng.randrange(1, 400), rng.randrange(2, 7)) for _ in range(40)]
    block = b"".join(rng.choice(words) + struct.pack("<I", rng.randrange(700)) for _ in range(SIZE // 8))
    for number in range(count):
        yield hashlib.sha256(b"%d %d" % (seed, number)).digest(), struct.pack("<Q", number) + block[8:]


def _cpu() -> float:
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        total += used.ru_utime + used.ru_stime
    return total


def _batches(items: Iterable[tuple[bytes, bytes]], size: int) -> Iterator[list[tuple[bytes, bytes]]]:
    batch: list[tuple[bytes, bytes]] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _cost(work: Callable[[], object], count: int) -> float:
    """Return CPU microseconds per item."""
    start = _cpu()
    work()
    return (_cpu() - start) / count * 1e6


def _write(kind: type[Candidate], path: Path, seed: int) -> None:
    store = kind(path)
    for batch in _batches(_items(EACH, seed), BATCH):
        store.put(batch)
    store.close()


def _together(kind: type[Candidate], path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(kind, path, seed)) for seed in range(100, 100 + WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        if writer.exitcode:
            raise SystemExit(f"{kind.__name__}: a writer failed")


def _killed(kind: type[Candidate], path: Path, times: int = 20) -> int:
    """Return how many of `times` processes died of a signal with a store in which bits had flipped."""
    context = multiprocessing.get_context("fork")

    def look() -> None:
        with suppress(Exception):
            store = kind(path)
            for key, value in _items(100, 4):
                with suppress(Exception):
                    store.get(key)
                    store.put([(key, value)])

    killed = 0
    for seed in range(times):
        shutil.rmtree(path, ignore_errors=True)
        store = kind(path)
        store.put(list(_items(200, 4)))
        store.close()
        rng = random.Random(seed)
        for file in [file for file in sorted(path.rglob("*")) if file.is_file()]:
            data = bytearray(file.read_bytes())
            for _ in range(len(data) // 500):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            file.write_bytes(data)
        process = context.Process(target=look)
        process.start()
        process.join()
        killed += (process.exitcode or 0) < 0
    return killed


def _used(path: Path) -> float:
    return sum(file.stat().st_blocks * 512 for file in path.rglob("*") if file.is_file()) / 1e6


def measure(kind: type[Candidate], base: Path, entries: int) -> str:
    """Return a row of the table."""
    items = list(_items(450, 1))

    def singly(path: Path, size: int) -> Callable[[], None]:
        def work() -> None:
            store = kind(path)
            for batch in _batches(items, size):
                store.put(batch)
            store.close()

        return work

    one = _cost(singly(base / "one", 1), len(items))
    many = _cost(singly(base / "many", BATCH), len(items))
    start = time.perf_counter()
    together = _cost(lambda: _together(kind, base / "together"), WRITERS * EACH)
    wall = time.perf_counter() - start
    large = kind(base / "large")
    for batch in _batches(_items(entries, 2), 1000):
        large.put(batch)
    large.close()
    keys = [key for key, _ in _items(entries, 2)][:: max(1, entries // 2000)]
    large = kind(base / "large")

    def look(words: list[bytes], expect: bool) -> Callable[[], None]:
        def work() -> None:
            for word in words:
                if (large.get(word) is not None) is not expect:
                    raise SystemExit(f"{kind.__name__}: a lookup went wrong")

        return work

    hit = _cost(look(keys, True), len(keys))
    miss = _cost(look([hashlib.sha256(key).digest() for key in keys], False), len(keys))
    large.close()
    size = _used(base / "large") / (entries * SIZE / 1e6)
    killed = _killed(kind, base / "damaged")
    costs = f"{one:>9.0f}{many:>9.0f}{together:>10.0f}{wall:>8.2f}{hit:>8.0f}{miss:>8.0f}"
    return f"{kind.__name__:<12}{costs}{size:>8.2f}{killed:>8}"


def compression() -> str:
    """Return the cost and the savings of compression."""
    _, value = next(_items(1, 3))
    rows = []
    for level in (1, 6):
        packed = zlib.compress(value, level)
        pack = _cost(lambda level=level: [zlib.compress(value, level) for _ in range(500)], 500)
        unpack = _cost(lambda packed=packed: [zlib.decompress(packed) for _ in range(500)], 500)
        rows.append(
            f"zlib {level}: {pack:.0f} to write, {unpack:.0f} to read, {len(packed) / len(value):.2f} of the size"
        )
    digest = _cost(lambda: [hashlib.sha256(value).digest() for _ in range(2000)], 2000)
    return "\n".join([*rows, f"SHA-256: {digest:.0f}"])


def main(arguments: list[str]) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="stores compared")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--directory", help="where to write (default: the system's temporary directory)")
    chosen = parser.parse_args(arguments)
    print(
        f"CPU microseconds a value of {SIZE} bytes; looked up among {chosen.entries}; SQLite {sqlite3.sqlite_version}"
    )
    print(f"{'':<12}{'put':>9}{f'put {BATCH}':>9}{'4 writers':>10}", end="")
    print(f"{'wall s':>8}{'get':>8}{'miss':>8}{'size':>8}{'killed':>8}")
    for kind in candidates():
        base = Path(tempfile.mkdtemp(prefix="stores-", dir=chosen.directory))
        try:
            print(measure(kind, base, chosen.entries), flush=True)
        finally:
            shutil.rmtree(base)
    print(compression())
    return 0
