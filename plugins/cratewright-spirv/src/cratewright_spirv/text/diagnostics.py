"""glslang's log as diagnostics."""

from __future__ import annotations

import re

from cratewright import Diagnostic, Severity, dataclass, pattern

__all__ = ["STUB_STRING", "GlslangMessage", "read_glslang_log"]

# The file number of appended text in a log, which distinguishes it from the user's.
STUB_STRING = 9999

_LOCATED = pattern(r"(?P<kind>[A-Z ]*ERROR|WARNING): (?:(?P<file>.*?):(?P<line>\d+): )?(?P<text>.*)")
_PARSER = pattern(r"(?P<file>.*)\((?P<line>\d+)\): error at column \d+, (?P<text>.*)")
_NOISE = pattern(
    r"'' : compilation terminated|\d+ compilation errors\.|'#pragma once' : not implemented"
    r"|'shader' : unrecognized attribute|Linking \w+ stage: Entry point not found"
)
_BODY = pattern(r"'([^']*)' : function already has a body")


@dataclass(frozen=True, slots=True)
class GlslangMessage:
    """One error or warning; line 0 if the log names none, `stub` if it is about appended text.

    Shape: glslang reports no columns; `column` and `end_column` are 0 until found.
    """

    kind: str
    file: str
    line: int
    text: str
    stub: bool = False
    column: int = 0
    end_column: int = 0

    @property
    def has_body(self) -> str | None:
        """Return the function that is defined twice, if that is the message."""
        match = _BODY.match(self.text)
        return match.group(1) if match else None

    @property
    def diagnostic(self) -> Diagnostic:
        """Return the message as a `Diagnostic`."""
        line = self.line or 1
        end = (line, self.end_column) if self.end_column else (0, 0)
        return Diagnostic(Severity(self.kind), self.text, self.file, line, self.column, *end)


def read_glslang_log(log: str, path: str) -> tuple[GlslangMessage, ...]:
    """Return the messages of a log, each once; those without a file are about `path`."""
    found: dict[GlslangMessage, None] = {}
    previous: GlslangMessage | None = None
    for line in log.splitlines():
        match = _LOCATED.match(line)
        message = _message(match or _PARSER.fullmatch(line), path)
        if message is None:
            # Some messages continue on the next lines: names of functions or extensions.
            if previous is not None and line.strip() and (previous.text.endswith(":") or line[0] == " "):
                del found[previous]
                text = f"{previous.text} {line.strip()}"
                previous = GlslangMessage(previous.kind, previous.file, previous.line, text, previous.stub)
                found[previous] = None
            continue
        previous = None
        if not _NOISE.match(message.text):
            found[message] = None
            previous = message
    # Consequences of a mistake are reported only if the mistake itself is not.
    causes = [m for m in found if m.line and "parsing failed" not in m.text]
    return tuple(causes if any(m.kind == "error" for m in causes) else found)


def _message(match: re.Match[str] | None, path: str) -> GlslangMessage | None:
    if match is None:
        return None
    kind = "warning" if match.groupdict().get("kind") == "WARNING" else "error"
    file, line = match["file"], int(match["line"] or 0)
    stub = file == str(STUB_STRING) or (match.re is _PARSER and not file)
    return GlslangMessage(kind, file if file and not file.isdigit() else path, line, match["text"].strip(), stub)
