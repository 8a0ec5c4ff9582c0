"""File stamps: the numbers that show that a file is unchanged, and how old they must be to be reliable."""

from __future__ import annotations

import os
import sys
import time

_COARSE = 5
"""Linux's `CLOCK_REALTIME_COARSE`, the clock of file stamps, which Python does not name."""
_FINE_NS = 100_000_000
"""How far the clock of a file system with fine stamps may differ from that of processes."""
_SECONDS_NS = 2_000_000_000
"""The same for stamps of whole seconds or milliseconds: FAT has only even seconds."""
_MILLISECOND_NS = 1_000_000


def file_stamp(found: os.stat_result) -> list[int]:
    """Return numbers that change whenever a file's content may have changed, even if its time was set back."""
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino]


def clock_ns() -> int:
    """Return a time that is no later than the stamp of any file written from now on."""
    now = time.time_ns()
    return min(now, time.clock_gettime_ns(_COARSE)) if sys.platform == "linux" else now


def is_older(found: os.stat_result, moment: int) -> bool:
    """Return whether a file last changed so long before a moment that a later change would alter its stamp.

    Units: `moment` as `clock_ns` gave it.
    """
    # Programs cannot set ctime, so it shows the granularity of the file system's stamps.
    grain = _FINE_NS if found.st_ctime_ns % _MILLISECOND_NS else _SECONDS_NS
    return max(found.st_mtime_ns, found.st_ctime_ns) + grain <= moment
