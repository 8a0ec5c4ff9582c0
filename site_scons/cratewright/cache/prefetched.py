"""Entries fetched before the build asks for them: arrived, or on their way."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

from ..system.child import check_ended

_MOST = 256 << 20
"""Bytes kept until they are requested; more is discarded."""


class PrefetchedEntries:
    """Entries by key, each handed out once; None for one that the store lacks."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._coming: set[str] = set()
        self._here: dict[str, bytes | None] = {}
        self._seen: set[str] = set()
        self._bytes = 0

    def expect(self, keys: Iterable[str]) -> Sequence[str]:
        """Return the keys to fetch: those neither taken nor on their way yet."""
        with self._condition:
            if self._bytes > _MOST:
                return ()
            new = [key for key in dict.fromkeys(keys) if key not in self._seen]
            self._seen.update(new)
            self._coming.update(new)
            return new

    def arrive(self, keys: Iterable[str], found: Mapping[str, bytes]) -> None:
        """Record the entries fetched for keys on their way."""
        with self._condition:
            for key in keys:
                self._coming.discard(key)
                self._here[key] = found.get(key)
            self._bytes += sum(map(len, found.values()))
            self._condition.notify_all()

    def take(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        """Return the entries there are for keys, after waiting for those on their way.

        Raises: Interrupted if the build has been ended.
        """
        with self._condition:
            self._seen.update(keys)
            while not self._coming.isdisjoint(keys):
                check_ended()
                self._condition.wait(0.2)
            taken = {key: self._here.pop(key) for key in keys if key in self._here}
            self._bytes -= sum(len(data) for data in taken.values() if data is not None)
            return taken
