"""Finds the frame of the calling SConscript, above those of SCons and this package."""

from __future__ import annotations

import os
import sys
from functools import cache
from types import FrameType

import SCons

_HIDDEN = tuple(os.path.join(os.path.dirname(os.path.abspath(file)), "") for file in (SCons.__file__, __file__))
"""Directories of code that is not the user's."""


def calling_frame() -> FrameType:
    """Return the frame of the SConscript that is calling."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_hidden(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


@cache
def is_hidden(file: str) -> bool:
    """Return whether a file holds code of SCons or of this package, not of a user."""
    return os.path.abspath(file).startswith(_HIDDEN)
