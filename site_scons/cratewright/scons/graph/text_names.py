"""The names in texts that may be those of files which the build makes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from ...base.patterns import pattern
from ...base.stamp import file_stamp
from ...system.fs import read_regular
from .makeable import Makeable

_WORD = pattern(rb"[\w./+@%~-]*\w\.[\w+-]+")
_QUOTED = pattern(rb'["<]([^"<>\r\n]+)[">]')
_COMPUTED = pattern(rb"^[ \t]*#[ \t]*(?:include_next\b|(?:include|import|embed)[ \t]+[A-Za-z_])", re.MULTILINE)
"""An include that may mean any file: its name comes from a macro, or it skips the first match."""
ANY_FILE = ""
# If there are more names, each word of the text is looked up instead.
_MAX_SEARCHES = 40


class TextNames:
    """Finds the names in texts; each text is read once, as long as it stays the same.

    Shape: `root` is absolute.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._mentions: dict[str, tuple[list[tuple[str, bool]], list[int]]] = {}

    def forget(self) -> None:
        """Forget the names, which were chosen by what could be made."""
        self._mentions.clear()

    def names_in(self, path: str, made: Makeable, included: Callable[[bytes], Iterable[str]]) -> list[tuple[str, bool]]:
        """Return the names in a text that may be files, and whether they are certainly included.

        Shape: `path` as nodes have it; `included` gives the names that a text includes; `ANY_FILE` stands for all.
        """
        file = os.path.join(self._root, path)
        with suppress(OSError):
            stamp = file_stamp(os.stat(file))
            before = self._mentions.get(path)
            if before is not None and before[1] == stamp:
                return before[0]
            text = read_regular(file)
            names = dict.fromkeys(included(text), True)
            for name in _words(text, made):
                names.setdefault(os.fsdecode(name), False)
            if _COMPUTED.search(text):
                names[ANY_FILE] = False
            self._mentions[path] = list(names.items()), stamp
            return list(names.items())
        return []


def _words(text: bytes, made: Makeable) -> Iterator[bytes]:
    names, tails = made.names, made.tails
    # Most texts contain none, which is fastest to see by the ends of the names.
    if made.has_any_name:
        yield from dict.fromkeys((*_WORD.findall(text), *_QUOTED.findall(text)))
        return
    if len(tails) <= _MAX_SEARCHES and not any(tail in text for tail in tails):
        return
    if len(names) <= _MAX_SEARCHES and not any(name in text for name in names):
        return
    words = dict.fromkeys((*_WORD.findall(text), *_QUOTED.findall(text)))
    yield from (word for word in words if word.rpartition(b"/")[2] in names)
