"""The directory of a store, whose files are numbered: the one with the highest number is in use.

A file is `results-LAYOUT.NUMBER.db`. Files of other layouts belong to other versions and are left alone.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from ..base.patterns import pattern
from .store_file import create_store_file, is_store_file

_LAYOUT = 1
_NAME = pattern(rf"results-{_LAYOUT}\.(\d{{1,9}})\.db")


class StoreDirectory:
    """The files of a store, by number; `path` is absolute and may not exist yet."""

    def __init__(self, path: str) -> None:
        self.path = path

    def file(self, number: int) -> str:
        """Return the path of a file, whether it exists or not."""
        return os.path.join(self.path, f"results-{_LAYOUT}.{number}.db")

    def numbers(self) -> list[int]:
        """Return the numbers that are taken, in no order."""
        try:
            names = os.listdir(self.path)
        except OSError:
            return []
        found = [int(match[1]) for name in names if (match := _NAME.fullmatch(name))]
        # Only a regular file can be a store, so the number of anything else does not count.
        return [number for number in found if is_store_file(self.file(number))]

    def begin(self, number: int) -> int:
        """Return the first number from this one on whose file is a store, or was missing and is made now.

        Raises: OSError if it cannot be made.
        """
        while True:
            file = self.file(number)
            try:
                create_store_file(file)
            except FileExistsError:  # another build has just made it, or it is no regular file
                if not os.path.isdir(self.path):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), self.path) from None
                if not is_store_file(file):
                    number += 1
                    continue
            return number

    def remove_before(self, number: int) -> None:
        """Remove the files of smaller numbers, with all that SQLite may have left beside them."""
        for other in self.numbers():
            if other < number:
                for suffix in ("", "-journal", "-wal", "-shm"):
                    with suppress(OSError):
                        os.unlink(self.file(other) + suffix)

    def size(self) -> int:
        """Return the bytes of all files in the directory."""
        try:
            return sum(item.stat().st_size for item in os.scandir(self.path) if item.is_file())
        except OSError:
            return 0
