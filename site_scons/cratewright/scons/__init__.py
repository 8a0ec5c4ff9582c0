"""The SCons side: the tool that gives an Environment its crates.

Knows nothing of backends; it turns nodes into values, asks the pipeline and writes what comes back.
"""

from __future__ import annotations

import atexit
import gc

from .environment import generate as tool

__all__ = ["tool"]

# Python looks through all objects of a process once more before it ends, which takes a tenth of a build that has
# nothing to do; nobody gains by it.
atexit.register(gc.freeze)
