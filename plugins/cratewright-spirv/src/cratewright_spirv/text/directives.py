"""A GLSL or HLSL file as the preprocessor sees it: runs of lines, directives and conditional groups.

A file that cannot be parsed with certainty is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cratewright import dataclass, pattern

from .conditions import Condition, condition, defined
from .pieces import JOINED, Branch, Define, Directive, Group, Include, Lines, Piece

_STRING = pattern(rb'"[^"\n]*"')
_COMMENT = pattern(rb'//[^\n]*|/\*.*?\*/|"[^"\n]*"', re.S)
_WORDS = pattern(rb"#[ \t]*(\w*)[ \t]*(.*?)[ \t]*\Z", re.S)
_NAME = pattern(rb"[A-Za-z_]\w*")
_DEFINE = pattern(rb"([A-Za-z_]\w*)(?:(\([\w, ]*\)) ?(.*)| (.*))?", re.S)
_INCLUDE = pattern(rb'"([^"\n\\]+)"|<([^>\n\\]+)>')
_CONTROL = pattern(rb"[\0\r\v\f]")
_BLANKS = pattern(rb"[ \t]+")
_OTHERS = frozenset({b"version", b"extension", b"pragma", b"error"})


class Obscure(Exception):
    """A text whose lines cannot be parsed with certainty; the compiler must read it as it is."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A parsed file; `spliced` if a directive continues on another line."""

    items: tuple[Piece, ...]
    spliced: bool


_known: dict[str, tuple[bytes, ParsedFile | None]] = {}


def parse_file(file: str, text: bytes) -> ParsedFile:
    """Parse a file; the previous result is reused if the text is the same.

    Raises: Obscure.
    """
    known = _known.get(file)
    if known is None or known[0] != text:
        try:
            found: ParsedFile | None = _read(text)
        except Obscure:
            found = None
        known = _known[file] = (text, found)
    if known[1] is None:
        raise Obscure
    return known[1]


def _read(text: bytes) -> ParsedFile:
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    if _CONTROL.search(text):
        raise Obscure
    spliced = b"\\" in text
    bare = _COMMENT.sub(_uncommented, text.removeprefix(b"\xef\xbb\xbf"))
    if b"/*" in bare or (b'"' in bare and b'"' in _STRING.sub(b"", bare)):
        raise Obscure
    return ParsedFile(_Reader(bare, spliced).items(), spliced)


def _uncommented(match: re.Match[bytes]) -> bytes:
    found = match.group()
    if found[:1] == b'"':
        # The compiler decides about backslashes and comment marks in strings.
        if b"\\" in found or b"/*" in found:
            raise Obscure
        return found
    if found[-1:] == b"\\":
        raise Obscure
    first, *others = found.split(b"\n")
    if not others:
        return b" " * len(found)
    # The first and last line of a comment are one line to the compiler, which the mark records. Columns stay.
    begin, end = b" " * (len(first) - 1) + JOINED, JOINED + b" " * (len(others[-1]) - 1)
    return begin + b"\n" * len(others) + end


class _Reader:
    def __init__(self, text: bytes, spliced: bool) -> None:
        self._parts = self._split(text, spliced)
        self._ended: tuple[bytes, bytes, int] | None = None

    def items(self) -> tuple[Piece, ...]:
        found = self._items()
        if self._ended is not None:
            raise Obscure
        return found

    def _split(self, text: bytes, spliced: bool) -> Iterator[tuple[bytes, int]]:
        """Yield runs of lines and single directives alternately, each with its line number."""
        at, line = 0, 1
        while True:
            mark = text.find(b"#", at)
            end = len(text) if mark < 0 else max(text.rfind(b"\n", at, mark) + 1, at)
            run = text[at:end]
            if (spliced and b"\\" in run) or (mark >= 0 and text[end:mark].strip(b" \t")):
                raise Obscure
            yield run, line
            if mark < 0:
                return
            line += run.count(b"\n")
            at = text.find(b"\n", mark)
            at = len(text) if at < 0 else at
            found = text[mark:at]
            first = line
            while found.endswith(b"\\"):
                following = text.find(b"\n", at + 1)
                following = len(text) if following < 0 else following
                found, line = found[:-1] + text[at + 1 : following], line + 1
                at = following
            if b"\\" in found or JOINED in found:
                raise Obscure
            yield found, first
            # The newline itself starts the next run.

    def _items(self) -> tuple[Piece, ...]:
        items: list[Piece] = []
        for part, line in self._parts:
            if part[:1] != b"#":
                if part and not part.isspace():
                    items.append(Lines(part, line))
                continue
            match = _WORDS.match(part)
            if match is None:
                raise Obscure
            word, rest = match.groups()
            if b'"' not in rest:
                rest = _BLANKS.sub(b" ", rest)
            if word in (b"elif", b"else", b"endif"):
                self._ended = (word, rest, line)
                return tuple(items)
            if word in (b"if", b"ifdef", b"ifndef"):
                items.append(self._group(word, rest, line))
            else:
                items += _directive(word, rest, line)
        return tuple(items)

    def _group(self, word: bytes, rest: bytes, line: int) -> Group:
        branches: list[Branch] = []
        while True:
            asked = None if word == b"else" else _condition(word, rest)
            # Anything after these is a mistake that the compiler reports.
            if (word == b"else" and rest) or (branches and branches[-1].condition is None):
                raise Obscure
            expression = _expression(word, rest)
            branches.append(Branch(asked, expression, line, self._items()))
            if self._ended is None:
                raise Obscure
            word, rest, line = self._ended
            self._ended = None
            if word == b"endif":
                if rest:
                    raise Obscure
                return Group(tuple(branches), line)


def _condition(word: bytes, rest: bytes) -> Condition:
    if word in (b"if", b"elif"):
        if not rest:
            raise Obscure
        return condition(rest)
    if not _NAME.fullmatch(rest):
        raise Obscure
    return defined(rest, wanted=word == b"ifdef")


def _expression(word: bytes, rest: bytes) -> bytes:
    if word == b"ifdef":
        return b"defined(" + rest + b")"
    return b"!defined(" + rest + b")" if word == b"ifndef" else rest


def _directive(word: bytes, rest: bytes, line: int) -> list[Piece]:
    """Return the directive, if it is a known one with an effect."""
    if word == b"include":
        match = _INCLUDE.fullmatch(rest)
        if match is None:
            raise Obscure
        quoted, angled = match.groups()
        return [Include((angled if quoted is None else quoted).decode(errors="replace"), quoted is None)]
    if (not word and not rest) or (word == b"pragma" and rest == b"once"):
        return []
    words = frozenset(_NAME.findall(rest))
    text = b"#%s %s" % (word, rest)
    if word in (b"define", b"undef"):
        match = _DEFINE.fullmatch(rest)
        if match is None or (word == b"undef" and match.end(1) < len(rest)):
            raise Obscure
        name, parameters, _, body = match.groups()
        found = None if parameters else body or b""
        return [Define(text, (line,), words - {name}, name, found, word == b"undef")]
    if word not in _OTHERS:
        raise Obscure
    return [Directive(text, (line,), words)]
