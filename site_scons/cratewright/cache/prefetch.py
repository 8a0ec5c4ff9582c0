"""Fetches entries before a build asks for them, by what its crates asked for before, here or on other machines.

For each name, far stores keep an entry with the keys requested under it. Whoever can write there can make a build fetch
useless entries, within limits; fetched entries are checked like any other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress

from ..base.errors import Interrupted
from .key import CacheKey
from .level import Level
from .note import NoteForm

_MOST = 20_000
"""Keys that are remembered under one name."""
_AT_ONCE = 256
_KEY = 32
ASKED = NoteForm("cratewright asked 1", bytes)
"""The keys requested under a name."""


class Prefetch:
    """The keys requested under names, and a thread that fetches their entries.

    Shape: `levels` near to far; only the far ones are asked.
    """

    def __init__(self, levels: Sequence[Level]) -> None:
        self._levels = levels
        self._far = [level for level in levels if level.far]
        self._lock = threading.Lock()
        self._names: list[str] = []
        self._thread: threading.Thread | None = None
        self._known: dict[tuple[Level, str], Sequence[str]] = {}
        self._asked: dict[str, dict[str, None]] = {}

    @property
    def begun(self) -> bool:
        """Whether prefetching is worthwhile: a far store was needed already."""
        return any(level.reads and (level.usage.hits or level.usage.misses) for level in self._far)

    def expect(self, names: Iterable[str]) -> None:
        """Fetch the entries last requested under names that the build is likely to reach."""
        with self._lock:
            self._names += names
            if self._thread is None and self._names:
                self._thread = threading.Thread(target=self._work, name="cratewright prefetch", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # no thread can be started
                    self._names, self._thread = [], None

    def note(self, name: str, keys: Iterable[str]) -> None:
        """Record keys requested under a name."""
        if name and self._far:
            with self._lock:
                self._asked.setdefault(name, {}).update(dict.fromkeys(keys))

    def leave(self, level: Level) -> None:
        """Store the recorded keys that a far level does not have yet."""
        with self._lock:
            asked, self._names = dict(self._asked), []
        if not (level.far and level.writes):
            return
        with suppress(Interrupted):
            self._learn(level, [name for name in asked if (level, name) not in self._known])
            items: dict[str, bytes] = {}
            for name, keys in asked.items():
                known = self._known.get((level, name), ())
                if not keys.keys() <= set(known):
                    # Keys requested by others, or before an edit, may be requested again.
                    others = [key for key in known if key not in keys][: len(keys)]
                    data = b"".join(map(bytes.fromhex, [*keys, *others][:_MOST]))
                    items[ASKED.key(name)] = ASKED.seal(ASKED.key(name), data)
            level.put_many(items)

    def _learn(self, level: Level, names: Sequence[str]) -> None:
        found = level.ask([ASKED.key(name) for name in names])
        for name in names:
            self._known[level, name] = _read(ASKED.key(name), found.get(ASKED.key(name)))

    def _work(self) -> None:
        with suppress(Interrupted):
            while True:
                with self._lock:
                    names, self._names = self._names, []
                    if not names:
                        self._thread = None
                        return
                for level in self._far:
                    self._learn(level, names)
                keys = [key for name in names for level in self._far for key in self._known[level, name]]
                for start in range(0, len(keys), _AT_ONCE):
                    self._fetch(keys[start : start + _AT_ONCE])

    def _fetch(self, keys: Sequence[str]) -> None:
        for level in self._levels:
            there = level.fetch(keys) if level.far else level.ask(keys).keys()
            keys = [key for key in keys if key not in there]


def _read(key: CacheKey, data: bytes | None) -> Sequence[str]:
    keys = ASKED.read(key, data) or b""
    if len(keys) % _KEY:
        return ()
    text = keys[: _MOST * _KEY].hex()
    return [text[start : start + 2 * _KEY] for start in range(0, len(text), 2 * _KEY)]
