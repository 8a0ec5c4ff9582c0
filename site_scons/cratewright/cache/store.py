"""The contract of a store, which holds entries.

It maps keys of 64 hex digits to bytes, and may lose them. No method raises for a failure of the store: an entry that
cannot be read is missing, and one that cannot be written is not kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..base.values import dataclass

__all__ = ["CacheKvStore", "NoStore", "StoreReport"]


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What a store says of itself, as rows for a person; `problem` if it can only be read, or not at all.

    Shape: `figures` say the same to a program where there is a number for it: a row of the same name, or one of bytes.
    """

    rows: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    figures: tuple[tuple[str, int | float], ...] = ()

    def facts(self) -> dict[str, object]:
        """Return it as JSON holds it."""
        return {**dict(self.rows), **dict(self.figures), **({"problem": self.problem} if self.problem else {})}


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
