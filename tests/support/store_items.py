"""Keys and values for stores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from cratewright.cache.database import EmbeddedStore


def key_for(word: object) -> str:
    """Return a key for a word."""
    return hashlib.sha256(str(word).encode()).hexdigest()


def some_items(count: int, size: int = 100, name: str = "") -> dict[str, bytes]:
    """Return `count` values of `size` bytes, by key."""
    return {key_for(f"{name}{number}"): f"{name}{number};".encode().ljust(size, b".") for number in range(count)}


def filled_store(directory: Path, items: Mapping[str, bytes]) -> Path:
    """Write items into a new store in a directory, and return its only file."""
    store = EmbeddedStore(str(directory))
    store.put_many(items)
    store.close()
    (file,) = directory.iterdir()
    return file
