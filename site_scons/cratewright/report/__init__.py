"""Reports of a build's events, for people and other programs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .recording import Recording

# The module of each, with a function named after the format.
REPORT_FORMATS = {"github": "annotations", "html": "page", "junit": "junit", "sarif": "sarif", "trace": "trace"}


def report_text(recording: Recording, form: str) -> str:
    """Return the document of a format."""
    text: str = getattr(import_module(f".{REPORT_FORMATS[form]}", __name__), form)(recording)
    return text
