"""A build's events as documents that other programs and people read.

Knows nothing of builds that run: it is given what one has written.
"""

from __future__ import annotations

from collections.abc import Callable

from .annotations import github
from .junit import junit
from .page import html
from .recording import Recording, read_recording
from .sarif import sarif
from .trace import trace

__all__ = ["FORMATS", "Recording", "read_recording"]

FORMATS: dict[str, Callable[[Recording], str]] = {
    "github": github,
    "html": html,
    "junit": junit,
    "sarif": sarif,
    "trace": trace,
}
