"""A tool's message about a source, as a value for the terminal, the cache and reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from .patterns import pattern
from .printable import printable
from .values import dataclass


class Severity(str, Enum):
    """The severity of a diagnostic."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RelatedPlace:
    """Another place that a diagnostic refers to: a note, an inclusion, an instantiation, a call.

    Shape: `line` and `column` as in `Diagnostic`.
    """

    text: str
    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error, warning or note.

    Shape: `file` as the tool names it; `line`, `column`, `end_line`, `end_column` count from 1, or are 0 if unknown.
    Columns count characters, a tab as one, whatever the tool's own text counts: see `in_characters`. `code` is the
    tool's name for the kind, such as `-Wunused`. `rendered` is the tool's whole text, with source lines, carets and
    notes; empty if there is only a headline. `crate` and `unit` tell what was compiled or linked.
    """

    severity: Severity
    text: str
    file: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    code: str = ""
    related: tuple[RelatedPlace, ...] = ()
    rendered: str = ""
    crate: str = ""
    unit: str = ""

    @property
    def place(self) -> str:
        """`file:line:column`, or the known part of it."""
        numbers = [self.line, self.column] if self.column else [self.line] if self.line else []
        return ":".join([self.file, *map(str, numbers)]) if self.file else ""

    @property
    def headline(self) -> str:
        """The first line: `file:line:column: error: text`."""
        code = f" [{self.code}]" if self.code and self.code not in self.text else ""
        return printable(f"{self.place}{': ' * bool(self.file)}{self.severity.value}: {self.text}{code}")

    @property
    def is_printable(self) -> bool:
        """Whether it contains no terminal control characters."""
        texts = [self.text, self.file, self.code, self.rendered, self.crate, self.unit]
        texts += [text for place in self.related for text in (place.text, place.file)]
        return all(printable(text) == text for text in texts)

    def __str__(self) -> str:
        return printable(self.rendered) if self.rendered else self.headline

    def of(self, crate: str, unit: str = "") -> Diagnostic:
        """Return the diagnostic with its crate and unit."""
        return replace(self, crate=crate or self.crate, unit=unit or self.unit)


_HEAD = pattern(
    r"(?P<file>(?:[A-Za-z]:[\\/])?[^\s:][^:\n]*?):(?:(?P<line>\d+):)?(?:(?P<column>\d+):)?"
    r" (?P<severity>fatal error|error|warning|note|remark|Error|Warning|sorry, unimplemented|internal compiler error):"
    r" (?P<text>.*)"
)
_CODE = pattern(r"(?P<text>.*?) \[(?P<code>-[-\w=+,.]+)\]$")
_LEAD = pattern(r"(?:In file included from|                 from) (?P<file>.+?):(?P<line>\d+)(?::(?P<column>\d+))?[,:]")
_FRAME = pattern(r"(?P<file>[^\s:][^:]*): (?:In|At) .+:$")
_REQUIRED = pattern(
    r"(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<column>\d+):)? +(?P<text>(?:recursively )?required .*)"
)
_SUMMARY = pattern(r"\d+ (?:warning|error)s?(?: and \d+ errors?)? generated\.|compilation terminated\.")


@dataclass(slots=True)
class _Block:
    """A diagnostic being read: the lines before its head, its head, and those that follow."""

    lead: list[str]
    head: re.Match[str]
    lines: list[str]
    related: list[RelatedPlace]


def read_diagnostics(text: str) -> tuple[Diagnostic, ...]:
    """Parse the output of a tool that prints as gcc and clang do; each diagnostic holds its whole text.

    Shape: in order. Lines before a headline belong to it if they tell how it came about; totals at the end belong to
    the last diagnostic. A text without headlines yields nothing.
    """
    blocks: list[_Block] = []
    lead: list[str] = []
    totals: list[str] = []
    for line in text.splitlines():
        head = _HEAD.fullmatch(line)
        if head is not None and head["severity"] in ("note", "remark") and blocks:
            blocks[-1].lines += [*lead, line]
            blocks[-1].related.append(_place(head, head["text"]))
            lead = []
        elif head is not None:
            blocks.append(_Block(lead, head, [line], []))
            lead = []
        elif _LEAD.match(line) or _FRAME.match(line) or _REQUIRED.match(line):
            lead.append(line)
        elif _SUMMARY.fullmatch(line.strip()):
            totals.append(line)
        elif lead:
            lead.append(line)
        elif blocks:
            blocks[-1].lines.append(line)
    if lead and blocks:
        blocks[-1].lines += lead
    if any(_severity(block.head) is Severity.ERROR for block in blocks):
        blocks[-1].lines += totals
    return tuple(_read(block) for block in blocks)


def _read(block: _Block) -> Diagnostic:
    head = block.head
    coded = _CODE.fullmatch(head["text"])
    lines = "\n".join([*block.lead, *block.lines])
    return Diagnostic(
        severity=_severity(head),
        text=coded["text"] if coded else head["text"],
        file=_plain(head["file"]),
        line=int(head["line"] or 0),
        column=int(head["column"] or 0),
        code=coded["code"] if coded else "",
        related=(*_led(block.lead), *block.related),
        rendered=lines if len(block.lead) + len(block.lines) > 1 else "",
    )


def _plain(file: str) -> str:
    # As users spell it: clang puts ./ before files that it found beside the source.
    return file.removeprefix("./")


def _severity(head: re.Match[str]) -> Severity:
    word = head["severity"].lower()
    return {"warning": Severity.WARNING, "note": Severity.NOTE, "remark": Severity.NOTE}.get(word, Severity.ERROR)


def _led(lines: list[str]) -> Iterator[RelatedPlace]:
    for line in lines:
        if match := _LEAD.match(line):
            yield _place(match, "included from here")
        elif match := _REQUIRED.match(line):
            yield _place(match, match["text"])


def _place(match: re.Match[str], text: str) -> RelatedPlace:
    return RelatedPlace(text, _plain(match["file"]), int(match["line"] or 0), int(match["column"] or 0))
