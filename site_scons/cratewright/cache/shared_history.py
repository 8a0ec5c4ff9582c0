"""The inputs of results that other machines made, so that a machine without history can explain a miss.

They lie only in far stores, beside the entries. Whoever can write there can change them; they are only shown to people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from .key import CacheKey, Fields
from .level import Level
from .note import NoteForm
from .store import CacheKvStore

_MOST = 8
"""How many ways of making one thing are remembered, latest first."""
_LONGEST = 1000
INPUTS = NoteForm("cratewright trail 1", tuple[Fields, ...])
"""The inputs of one result, as different machines had them."""


class SharedHistory:
    """The inputs of results, in the far levels of a store."""

    def __init__(self, store: CacheKvStore) -> None:
        self._levels = [level for level in store.levels if isinstance(level, Level) and level.far]

    def compare(self, made: Mapping[str, Fields]) -> dict[str, Fields]:
        """Return by label the inputs most like those of each result made, if any; record the result's own."""
        if not self._levels or not made:
            return {}
        keys = {INPUTS.key(label): label for label in made}
        found: dict[str, Fields] = {}
        for level in self._levels:
            kept = level.ask(list(keys))
            items: dict[str, bytes] = {}
            for key, label in keys.items():
                known, fields = _read(key, kept.get(key)), made[label]
                if known and label not in found:
                    found[label] = min(known, key=partial(_distance, fields))
                latest = (fields, *(other for other in known if other != fields))[:_MOST]
                if level.writes and latest != tuple(known):
                    items[key] = INPUTS.seal(key, latest)
            level.put_many(items)
        return found


def _read(key: CacheKey, data: bytes | None) -> Sequence[Fields]:
    known = INPUTS.read(key, data) or ()
    return [fields for fields in known[:_MOST] if _is_plain(fields)]


def _is_plain(fields: Fields) -> bool:
    return all(text.isprintable() and len(text) <= _LONGEST for row in fields for text in row)


def _distance(one: Fields, other: Fields) -> int:
    return len(set(one) ^ set(other))
