"""The memory budget of jobs that run in parallel.

A job's need is the backend's estimate; its actual use is not monitored.
"""

from __future__ import annotations

import os
from contextlib import suppress

_SHARE = 0.8
"""The share of free memory that a build may use; other processes need some too."""


class MemoryBudget:
    """Counts the memory promised to jobs. Not thread-safe.

    Units: bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._promised = 0

    def fits(self, need: int) -> bool:
        """Return whether a job may start; one that needs more than the limit runs alone."""
        return not need or not self._promised or self._promised + need <= self.limit

    def take(self, need: int) -> None:
        """Promise memory to a job."""
        self._promised += need

    def give_back(self, need: int) -> None:
        """Take the promise back."""
        self._promised -= need


def available_memory() -> int:
    """Return the memory that jobs may use together: most of what is free now, within this process's control group.

    Units: bytes.
    """
    free = [_meminfo(), _control_group()]
    known = [value for value in free if value is not None]
    return int(min(known) * _SHARE) if known else 1 << 62


def _meminfo() -> int | None:
    with suppress(OSError, ValueError), open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _control_group() -> int | None:
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError), open(limit, encoding="ascii") as most, open(used, encoding="ascii") as now:
            return max(0, int(most.read()) - int(now.read()))
    return None
