"""What the workers of a build have in common: bytes under names, each made once while the others wait for it.

Knows nothing of modules. Where files cannot be locked, two workers may make the same.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, suppress

from cratewright import scratch_lock

__all__ = ["Shelf"]


class Shelf:
    """A directory that only the processes of a build write to, which is gone with it."""

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
        """Let the others take something; without room for it they make their own."""
        path = self._path(name)
        written = f"{path}.{os.getpid()}"
        with suppress(OSError):
            with open(written, "wb") as file:
                file.write(data)
            os.replace(written, path)

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Wait until no other process is in here for a name.

        Shape: who is in here waits for nobody, so nobody waits in a circle.
        """
        return scratch_lock(f"{self._path(name)}.lock")

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, f"slang-{name}")
