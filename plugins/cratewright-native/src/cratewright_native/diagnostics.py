"""What a compiler said, in blocks: an error or a warning with everything that it has to say about it.

Knows nothing of what was compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from cratewright import dataclass

from .search_path import plain

__all__ = ["Message", "messages", "warnings"]

_MESSAGE = re.compile(
    r"(?P<file>[^\s:][^:\n]*):(?P<line>\d+)(?::(?P<column>\d+))?: "
    r"(?P<kind>[Ww]arning|[Ee]rror|fatal error|[Nn]ote|remark|Info): ?(?P<text>.*)"
)
_GENERAL = re.compile(
    r"(?:[\w./+-]*(?:clang|gcc|g\+\+|cc1\w*|zig|\bas|\bcc)[\w.+-]*: )?(?P<kind>warning|(?:fatal )?error): (?P<text>.*)"
)
# What comes before the message that it is about.
_CONTEXT = re.compile(
    r"In file included from .*|\s+from .*[:,]|[^\s:][^:]*: (?:In |At |Assembler messages:).*"
    r"|[^\s:][^:]*:\d+(?::\d+)?:\s+(?:(?:recursively )?required |in ).*|While building .*|In module .*"
)
# What drivers say of themselves when they are asked to be verbose, and sums.
_CHATTER = re.compile(
    r" (?:\"?/|\"?[\w.-]*(?:as|cc1\w*|collect2|clang|ld)\"? -).*| \(in-process\)"
    r"|(?:COLLECT_|COMPILER_PATH|LIBRARY_PATH|OFFLOAD_)\w*=.*|GNU (?:C|assembler|Objective)\S* .*"
    r"|clang -cc1(?:as)? version .*|(?:.* )?clang version \d.*|\tcompiled by .*|GGC heuristics: .*"
    r"|(?:Compiler executable checksum|Using built-in specs|compilation terminated).*"
    r"|\d+ (?:warning|error)s?\b.* generated\.|ignoring (?:duplicate|nonexistent) directory .*|End of search list\."
)
_SEARCH = re.compile(r'(?ms)^#include "\.\.\." search starts here:$.*?^End of search list\.$')
_UNNAMED = re.compile(r"(?m)^(?P<file>[^<\s:][^:\n]*):(?P<line>\d+)(?::(?P<column>\d+))?: (?:note|.*[Ii]nfo):")


@dataclass(frozen=True, slots=True)
class Message:
    """One error or warning; line 0 if it is about the command line.

    Shape: `detail` are the other lines that are about it, as the compiler has written them: what included the file,
    the line of the source with its mark, notes.
    """

    kind: str
    file: str
    line: int
    text: str
    column: int = 0
    detail: tuple[str, ...] = ()

    def __str__(self) -> str:
        column = f":{self.column}" if self.column else ""
        return "\n".join((f"{self.file}:{self.line or 1}{column}: {self.kind}: {self.text}", *self.detail))


def messages(said: str, *, path: str) -> tuple[Message, ...]:
    """Return the errors and warnings, each once, in order; what names no file is about `path`."""
    return tuple(dict.fromkeys(_placed(message) for message in _read(said, path)))


def warnings(said: str, *, path: str) -> tuple[str, ...]:
    """Return the warnings alone, as text."""
    return tuple(str(message) for message in messages(said, path=path) if message.kind == "warning")


def _read(said: str, path: str) -> Iterator[Message]:
    current: Message | None = None
    detail: list[str] = []
    context: list[str] = []
    for line in _SEARCH.sub("", said).splitlines():
        match = _MESSAGE.fullmatch(line)
        general = None if match else _GENERAL.fullmatch(line)
        if match and match["kind"].lower() in ("note", "remark", "info"):
            detail += [*context, line]
            context = []
        elif match or general:
            if current is not None:
                yield replace(current, detail=tuple(detail))
            current = _head(match) if match else _general(general, path) if general else None
            detail, context = context, []
        elif _CONTEXT.fullmatch(line):
            context.append(line)
        elif _CHATTER.fullmatch(line):
            if current is not None:
                yield replace(current, detail=tuple(detail))
            current, detail, context = None, [], []
        elif current is not None:
            detail += [*context, line]
            context = []
    if current is not None:
        yield replace(current, detail=tuple(detail))


def _head(match: re.Match[str]) -> Message:
    kind = "warning" if match["kind"].lower() == "warning" else "error"
    return Message(kind, plain(match["file"]), int(match["line"]), match["text"], int(match["column"] or 0))


def _general(match: re.Match[str], path: str) -> Message:
    return Message("warning" if match["kind"] == "warning" else "error", path, 0, match["text"])


def _placed(message: Message) -> Message:
    """Return a message about what a macro of an assembler has made as one about where that was called."""
    if not message.file.startswith("<"):
        return message
    found = _UNNAMED.search("\n".join(message.detail))
    if found is None:
        return message
    head = str(replace(message, detail=()))
    line, column = int(found["line"]), int(found["column"] or 0)
    return replace(message, file=plain(found["file"]), line=line, column=column, detail=(head, *message.detail))
