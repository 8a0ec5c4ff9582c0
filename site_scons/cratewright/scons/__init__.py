"""The SCons side: the tool that adds crates to an Environment.

It turns nodes into values, calls the pipeline and writes the results.
"""

from __future__ import annotations

from . import collector  # noqa: F401 - before all others
from .environment import generate as tool

__all__ = ["tool"]
