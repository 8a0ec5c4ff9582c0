"""glslang's log as diagnostics; those about stubs and about whole programs are mapped to the user's own lines."""

from __future__ import annotations

import re
from dataclasses import replace

from cratewright import Diagnostic, Severity, dataclass, pattern

from .scan import Declarations, Function, LineMap, unfinished

# The file number of appended text in a log, which distinguishes it from the user's.
STUB_STRING = 9999

_LOCATED = pattern(r"(?P<kind>[A-Z ]*ERROR|WARNING): (?:(?P<file>.*?):(?P<line>\d+): )?(?P<text>.*)")
_PARSER = pattern(r"(?P<file>.*)\((?P<line>\d+)\): error at column \d+, (?P<text>.*)")
_NOISE = pattern(
    r"'' : compilation terminated|\d+ compilation errors\.|'#pragma once' : not implemented"
    r"|'shader' : unrecognized attribute|Linking \w+ stage: Entry point not found"
)
_BODY = pattern(r"'[^']*' : function already has a body")
_RECURSION = pattern(r"Linking \w+ stage: Recursion detected: (\w+)\(")


@dataclass(frozen=True, slots=True)
class GlslangMessage:
    """One error or warning; line 0 if the log names none, `stub` if it is about appended text."""

    kind: str
    file: str
    line: int
    text: str
    stub: bool = False

    @property
    def has_body(self) -> bool:
        """Whether it says that a function is defined twice."""
        return _BODY.match(self.text) is not None

    @property
    def diagnostic(self) -> Diagnostic:
        """Return the message as a `Diagnostic`."""
        return Diagnostic(Severity(self.kind), self.text, self.file, self.line or 1)


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
                previous = replace(previous, text=f"{previous.text} {line.strip()}")
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


def unfinished_message(text: bytes, lines: LineMap, messages: tuple[GlslangMessage, ...]) -> tuple[GlslangMessage, ...]:
    """Return a message about an unclosed function body, if that is why the appended text is wrong."""
    name = None if any(m.kind == "error" and not m.stub for m in messages) else unfinished(text)
    if name is None:
        return ()
    file, line = lines.locate(name.offset)
    return (GlslangMessage("error", file, line, f"'{name.name}' : the body of this function does not end"),)


def at_prototypes(
    messages: tuple[GlslangMessage, ...], stubs: tuple[Function, ...], lines: LineMap
) -> tuple[GlslangMessage, ...]:
    """Return the messages; those about a stub are moved to its prototype, and omitted if there are others."""
    own = tuple(message for message in messages if not message.stub)
    if any(message.kind == "error" for message in own):
        return own
    moved: dict[GlslangMessage, None] = {}
    for message in messages:
        at = message
        if message.stub and 0 < message.line <= len(stubs):
            file, line = lines.locate(stubs[message.line - 1].offset)
            at = replace(message, file=file, line=line, stub=False)
        moved[at] = None
    return tuple(moved)


def at_definitions(
    messages: tuple[GlslangMessage, ...], found: Declarations, lines: LineMap
) -> tuple[GlslangMessage, ...]:
    """Return the messages; one about recursion, for which the compiler names no line, is moved to the function."""
    moved: list[GlslangMessage] = []
    for message in messages:
        named = None if message.line else _RECURSION.match(message.text)
        function = found.definition(named[1]) if named else None
        if function is None:
            moved.append(message)
        else:
            file, line = lines.locate(function.offset)
            moved.append(replace(message, file=file, line=line))
    return tuple(moved)
