"""What the backend does with a text."""

from __future__ import annotations


def shout(text: bytes) -> bytes:
    """Return the text in capitals."""
    return text.upper()
