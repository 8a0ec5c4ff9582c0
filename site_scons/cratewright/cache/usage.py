"""Statistics of a cache's levels over all builds that share a directory, in one small file there.

Whoever can write to the directory can change them; they are only shown to people.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress

from ..base.errors import CratewrightError
from ..base.host import NOFOLLOW, NONBLOCK
from ..base.values import dataclass
from ..system.fs import read_regular, write_atomic

_NAME = "usage.jsonl"
_LONG = 64 << 10
"""Size in bytes above which the lines of many builds are merged to one for each level."""
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | NOFOLLOW | NONBLOCK


@dataclass(frozen=True, slots=True)
class Usage:
    """Statistics of the lookups in a store.

    Units: `received` in bytes; `seconds` of wall time that builds waited, summed over their threads.
    """

    hits: int = 0
    misses: int = 0
    received: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.hits + other.hits,
            self.misses + other.misses,
            self.received + other.received,
            self.seconds + other.seconds,
        )


def note_usage(directory: str, used: Mapping[str, Usage]) -> None:
    """Add a build's statistics, by name of level; drop them if they cannot be written."""
    used = {name: usage for name, usage in used.items() if usage.hits or usage.misses}
    if not used or not os.path.isdir(directory):
        return
    path = os.path.join(directory, _NAME)
    with suppress(OSError, CratewrightError):
        handle = os.open(path, _APPEND, 0o666)
        try:
            os.write(handle, _lines(used))
            long = os.fstat(handle).st_size > _LONG
        finally:
            os.close(handle)
        if long:
            write_atomic(path, _lines(read_usage(directory)))


def read_usage(directory: str) -> dict[str, Usage]:
    """Return the statistics, by name of level."""
    found: dict[str, Usage] = {}
    try:
        lines = read_regular(os.path.join(directory, _NAME)).splitlines()
    except OSError:
        return {}
    for line in lines:
        with suppress(ValueError, TypeError, RecursionError):
            name, hits, misses, received, seconds = json.loads(line)
            numbers = (hits, misses, received)
            if isinstance(name, str) and all(type(item) is int and 0 <= item < 1 << 60 for item in numbers):
                found[name] = found.get(name, Usage()) + Usage(*numbers, max(0.0, min(float(seconds), 1e9)))
    return found


def _lines(used: Mapping[str, Usage]) -> bytes:
    rows = [[name, item.hits, item.misses, item.received, round(item.seconds, 3)] for name, item in used.items()]
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()
