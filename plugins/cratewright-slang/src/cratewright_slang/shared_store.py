"""Shared storage for a build's workers: bytes under names, each made once while the others wait.

Where files cannot be locked, two workers may make the same bytes.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, suppress

from cratewright import scratch_lock


class SharedStore:
    """A directory that only the processes of a build write to, removed when it ends."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def take(self, name: str) -> bytes | None:
        """Return what was put there, or None."""
        try:
            with open(self._path(name), "rb") as file:
                return file.read()
        except OSError:
            return None

    def put(self, name: str, data: bytes) -> None:
        """Store something for the others; without space they make their own."""
        path = self._path(name)
        written = f"{path}.{os.getpid()}"
        with suppress(OSError):
            with open(written, "wb") as file:
                file.write(data)
            os.replace(written, path)

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Hold the lock of a name.

        Shape: its holder waits for no other lock, so there is no deadlock.
        """
        return scratch_lock(f"{self._path(name)}.lock")

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, f"slang-{name}")
