"""The languages of sources, by suffix."""

from __future__ import annotations

import os

OBJECTS = (".o", ".os")
LANGUAGES = {
    ".c": "c",
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".C", ".c++", ".cp", ".CPP"), "c++"),
    ".m": "objective-c",
    ".mm": "objective-c++",
    ".S": "assembler",
    ".s": "assembler",
    ".ll": "ir",
    ".bc": "ir",
    **dict.fromkeys(OBJECTS, "object"),
}
MODULES = (".cppm", ".ccm", ".cxxm", ".c++m", ".ixx", ".mpp")
"""Suffixes of C++ modules, which are refused."""
# Suffixes whose language not every driver knows.
_AMBIGUOUS = frozenset((".C", ".c++", ".cp", ".CPP", ".m", ".mm"))


def language_of(path: str) -> str:
    """Return the language of a source."""
    return LANGUAGES[os.path.splitext(path)[1]]


def language_words(path: str) -> tuple[str, ...]:
    """Return the arguments by which a driver knows the language of a source whose suffix it may not know."""
    return ("-x", language_of(path)) if os.path.splitext(path)[1] in _AMBIGUOUS else ()
