"""A store as a build uses it, with permissions and statistics.

A store that raises an error is not used again: a cache may cost time, but never a build.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from ..base.errors import CacheError, Interrupted
from ..base.printable import printable
from .prefetched import PrefetchedEntries
from .store import CacheKvStore, NoStore, StoreReport
from .usage import Usage

_Answer = TypeVar("_Answer")


class Level(CacheKvStore):
    """A store and how it may be used.

    Shape: without `reads` it is only filled, without `writes` only read; `far` if other machines share it.
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
        self._prefetched = PrefetchedEntries()
        self._lock = threading.Lock()

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Ask the store, if it may be read."""
        if not self.reads:
            return {}
        start = time.monotonic()
        prefetched = self._prefetched.take(keys)
        asked = self.ask([key for key in keys if key not in prefetched])
        found = {**asked, **{key: data for key, data in prefetched.items() if data is not None}}
        hits, seconds = len(found), time.monotonic() - start
        self._use(Usage(hits, len(keys) - hits, sum(map(len, asked.values())), seconds))
        return found

    def fetch(self, keys: Sequence[str]) -> frozenset[str]:
        """Fetch entries ahead of the build; return those found."""
        if not self.reads or not (coming := self._prefetched.expect(keys)):
            return frozenset()
        found: Mapping[str, bytes] = {}
        try:
            found = self.ask(coming)
        finally:
            self._prefetched.arrive(coming, found)
        self._use(Usage(received=sum(map(len, found.values()))))
        return frozenset(found)

    def ask(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Ask the store, if it may be read, without counting it in the statistics."""
        nothing: Mapping[str, bytes] = {}
        return self._try(lambda: self._store.get_many(keys), nothing) if self.reads and keys else nothing

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Put values into the store, if it may be written."""
        if self.writes and items:
            self._try(lambda: self._store.put_many(items), None)

    def flush(self) -> None:
        """Flush the store."""
        if self.writes:
            self._try(self._store.flush, None)

    def close(self) -> None:
        """Close the store."""
        self._try(self._store.close, None)

    def remove(self, keys: Iterable[str]) -> None:
        """Remove entries, if the store may be written."""
        if self.writes:
            self._try(lambda: self._store.remove(keys), None)

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield all entries, even without `reads`, for `cratewright cache`.

        Raises: CacheError if they cannot be read, so that a part never passes for the whole.
        """
        try:
            yield from self._store.entries()
        except Interrupted:
            raise
        except Exception as error:  # a plugin may fail in any way
            raise CacheError(f"the cache {self.name} cannot be read", context=(("reason", repr(error)),)) from error

    @property
    def lists(self) -> bool:
        """Whether the store can list its entries; a server cannot."""
        return type(self._store).entries is not CacheKvStore.entries

    @property
    def shrinks(self) -> bool:
        """Whether builds can shrink the store; a server bounds its own size."""
        return type(self._store).collect is not CacheKvStore.collect

    def collect(self) -> StoreReport:
        """Shrink the store to its limit."""
        if not self.shrinks:
            return StoreReport((("size", "left to the server"),))
        return self._try(self._store.collect, StoreReport()) if self.writes else StoreReport()

    def report(self) -> StoreReport:
        """Report what the store holds."""
        return self._try(self._store.report, StoreReport())

    def _use(self, used: Usage) -> None:
        with self._lock:
            self.usage += used

    def _try(self, work: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
        try:
            return work()
        except Interrupted:
            raise
        except Exception as error:  # a plugin may fail in any way
            self._leave(error)
            return otherwise

    def _leave(self, error: Exception) -> None:
        sys.stderr.write(printable(f"cratewright: continuing without the cache {self.name}: {error!r}") + "\n")
        self._store = NoStore()
