"""What a file's text makes a preprocessor or assembler look for, as far as the text shows.

Names in comments, and those that a condition excludes, count as well.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping

from cratewright import dataclass, pattern

_SPACE = rb"(?:[ \t\v\f]|/\*(?:[^*]|\*(?!/))*\*/)*"
_SPLICE = pattern(rb"\\[ \t\v\f]*\r?\n")
_INCLUDE = pattern(
    rb"#" + _SPACE + rb"(?:include(?:_next)?|import|embed)\b" + _SPACE + rb'(?:"([^"\n]+)"|(?!["<])(\S))'
)
_ALIAS = pattern(rb"#" + _SPACE + rb"pragma" + _SPACE + rb"include_alias")
_OPERATOR = rb"__has_(?P<kind>include(?:_next)?|embed)(?:__)?\b"
_QUERY = pattern(
    _OPERATOR + _SPACE + rb"\(" + _SPACE + rb'(?:"(?P<near>[^"\n]+)"|<(?P<far>[^>\n]+)>|(?P<other>[^\s]))?'
)
_DEFINED = pattern(rb"#" + _SPACE + rb"define\b[^\n]*?" + _OPERATOR + rb"(?!" + _SPACE + rb"\(" + _SPACE + rb"<)")
# A macro that is just another name for a query.
_ALIAS_OF_QUERY = pattern(
    rb"#" + _SPACE + rb"define\b" + _SPACE + rb"(?P<name>\w+)[ \t]" + _SPACE + _OPERATOR + rb"[ \t\r]*(?:\n|\Z)"
)
_DEFINITION = pattern(rb"#" + _SPACE + rb"define\b" + _SPACE + rb"\w+((?:/\*(?:[^*]|\*(?!/))*\*/|[^\n])*)")
_WHETHER_DEFINED = pattern(rb"\bdefined" + _SPACE + rb"\(?" + _SPACE + rb"\Z")
_CALL = pattern(_SPACE + rb"\(" + _SPACE + rb'(?:"(?P<near>[^"\n]+)"|<(?P<far>[^>\n]+)>)')
_CONDITION = pattern(rb"#" + _SPACE + rb"(?:el)?if\b((?:/\*(?:[^*]|\*(?!/))*\*/|[^\n])*)")
_ASSEMBLY = pattern(rb"\b_*asm_*\b")
# All but `incbin`, which need not begin with a dot: searching one letter is fast.
_READING = pattern(rb'\.(?:i(?:n?["\\]|nc|rp)|macro|altmacro)')


@dataclass(frozen=True, slots=True)
class Query:
    """A name that `__has_include` or a similar operator looks up.

    Shape: `kind` is `include`, `include_next` or `embed`; `near` if the directory of the querying file is searched.
    """

    name: str
    near: bool
    kind: str = "include"


@dataclass(frozen=True, slots=True)
class Directives:
    """What one file looks for.

    Shape: `quoted` are the names that it includes with quotes; `computed` if it includes a macro's value; `queries` are
    literal ones; `aliases` are macros that are other names for a query, each with its kind; `incomplete` if only a
    preprocessor knows what it queries; `assembly` if it has inline assembly; `reading` if its text could make assembly
    read files.
    """

    quoted: tuple[str, ...] = ()
    computed: bool = False
    queries: tuple[Query, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    incomplete: bool = False
    assembly: bool = False
    reading: bool = False


@dataclass(frozen=True, slots=True)
class TextCondition:
    """A condition of `#if` or `#elif`: the line that it begins in, and its text."""

    line: int
    text: str


def read_directives(data: bytes) -> Directives:
    """Return what a file with this content looks for."""
    text = _plain(data)
    quoted: dict[bytes, None] = {}
    computed = b"include_alias" in text and _ALIAS.search(text) is not None
    for found in _INCLUDE.finditer(text):
        if found[1]:
            quoted[found[1]] = None
        elif not computed:
            # After prose it is prose itself.
            before = text[text.rfind(b"\n", 0, found.start()) + 1 : found.start()].strip()
            computed = not before or b"*/" in before
    queries, incomplete = find_queries(text) if b"__has_" in text else ((), False)
    aliases: dict[tuple[str, str], None] = {}
    for found in _DEFINED.finditer(text) if b"__has_" in text else ():
        other = _ALIAS_OF_QUERY.match(text, found.start())
        if other is None:
            incomplete = True
        else:
            aliases[other["name"].decode(), other["kind"].decode()] = None
    return Directives(
        quoted=tuple(map(os.fsdecode, quoted)),
        computed=computed,
        queries=queries,
        aliases=tuple(aliases),
        incomplete=incomplete,
        assembly=b"asm" in text and _ASSEMBLY.search(text) is not None,
        reading=_may_read(text),
    )


def _may_read(text: bytes) -> bool:
    lower = text.lower()
    return b"incbin" in lower or _READING.search(lower) is not None


def find_queries(text: bytes) -> tuple[tuple[Query, ...], bool]:
    """Return the literal queries, and whether there are others."""
    queries: dict[Query, None] = {}
    incomplete = False
    for found in _QUERY.finditer(text):
        if found["other"] is not None:
            incomplete = True
        elif found["near"] or found["far"]:
            name = os.fsdecode(found["near"] or found["far"])
            queries[Query(name, found["near"] is not None, found["kind"].decode())] = None
    return tuple(queries), incomplete


def aliased_queries(data: bytes, aliases: Mapping[str, str]) -> tuple[Query, ...] | None:
    """Return the queries that are made through aliases, None if only a preprocessor could tell.

    Shape: `aliases` maps each name to its kind of query.
    """
    text = _plain(data)
    words = [re.escape(os.fsencode(name)) for name in aliases]
    word = re.compile(rb"\b(?:" + b"|".join(words) + rb")\b")
    if not word.search(text):
        return ()
    queries: dict[Query, None] = {}
    for part, is_condition in _conditions_and_bodies(text):
        for use in word.finditer(part):
            if is_condition and _WHETHER_DEFINED.search(part[: use.start()]):
                continue
            call = _CALL.match(part, use.end())
            # A macro may be used in another file, and quoted names are searched beside that file.
            if call is None or (call["near"] and not is_condition):
                return None
            name = os.fsdecode(call["near"] or call["far"])
            queries[Query(name, call["near"] is not None, aliases[use[0].decode()])] = None
    return tuple(queries)


def _conditions_and_bodies(text: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield conditions and bodies of macros, each with whether it is a condition."""
    for found in _CONDITION.finditer(text):
        yield found[1], True
    for found in _DEFINITION.finditer(text):
        yield found[1], False


def conditions(data: bytes, names: Iterable[str]) -> Iterator[TextCondition]:
    """Yield the conditions that contain one of the names, in order."""
    wanted = re.compile(rb"\b(?:" + b"|".join(re.escape(os.fsencode(name)) for name in names) + rb")\b")
    text = _plain(data)
    # Positions in the resulting text where a line was joined with the next.
    joins: list[int] = []
    removed = 0
    for found in _SPLICE.finditer(_translated(data)):
        joins.append(found.start() - removed)
        removed += len(found[0])
    for found in _CONDITION.finditer(text):
        if wanted.search(found[1]):
            at = found.start()
            yield TextCondition(1 + text.count(b"\n", 0, at) + bisect_right(joins, at), os.fsdecode(found[1]))


def may_read_files(assembly: str) -> bool:
    """Return whether assembly reads files, or constructs directives that might."""
    found = re.search(r"(?i)\.\s*inc(?:bin|lude)\b|\.[a-z_]*\\", assembly)
    return found is not None or ".altmacro" in assembly.lower()


def _translated(data: bytes) -> bytes:
    """Return a text in which `#` and `\\` are written in one way only."""
    # Searching one letter is much faster than two.
    if b"%" in data and b"%:" in data:
        data = data.replace(b"%:", b"#")
    if b"?" in data and b"??" in data:
        data = data.replace(b"??=", b"#").replace(b"??/", b"\\")
    return data


def _plain(data: bytes) -> bytes:
    data = _translated(data)
    return _SPLICE.sub(b"", data) if b"\\" in data else data
