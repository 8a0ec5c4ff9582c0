"""Several stores as one, nearest first."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .level import Level
from .prefetch import Prefetch
from .store import CacheKvStore, StoreReport
from .usage import Usage, note_usage, read_usage


class StackedStore(CacheKvStore):
    """Several levels, near to far: each is asked for what nearer ones lack, and new values go to all.

    Shape: closed at the latest when this process ends. `directory` is where usage statistics are kept, empty for none.
    """

    def __init__(self, levels: Sequence[Level], directory: str = "", *, notes: bool = True) -> None:
        self._levels = tuple(levels)
        self._directory = directory
        self._notes = notes and bool(directory)
        self._owner = os.getpid()
        self.prefetch = Prefetch(self._levels)
        _close_at_end(self)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels, near to far."""
        return self._levels

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return each key's value from the nearest level that has one."""
        found: dict[str, bytes] = {}
        for level in self._levels:
            if missing := [key for key in keys if key not in found]:
                found.update(level.get_many(missing))
        return found

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Put values into all levels."""
        for level in self._levels:
            level.put_many(items)

    def flush(self) -> None:
        """Flush all levels."""
        for level in self._levels:
            level.flush()

    def close(self) -> None:
        """Close all levels."""
        _open.discard(self)
        if os.getpid() == self._owner:
            # Near first: far ones may take a while.
            for level in self._levels:
                self.prefetch.leave(level)
                level.close()
            if self._notes:
                self._notes = False
                note_usage(self._directory, {level.name: level.usage for level in self._levels})

    def remove(self, keys: Iterable[str]) -> None:
        """Remove entries from all levels."""
        keys = tuple(keys)
        for level in self._levels:
            level.remove(keys)

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield the entries of all levels that can list them."""
        for level in self._levels:
            yield from level.entries()

    def collect(self) -> StoreReport:
        """Shrink all levels to their limits."""
        return _joined(self._levels, [level.collect() for level in self._levels])

    def report(self) -> StoreReport:
        """Report what each level holds and what builds found there."""
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
    """Close a store when Python exits, while threads can still be started if this Python has such a hook."""
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
