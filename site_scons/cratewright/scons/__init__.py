"""The SCons side: the tool that gives an Environment its crates.

It turns nodes into values, asks the pipeline and writes what comes back.
"""

from __future__ import annotations

from . import collector  # noqa: F401 - before all others
from .environment import generate as tool

__all__ = ["tool"]
