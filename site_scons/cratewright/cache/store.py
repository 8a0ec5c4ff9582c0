"""The contract of a store, which holds entries.

It maps keys of 64 hex digits to bytes, and may lose them. No method raises when the store fails: an unreadable entry is
missing, and one that cannot be written is dropped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..base.values import dataclass


@dataclass(frozen=True, slots=True)
class StoreReport:
    """A store's report, as rows for people; `problem` says why it can only be read, or not at all.

    Shape: `figures` are its numbers for programs, each under the name of its row, or as bytes.
    """

    rows: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    figures: tuple[tuple[str, int | float], ...] = ()

    def facts(self) -> dict[str, object]:
        """Return the report as a JSON object."""
        return {**dict(self.rows), **dict(self.figures), **({"problem": self.problem} if self.problem else {})}


class CacheKvStore(ABC):
    """Keeps bytes under keys. Two methods are required; the others are for stores that can do more.

    Called: from several threads of a build at once, and by several builds at once.
    Guarantees: the caller checks each value against its key and digest, so a store need not.
    Source: Cranelift's trait of this name, with batches.
    """

    @abstractmethod
    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return the values found, by key."""

    @abstractmethod
    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Keep values, now or later; until `flush` returns they may be lost."""

    @property
    def levels(self) -> tuple[CacheKvStore, ...]:
        """The stores that this one consists of, near to far."""
        return (self,)

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""
        return self.get_many([key]).get(key)

    def insert(self, key: str, value: bytes) -> None:
        """Keep a value."""
        self.put_many({key: value})

    def flush(self) -> None:
        """Wait until all values put are stored; called when a crate is done."""
        return

    def close(self) -> None:
        """Flush and release everything."""
        self.flush()

    def remove(self, keys: Iterable[str]) -> None:
        """Remove entries that proved damaged."""
        return

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield all entries, for a check."""
        return iter(())

    def collect(self) -> StoreReport:
        """Shrink to the size limit, free disk space, and return what was done."""
        return StoreReport()

    def report(self) -> StoreReport:
        """Report what the store holds."""
        return StoreReport()


class NoStore(CacheKvStore):
    """A store that keeps nothing: `CRATE_CACHE=off`."""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return nothing."""
        return {}

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Do nothing."""
