"""Columns for the messages of a compiler that reports only lines: it is run again, with one token on each line.

If the message quotes a token that is on the line once, that is the place. Otherwise the compiler reports which token it
means, unless the line is a directive, which cannot be split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from cratewright import Diagnostic, pattern

_MOST = 8
"""The maximum number of lines to examine, one compilation each."""
_TOKEN = pattern(
    rb"//.*|/\*.*?(?:\*/|$)|\*/|\"(?:\\.|[^\"\\])*\"|[A-Za-z_]\w*|\.?\d(?:[eE][+-]|[\w.])*"
    rb"|<<=|>>=|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||\^\^|::|[-+*/%&|^]=|[^\s]"
)
_LINE_DIRECTIVE = pattern(rb"(?m)^[ \t]*#[ \t]*line\b")
_QUOTED = pattern(r"'([^']+)' :")

Ask = Callable[[str, bytes], tuple[Diagnostic, ...]]


def with_columns(diagnostics: Iterable[Diagnostic], texts: Mapping[str, bytes], ask: Ask) -> tuple[Diagnostic, ...]:
    """Return diagnostics with their columns, as far as they can be found.

    Shape: `texts` are the unit's and its includes', by name; `ask` returns the messages about the unit with another
    text of a file.
    """
    known: dict[tuple[str, int], tuple[tuple[Diagnostic, ...], list[tuple[int, int]]]] = {}

    def located(item: Diagnostic) -> Diagnostic:
        text = texts.get(item.file)
        if text is None or item.column or not item.line or _LINE_DIRECTIVE.search(text):
            return item
        lines = text.split(b"\n")
        if item.line > len(lines):
            return item
        quoted = _at_quoted(item, lines[item.line - 1])
        if quoted is not item:
            return quoted
        place = (item.file, item.line)
        if place not in known and len(known) < _MOST:
            tokens = list(_tokens(lines, item.line - 1))
            known[place] = (ask(item.file, _apart(lines, item.line - 1, tokens)) if tokens else (), _columns(tokens))
        answers, columns = known.get(place, ((), []))
        for other in answers:
            number = other.line - item.line - 1
            if (other.file, other.text) == (item.file, item.text) and 0 <= number < len(columns):
                column, end = columns[number]
                return replace(item, column=column, end_line=item.line, end_column=end)
        return item

    return tuple(map(located, diagnostics))


def ordinal_of(text: bytes, line: int, column: int) -> int | None:
    """Return which token of a line begins at a column; comments do not count. None if none does."""
    columns = [begin for begin, _ in _plain_columns(text, line)]
    return columns.index(column) + 1 if column in columns else None


def column_of(text: bytes, line: int, ordinal: int) -> tuple[int, int]:
    """Return where a token of a line begins and ends; zeros if there is no such token."""
    columns = _plain_columns(text, line)
    return columns[ordinal - 1] if 0 < ordinal <= len(columns) else (0, 0)


def _plain_columns(text: bytes, number: int) -> list[tuple[int, int]]:
    lines = text.split(b"\n")
    line = lines[number - 1].removesuffix(b"\r") if 0 < number <= len(lines) else b""
    found: list[tuple[str, bytes]] = []
    for match in _TOKEN.finditer(line):
        token = match.group()
        if token == b"*/":  # text before it is a comment that began on an earlier line
            found = []
        elif token[:2] not in (b"//", b"/*"):
            found.append((line[: match.start()].decode(errors="replace"), token))
    return _columns(found)


def _tokens(lines: list[bytes], at: int) -> Iterator[tuple[str, bytes]]:
    """Yield each token of a line and the text before it; nothing for a line that cannot be split."""
    line = lines[at].removesuffix(b"\r")
    continued = line.endswith(b"\\") or (at > 0 and lines[at - 1].removesuffix(b"\r").endswith(b"\\"))
    if continued or line.lstrip().startswith(b"#"):
        return
    for match in _TOKEN.finditer(line):
        yield line[: match.start()].decode(errors="replace"), match.group()


def _apart(lines: list[bytes], at: int, tokens: list[tuple[str, bytes]]) -> bytes:
    # An empty line first: a message about the line itself is about none of its tokens.
    return b"\n".join((*lines[:at], b"", *(token for _, token in tokens), *lines[at + 1 :]))


def _columns(tokens: list[tuple[str, bytes]]) -> list[tuple[int, int]]:
    return [(len(before) + 1, len(before) + 1 + len(token.decode(errors="replace"))) for before, token in tokens]


def _at_quoted(item: Diagnostic, line: bytes) -> Diagnostic:
    quoted = _QUOTED.match(item.text)
    words = [quoted[1].encode(), *([quoted[1][1:].encode()] if quoted[1].startswith("#") else [])] if quoted else []
    found = [match for match in _TOKEN.finditer(line) if match.group() in words]
    if len(found) != 1:
        return item
    before, token = line[: found[0].start()].decode(errors="replace"), found[0].group().decode(errors="replace")
    return replace(item, column=len(before) + 1, end_line=item.line, end_column=len(before) + 1 + len(token))
