"""`__has_include` with macros in its argument, which the compiler's preprocessor expands."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping

from cratewright import content_digest, pattern

from .directives import Query, TextCondition, conditions, find_queries

__all__ = ["parse_queries", "query_text"]

_OPERATORS = ("__has_include", "__has_include_next", "__has_embed", "__has_include__", "__has_include_next__")
_OPERATOR = pattern(r"\b__has_(include(?:_next)?|embed)")
_RENAMED_OPERATOR = pattern(r"\b__HAS_(include(?:_next)?|embed)")
_MARK = "__cratewright_asks"
_LINE = pattern(r'#\s*(?:line\s+)?(\d+)\s+"((?:[^"\\]|\\.)*)"')
_DEFINE = pattern(r"(?m)^#define (\w+)(.*)$")


def query_text(listing: str, sources: Mapping[str, bytes], paths: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return a text whose expansion has all queried names, and the querying file of each.

    Shape: `listing` is what `-E -dD` writes; `sources` are the files that were read, by path; `paths` maps names
    in the listing to those paths.
    """
    macros = tuple(_querying_macros(listing))
    found = {path: _conditions(data, macros) for path, data in sources.items()}
    lines: list[str] = []
    files: list[str] = []
    # The conditions of each file that are still to come.
    waiting = {path: list(them) for path, them in found.items()}

    def emit(path: str, until: int) -> float:
        """Emit the queries of a file up to a line; return the line of the next."""
        them = waiting.get(path, [])
        while them and them[0].line <= until:
            lines.append(f"{_MARK} {len(files)} {_renamed(them.pop(0).text)}")
            files.append(path)
        return them[0].line if them else math.inf

    path, number = "", 0
    due = emit(path, number)
    for line in listing.splitlines():
        defines = line.startswith(("#define ", "#undef "))
        marker = None if defines or line[:1] != "#" else _LINE.match(line)
        if marker is None:
            if due <= number:
                due = emit(path, number)
            if defines:
                lines.append(_renamed(line))
            number += 1
            continue
        entered = paths.get(marker[2].replace('\\"', '"').replace("\\\\", "\\"), "")
        flags = line[marker.end() :].split()
        if "1" in flags:
            waiting[entered] = list(found.get(entered, ()))
        elif "2" in flags and entered != path:
            emit(path, _END)
        path, number = entered, int(marker[1])
        due = emit(path, number - 1)
    for left in tuple(waiting):  # what follows the last line with output
        emit(left, _END)
    return "".join(f"{line}\n" for line in lines), tuple(files)


def parse_queries(expanded: str, files: tuple[str, ...]) -> tuple[tuple[tuple[str, Query], ...], bool]:
    """Return the queries of an expansion, each with its file, and whether any is unknown."""
    queries: dict[tuple[str, Query], None] = {}
    incomplete = False
    for line in expanded.splitlines():
        mark, _, rest = line.strip().partition(" ")
        if mark != _MARK:
            continue
        number, _, text = rest.partition(" ")
        text = _RENAMED_OPERATOR.sub(r"__has_\1", text)
        # A name in `<>` is made of tokens, with or without spaces between them.
        for form in (text, re.sub(r"\s+", "", text)):
            found, other = find_queries(os.fsencode(form))
            incomplete = incomplete or other
            queries.update(dict.fromkeys((files[int(number)], item) for item in found))
    return tuple(queries), incomplete


_END = 1 << 60

_known: dict[tuple[str, tuple[str, ...]], tuple[TextCondition, ...]] = {}
"""By content and names; one per process, because the units of a crate read the same headers."""


def _conditions(data: bytes, names: tuple[str, ...]) -> tuple[TextCondition, ...]:
    key = content_digest(data), names
    found = _known.get(key)
    if found is None:
        found = _known[key] = tuple(conditions(data, names))
    return found


def _querying_macros(listing: str) -> Iterable[str]:
    """Return the names of the operators, and of all macros that may use one."""
    bodies = {(name, body) for name, body in _DEFINE.findall(listing)}
    macros, more = set[str](), set(_OPERATORS)
    while more:
        macros |= more
        word = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(more)))})\b")
        more = {name for name, body in bodies if name not in macros and word.search(body)}
    return sorted(macros)


def _renamed(text: str) -> str:
    """Return a text that may query outside a condition, where compilers do not allow the operators."""
    return _OPERATOR.sub(r"__HAS_\1", text) if "__has_" in text else text
