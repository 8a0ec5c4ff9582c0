"""Names that a file's text has a preprocessor or an assembler look for, as far as the text alone shows.

Names in comments, or excluded by a condition, count as well.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from cratewright import dataclass, pattern

__all__ = ["Asked", "Condition", "Directives", "conditions", "embeds", "find_asked", "read_directives"]

_SPACE = rb"(?:[ \t\v\f]|/\*(?:[^*]|\*(?!/))*\*/)*"
_SPLICE = pattern(rb"\\[ \t\v\f]*\r?\n")
_INCLUDE = pattern(
    rb"#" + _SPACE + rb"(?:include(?:_next)?|import|embed)\b" + _SPACE + rb'(?:"([^"\n]+)"|(?!["<])(\S))'
)
_ALIAS = pattern(rb"#" + _SPACE + rb"pragma" + _SPACE + rb"include_alias")
_QUESTION = rb"__has_(?P<kind>include(?:_next)?|embed)(?:__)?\b"
_ASK = pattern(_QUESTION + _SPACE + rb"\(" + _SPACE + rb'(?:"(?P<near>[^"\n]+)"|<(?P<far>[^>\n]+)>|(?P<other>[^\s]))?')
_DEFINED = pattern(rb"#" + _SPACE + rb"define\b[^\n]*?" + _QUESTION + rb"(?!" + _SPACE + rb"\(" + _SPACE + rb"<)")
_CONDITION = pattern(rb"#" + _SPACE + rb"(?:el)?if\b((?:/\*(?:[^*]|\*(?!/))*\*/|[^\n])*)")
_ASSEMBLY = pattern(rb"\b_*asm_*\b")
# All but `incbin`, which need not begin with a dot: the search for one letter is a fast one.
_READING = pattern(rb'\.(?:i(?:n?["\\]|nc|rp)|macro|altmacro)')


@dataclass(frozen=True, slots=True)
class Asked:
    """A name that `__has_include` or one of its like asks for.

    Shape: `kind` is `include`, `include_next` or `embed`; `near` if files beside the one that asks count.
    """

    name: str
    near: bool
    kind: str = "include"


@dataclass(frozen=True, slots=True)
class Directives:
    """What one file has looked for.

    Shape: `quoted` are the names that it includes with quotes; `computed` if it includes what a macro says; `asked`
    what it asks for in so many words; `unclear` if only a preprocessor knows for what it asks; `assembly` if it has
    inline assembly, `reading` if something in it looks as if assembly read files.
    """

    quoted: tuple[str, ...] = ()
    computed: bool = False
    asked: tuple[Asked, ...] = ()
    unclear: bool = False
    assembly: bool = False
    reading: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of `#if` or `#elif`: the line that it begins in, and its text."""

    line: int
    text: str


def read_directives(data: bytes) -> Directives:
    """Return what a content has looked for."""
    text = _plain(data)
    quoted: dict[bytes, None] = {}
    computed = b"include_alias" in text and _ALIAS.search(text) is not None
    for found in _INCLUDE.finditer(text):
        if found[1]:
            quoted[found[1]] = None
        elif not computed:
            # Where prose stands in front it is prose itself.
            before = text[text.rfind(b"\n", 0, found.start()) + 1 : found.start()].strip()
            computed = not before or b"*/" in before
    asked, unclear = find_asked(text) if b"__has_" in text else ((), False)
    return Directives(
        quoted=tuple(map(os.fsdecode, quoted)),
        computed=computed,
        asked=asked,
        unclear=unclear or (b"__has_" in text and _DEFINED.search(text) is not None),
        assembly=b"asm" in text and _ASSEMBLY.search(text) is not None,
        reading=_may_read(text),
    )


def _may_read(text: bytes) -> bool:
    lower = text.lower()
    return b"incbin" in lower or _READING.search(lower) is not None


def find_asked(text: bytes) -> tuple[tuple[Asked, ...], bool]:
    """Return the names that are asked for in so many words, and whether others are."""
    asked: dict[Asked, None] = {}
    unclear = False
    for found in _ASK.finditer(text):
        if found["other"] is not None:
            unclear = True
        elif found["near"] or found["far"]:
            name = os.fsdecode(found["near"] or found["far"])
            asked[Asked(name, found["near"] is not None, found["kind"].decode())] = None
    return tuple(asked), unclear


def conditions(data: bytes, names: Iterable[str]) -> Iterator[Condition]:
    """Yield the conditions in which one of some names stands, in order."""
    wanted = re.compile(rb"\b(?:" + b"|".join(re.escape(os.fsencode(name)) for name in names) + rb")\b")
    text = _plain(data)
    # Where a line was joined with the next, in the text that has come of it.
    joins: list[int] = []
    removed = 0
    for found in _SPLICE.finditer(_translated(data)):
        joins.append(found.start() - removed)
        removed += len(found[0])
    for found in _CONDITION.finditer(text):
        if wanted.search(found[1]):
            at = found.start()
            yield Condition(1 + text.count(b"\n", 0, at) + bisect_right(joins, at), os.fsdecode(found[1]))


def embeds(assembly: str) -> bool:
    """Return whether assembly reads files, or makes up directives that might."""
    found = re.search(r"(?i)\.\s*inc(?:bin|lude)\b|\.[a-z_]*\\", assembly)
    return found is not None or ".altmacro" in assembly.lower()


def _translated(data: bytes) -> bytes:
    """Return a text with all ways to write `#` and `\\` made one."""
    # One letter is found much faster than two.
    if b"%" in data and b"%:" in data:
        data = data.replace(b"%:", b"#")
    if b"?" in data and b"??" in data:
        data = data.replace(b"??=", b"#").replace(b"??/", b"\\")
    return data


def _plain(data: bytes) -> bytes:
    data = _translated(data)
    return _SPLICE.sub(b"", data) if b"\\" in data else data
