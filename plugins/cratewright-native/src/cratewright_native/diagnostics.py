"""What a compiler said, as warnings and errors of one shape: `file:line: error: text`.

Knows nothing of what was compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cratewright.values import dataclass

from .search_path import plain

__all__ = ["Message", "messages", "warnings"]

_MESSAGE = re.compile(
    r"(?P<file>[^\s:][^:\n]*):(?P<line>\d+)(?::\d+)?: (?P<kind>[Ww]arning|[Ee]rror|fatal error): (?P<text>.*)"
)
_GENERAL = re.compile(r"(?:[\w./+-]*(?:clang|gcc|g\+\+|cc1\w*|zig)[\w.+-]*: )?(?:fatal )?error: (?P<text>.*)")


@dataclass(frozen=True, slots=True)
class Message:
    """One error or warning; line 0 if it is about the command line."""

    kind: str
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind}: {self.text}" if self.line else f"{self.file}: {self.text}"


def messages(said: str, *, path: str) -> tuple[Message, ...]:
    """Return the errors and warnings, each once, in order; what names no file is about `path`."""
    return tuple(dict.fromkeys(_read(said, path)))


def warnings(said: str, *, path: str) -> tuple[str, ...]:
    """Return the warnings alone, as text."""
    return tuple(str(message) for message in messages(said, path=path) if message.kind == "warning")


def _read(said: str, path: str) -> Iterator[Message]:
    for line in said.splitlines():
        match = _MESSAGE.fullmatch(line)
        if match:
            kind = "warning" if match["kind"].lower() == "warning" else "error"
            yield Message(kind, plain(match["file"]), int(match["line"]), match["text"])
            continue
        general = _GENERAL.fullmatch(line)
        if general:
            yield Message("error", path, 0, general["text"])
