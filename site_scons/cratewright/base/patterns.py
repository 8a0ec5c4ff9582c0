"""Regular expressions that are compiled when first used.

Most are for errors, and compiling all of them takes as long as the work of a build with one edit.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return as `re.compile` does, but compile only when a method is called."""
    return cast("re.Pattern[AnyStr]", _Pattern(text, flags))


class _Pattern:
    def __init__(self, text: str | bytes, flags: int) -> None:
        self._words: Any = (text, flags)

    def __getattr__(self, name: str) -> object:
        found = self.__dict__[name] = getattr(re.compile(*self._words), name)
        return found
