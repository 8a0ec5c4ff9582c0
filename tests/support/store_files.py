"""A store that contains ITEMS, and the name of its file."""

from __future__ import annotations

from pathlib import Path

from cratewright.cache.database import EmbeddedStore

KEYS = [f"{number:064x}" for number in range(4)]
ITEMS = {key: f"value {key}".encode() for key in KEYS}
FIRST = "results-1.1.db"


def store_of_items(directory: Path) -> Path:
    """Write ITEMS into a new store in a directory, and return its file."""
    store = EmbeddedStore(str(directory))
    store.put_many(ITEMS)
    store.close()
    return directory / FIRST
