"""Text that is safe to print on a terminal."""

from __future__ import annotations

import re


def printable(text: str) -> str:
    """Return a text that is safe for a terminal: control characters and non-characters are escaped."""
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode() if _steers(character) else character for character in text
    )


def shown_url(place: str) -> str:
    """Return a location without secrets: a name and a password in a URL."""
    return re.sub(r"(?<=://)[^/]*@", "", place)


def _steers(character: str) -> bool:
    if character in "\n\t":
        return False
    if character < "\x7f":
        return character < " "
    return character <= "\x9f" or any(first <= character <= last for first, last in _STEERING)


_STEERING = (("\u202a", "\u202e"), ("\u2066", "\u2069"), ("\ud800", "\udfff"))
"""Characters that change the direction of text, and bytes of a name that are not UTF-8."""
