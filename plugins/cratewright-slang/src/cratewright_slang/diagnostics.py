"""Slang's messages as diagnostics."""

from __future__ import annotations

import re

from cratewright import Diagnostic, Severity, dataclass

_HEAD = re.compile(r"(?P<kind>note|warning|error|fatal error|internal error)(?:\[(?P<code>E\d+)\])?: (?P<text>.*)")
_PLACE = re.compile(r"\s*-+> (?P<file>.+?):(?P<line>\d+):(?P<column>\d+)")
_CARET = re.compile(r"\s*\|\s*\^+\s*(?P<text>\S.*)?")
# That it gives up follows from earlier messages.
_FOLLOWS = frozenset({"E39999", "E40003"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message; line 0 if it names no place."""

    kind: str
    text: str
    code: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def diagnostic_about(self, path: str) -> Diagnostic:
        """Return it as a `Diagnostic`, about `path` if it names no file."""
        place = (self.file or path, self.line or 1, self.column)
        return Diagnostic(Severity(self.kind), self.text, *place, code=self.code)


def read_slang_log(log: str) -> tuple[Message, ...]:
    """Return the messages of a log, each once, without what only follows from others."""
    found: dict[Message, None] = {}
    lines = log.splitlines()
    for at, line in enumerate(lines):
        head = _HEAD.fullmatch(line)
        if head is not None:
            found[_message(head, lines[at + 1 :])] = None
    causes = [each for each in found if each.code not in _FOLLOWS]
    return tuple(causes if any(each.kind == "error" for each in causes) else found)


def _message(head: re.Match[str], rest: list[str]) -> Message:
    kind = head["kind"] if head["kind"] in ("note", "warning") else "error"
    text, file, line, column = head["text"], "", 0, 0
    for each in rest:
        place, caret = _PLACE.match(each), _CARET.fullmatch(each)
        if _HEAD.fullmatch(each):
            break
        if place is not None and not file:
            file, line, column = place["file"], int(place["line"]), int(place["column"])
        elif caret is not None and caret["text"]:
            # The text below the place says more than the headline.
            text = caret["text"]
            break
    return Message(kind, text, head["code"] or "", file, line, column)
