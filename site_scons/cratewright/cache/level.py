"""Stores as a build sees them: what may be done with each, what each was good for, and several as one.

One that raises is done without from then on: a cache costs time, never a build.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from ..errors import CacheError, Interrupted
from ..printable import printable
from .store import CacheKvStore, NoStore, StoreReport
from .usage import Usage, note_usage, read_usage

__all__ = ["Level", "StackedStore"]

_Answer = TypeVar("_Answer")


class Level(CacheKvStore):
    """A store that is used in one way.

    Shape: without `reads` it is filled and not believed; without `writes` nothing of it is changed. One that is `far`
    is shared with other machines.
    """

    def __init__(
        self, store: CacheKvStore, name: str, *, reads: bool = True, writes: bool = True, far: bool = False
    ) -> None:
        self.name = name
        self.far = far
        self.reads = reads
        self.writes = writes
        self.usage = Usage()
        self._store = store
        self._lock = threading.Lock()

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Ask the store, if it may be believed."""
        if not self.reads:
            return {}
        start = time.monotonic()
        found = self.ask(keys)
        hits, seconds = len(found), time.monotonic() - start
        used = Usage(hits, len(keys) - hits, sum(map(len, found.values())), seconds)
        with self._lock:
            self.usage += used
        return found

    def ask(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Ask the store for what is not a result, if it may be believed; that is not counted."""
        nothing: Mapping[str, bytes] = {}
        return self._try(lambda: self._store.get_many(keys), nothing) if self.reads else nothing

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Give the store what to keep, if anything may be changed."""
        if self.writes and items:
            self._try(lambda: self._store.put_many(items), None)

    def flush(self) -> None:
        """Let the store finish."""
        if self.writes:
            self._try(self._store.flush, None)

    def close(self) -> None:
        """Close the store."""
        self._try(self._store.close, None)

    def remove(self, keys: Iterable[str]) -> None:
        """Forget entries."""
        if self.writes:
            self._try(lambda: self._store.remove(keys), None)

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield all entries; `cratewright cache` looks after a store that builds do not believe as well.

        Raises: CacheError if they cannot be read: nobody is to take what is left for the whole.
        """
        try:
            yield from self._store.entries()
        except Interrupted:
            raise
        except Exception as error:  # a plugin may fail in any way
            raise CacheError(f"the cache {self.name} cannot be read", context=(("reason", repr(error)),)) from error

    @property
    def lists(self) -> bool:
        """Whether the store can tell what it has; a server cannot."""
        return type(self._store).entries is not CacheKvStore.entries

    def collect(self) -> StoreReport:
        """Keep to the size bound."""
        return self._try(self._store.collect, StoreReport()) if self.writes else StoreReport()

    def report(self) -> StoreReport:
        """Say what there is."""
        return self._try(self._store.report, StoreReport())

    def _try(self, work: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
        try:
            return work()
        except Interrupted:
            raise
        except Exception as error:  # a plugin may fail in any way
            self._leave(error)
            return otherwise

    def _leave(self, error: Exception) -> None:
        sys.stderr.write(printable(f"cratewright: going on without the cache {self.name}: {error!r}") + "\n")
        self._store = NoStore()


class StackedStore(CacheKvStore):
    """Several levels, near to far: what a near one lacks is asked of the next; all are given what is new.

    Shape: closed at the latest when this process ends. `directory` is where it is noted what each level was good for,
    empty for nowhere.
    """

    def __init__(self, levels: Sequence[Level], directory: str = "", *, notes: bool = True) -> None:
        self._levels = tuple(levels)
        self._directory = directory
        self._notes = notes and bool(directory)
        self._owner = os.getpid()
        _close_at_end(self)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels, near to far."""
        return self._levels

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return the nearest value of each key."""
        found: dict[str, bytes] = {}
        for level in self._levels:
            if missing := [key for key in keys if key not in found]:
                found.update(level.get_many(missing))
        return found

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Give all levels what to keep."""
        for level in self._levels:
            level.put_many(items)

    def flush(self) -> None:
        """Let all levels finish."""
        for level in self._levels:
            level.flush()

    def close(self) -> None:
        """Close all levels."""
        _open.discard(self)
        if os.getpid() == self._owner:
            # The far ones may take a while; what is near is safe by then.
            for level in self._levels:
                level.close()
            if self._notes:
                self._notes = False
                note_usage(self._directory, {level.name: level.usage for level in self._levels})

    def remove(self, keys: Iterable[str]) -> None:
        """Forget entries in all levels."""
        keys = tuple(keys)
        for level in self._levels:
            level.remove(keys)

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield the entries of all levels that can tell theirs."""
        for level in self._levels:
            yield from level.entries()

    def collect(self) -> StoreReport:
        """Keep all levels to their bounds."""
        return _joined(self._levels, [level.collect() for level in self._levels])

    def report(self) -> StoreReport:
        """Say what there is in each level, and what builds found there."""
        noted = read_usage(self._directory) if self._directory else {}
        reports = []
        for level in self._levels:
            report, used = level.report(), noted.get(level.name)
            if used is not None:
                figures = (("hits", used.hits), ("misses", used.misses), ("received_bytes", used.received))
                rows = (*report.rows, *_rows(used))
                report = StoreReport(rows, report.problem, (*report.figures, *figures, ("seconds", used.seconds)))
            reports.append(report)
        return _joined(self._levels, reports)


_open: set[StackedStore] = set()
_ends: list[bool] = []


def _close_at_end(store: StackedStore) -> None:
    """Have a store closed when Python ends, while threads can still be started, if there is such a moment."""
    _open.add(store)
    if not _ends:
        _ends.append(True)
        getattr(threading, "_register_atexit", atexit.register)(_close_all)


def _close_all() -> None:
    for store in tuple(_open):
        store.close()


def _rows(used: Usage) -> tuple[tuple[str, str], ...]:
    share = f" ({100 * used.hits / max(1, used.hits + used.misses):.0f} %)"
    return (
        ("hits", f"{used.hits}{share}"),
        ("misses", str(used.misses)),
        ("received", f"{used.received / (1 << 20):.1f} MiB"),
        ("waited", f"{used.seconds:.1f} s"),
    )


def _joined(levels: Sequence[Level], reports: Sequence[StoreReport]) -> StoreReport:
    if len(levels) == 1:
        return reports[0]
    rows = [
        (f"{number} {label}", text)
        for number, (level, report) in enumerate(zip(levels, reports, strict=True), 1)
        for label, text in (
            ("level", level.name),
            *report.rows,
            *([("problem", report.problem)] * bool(report.problem)),
        )
    ]
    figures = [(f"{number} {label}", value) for number, each in enumerate(reports, 1) for label, value in each.figures]
    return StoreReport(tuple(rows), figures=tuple(figures))
