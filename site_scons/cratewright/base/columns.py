"""Converts the columns of diagnostics to characters, whatever a tool counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from unicodedata import category, east_asian_width

from .diagnostic import Diagnostic
from .patterns import pattern

_TAB = 8
_RENUMBERED = pattern(rb'(?m)^[ \t]*#[ \t]*(?:line\b|\d+ ")')


def in_characters(
    diagnostics: Iterable[Diagnostic], *, root: str, path: str, source: bytes, shown: bool = False
) -> tuple[Diagnostic, ...]:
    """Convert columns from bytes or, with `shown`, from terminal cells (as in gcc 11 and later) to characters.

    Shape: `source` is the text of `path`; other files are read below `root`. Columns stay where a file is unreadable or
    renumbers its lines.
    """

    @cache
    def lines(file: str) -> list[bytes]:
        try:
            text = source if file == path else Path(root, file).read_bytes()
        except (OSError, ValueError):
            return []
        return [] if _RENUMBERED.search(text) else text.split(b"\n")

    def column(file: str, line: int, given: int) -> int:
        found = lines(file) if given > 1 and line > 0 else []
        if line > len(found):
            return given
        text = found[line - 1]
        return _of_shown(text, given) if shown else len(_characters(text[: given - 1])) + max(1, given - len(text))

    def counted(item: Diagnostic) -> Diagnostic:
        begin = column(item.file, item.line, item.column)
        related = tuple(replace(place, column=column(place.file, place.line, place.column)) for place in item.related)
        end = item.end_column and item.end_column + begin - item.column
        return replace(item, column=begin, end_column=end, related=related)

    return tuple(map(counted, diagnostics))


def _characters(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _of_shown(text: bytes, given: int) -> int:
    at = 0
    letters = _characters(text)
    for index, letter in enumerate(letters):
        if at >= given - 1:
            return index + 1
        at += _TAB - at % _TAB if letter == "\t" else _width(letter)
    return len(letters) + max(1, given - at)


def _width(letter: str) -> int:
    return 0 if category(letter) in ("Mn", "Me", "Cf") else 2 if east_asian_width(letter) in "WF" else 1
