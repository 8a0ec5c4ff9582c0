"""A compiler's messages about stubs and about whole programs, mapped to the user's own lines."""

from __future__ import annotations

from dataclasses import replace

from cratewright import pattern

from .diagnostics import GlslangMessage
from .scan import Declarations, Function, LineMap, unfinished

__all__ = ["at_definitions", "at_prototypes", "unfinished_message"]

_RECURSION = pattern(r"Linking \w+ stage: Recursion detected: (\w+)\(")


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
