"""The contract of a store: where entries are kept.

Knows nothing of what an entry is: a word of 64 hex digits goes in, some bytes, and perhaps they come out again.
No method raises for what goes wrong with a store; an entry that cannot be read is not there, one that cannot be
written is not kept.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from ..values import dataclass

__all__ = ["CacheKvStore", "GuardedStore", "NoStore", "ReadStore", "StoreReport", "WriteStore"]

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What a store says of itself, as rows for a person; `problem` if it can only be read, or not at all."""

    rows: tuple[tuple[str, str], ...] = ()
    problem: str = ""


class CacheKvStore(ABC):
    """Keeps bytes under keys. Two methods must be there; the others are for stores that can do more.

    Called: from several threads of a build at once, and by several builds at once.
    Guarantees: what is read is checked against its digest and key by the caller, so a store need not.
    Source: Cranelift's trait of this name, with batches.
    """

    @abstractmethod
    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return the values of those keys that have one."""

    @abstractmethod
    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Keep values, now or later; until `flush` has returned they may be lost."""

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        return self.get_many([key]).get(key)

    def insert(self, key: str, value: bytes) -> None:
        """Keep a value."""
        self.put_many({key: value})

    def flush(self) -> None:
        """Wait until what was put is kept as well as it ever will be; called when a crate is done."""
        return

    def close(self) -> None:
        """Flush and let go of everything."""
        self.flush()

    def remove(self, keys: Iterable[str]) -> None:
        """Forget entries that were found to be damaged."""
        return

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield all entries, for a check."""
        return iter(())

    def collect(self) -> StoreReport:
        """Keep to the size bound, give back what room can be given back, and say what was done."""
        return StoreReport()

    def report(self) -> StoreReport:
        """Say what there is."""
        return StoreReport()


class NoStore(CacheKvStore):
    """A store that keeps nothing: `CRATE_CACHE=off`."""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return nothing."""
        return {}

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Do nothing."""


class ReadStore(CacheKvStore):
    """A store of which nothing is changed: `CRATE_CACHE_MODE=read`."""

    def __init__(self, store: CacheKvStore) -> None:
        self._store = store

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Ask the store."""
        return self._store.get_many(keys)

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Close the store, to which nothing was given."""
        self._store.close()

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield all entries."""
        return self._store.entries()

    def report(self) -> StoreReport:
        """Say what there is."""
        return self._store.report()


class WriteStore(CacheKvStore):
    """A store that is filled and not believed: `CRATE_CACHE_MODE=write`."""

    def __init__(self, store: CacheKvStore) -> None:
        self._store = store

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return nothing: all is made again."""
        return {}

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Give the store what to keep."""
        self._store.put_many(items)

    def flush(self) -> None:
        """Let the store finish."""
        self._store.flush()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def remove(self, keys: Iterable[str]) -> None:
        """Forget entries."""
        self._store.remove(keys)

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield all entries: `cratewright cache` looks after the store."""
        return self._store.entries()

    def collect(self) -> StoreReport:
        """Keep to the bound."""
        return self._store.collect()

    def report(self) -> StoreReport:
        """Say what there is."""
        return self._store.report()


class GuardedStore(CacheKvStore):
    """A plugin's store, done without after its first exception: a cache may cost time, never a build."""

    def __init__(self, store: CacheKvStore, name: str) -> None:
        self._store = store
        self._name = name

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Ask the store."""
        nothing: Mapping[str, bytes] = {}
        return self._try(lambda: self._store.get_many(keys), nothing)

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Give the store what to keep."""
        self._try(lambda: self._store.put_many(items), None)

    def flush(self) -> None:
        """Let the store finish."""
        self._try(self._store.flush, None)

    def close(self) -> None:
        """Close the store."""
        self._try(self._store.close, None)

    def remove(self, keys: Iterable[str]) -> None:
        """Forget entries."""
        self._try(lambda: self._store.remove(keys), None)

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield all entries."""
        nothing: list[tuple[str, bytes]] = []
        return iter(self._try(lambda: list(self._store.entries()), nothing))

    def collect(self) -> StoreReport:
        """Keep to the bound."""
        return self._try(self._store.collect, StoreReport())

    def report(self) -> StoreReport:
        """Say what there is."""
        return self._try(self._store.report, StoreReport())

    def _try(self, work: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
        try:
            return work()
        except Exception as error:  # a plugin may fail in any way
            print(f"cratewright: going on without the cache {self._name}: {error!r}", file=sys.stderr)
            self._store = NoStore()
            return otherwise
