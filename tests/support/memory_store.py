"""A store in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cratewright.cache.store import CacheKvStore

__all__ = ["MemoryStore"]


class MemoryStore(dict[str, bytes], CacheKvStore):  # type: ignore[misc]
    """A dictionary of entries."""

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the values of known keys."""
        return {key: self[key] for key in keys if key in self}

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Store all items."""
        self.update(items)
