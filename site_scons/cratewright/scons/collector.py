"""How often Python looks for garbage while SCons runs.

What SConscripts declare lives as long as the build, and there is more of it with every crate; to look through it again
and again took 1.2 of the 3.4 s that 500 crates with nothing to do cost.
"""

from __future__ import annotations

import atexit
import gc

__all__ = ["collect_seldom"]

_AS_PYTHON_DOES = (700, 10, 10)


def collect_seldom() -> None:
    """Let garbage in cycles lie longer, unless the SConstruct has its own mind about it."""
    if gc.get_threshold() == _AS_PYTHON_DOES:
        gc.set_threshold(50_000, 20, 100)


collect_seldom()  # before the rest of this package is imported
# Python looks through all objects of a process once more before it ends; nobody gains by it.
atexit.register(gc.freeze)
