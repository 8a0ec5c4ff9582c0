"""Where results are kept: a directory that any number of processes share.

Knows nothing of keys but that they are hex words, nor of values but that they are bytes. A damaged entry is a
miss, a store that cannot be written is only read; neither is ever an error.
"""

from __future__ import annotations

from typing import Protocol

from ..digest import content_digest
from ..errors import CratewrightError
from ..fs import write_atomic

__all__ = ["CacheKvStore", "DirectoryStore", "NoStore", "open_store"]

_MAGIC = b"cratewright-cache 1\n"
_DIGEST = 64


class CacheKvStore(Protocol):
    """Two methods, as Cranelift's trait of this name."""

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None."""

    def insert(self, key: str, value: bytes) -> None:
        """Keep a value; failing to is no error."""


class NoStore:
    """A store that keeps nothing: `CRATE_CACHE=off`."""

    def get(self, key: str) -> bytes | None:
        """Return None."""
        return None

    def insert(self, key: str, value: bytes) -> None:
        """Do nothing."""


class DirectoryStore:
    """One file an entry: marker, digest of the rest, the key, the value."""

    def __init__(self, path: str) -> None:
        self._path = path

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None if there is none that is whole."""
        try:
            with open(self._file(key), "rb") as file:
                data = file.read()
        except OSError:
            return None
        head, body = data[: len(_MAGIC) + _DIGEST], data[len(_MAGIC) + _DIGEST :]
        if head != _MAGIC + content_digest(body).encode() or not body.startswith(key.encode()):
            return None
        return body[len(key) :]

    def insert(self, key: str, value: bytes) -> None:
        """Keep a value, unless the disk will not have it."""
        body = key.encode() + value
        try:
            write_atomic(self._file(key), _MAGIC + content_digest(body).encode() + body)
        except CratewrightError:
            return

    def _file(self, key: str) -> str:
        # Few directories: making one costs as much as an entry.
        return f"{self._path}/{key[:1]}/{key[1:]}"


def open_store(setting: str, default: str) -> CacheKvStore:
    """Return the store that `CRATE_CACHE` names: `off`, or a directory; `default` where it is empty."""
    if setting == "off":
        return NoStore()
    return DirectoryStore(setting or default)
