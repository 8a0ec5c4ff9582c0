"""The names that a unit's files query by `__has_include` and `__has_embed` through macros.

Macros in the argument are expanded by the compiler's preprocessor.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping

from cratewright import CratewrightError, content_digest, pattern, scratch_directory

from .directives import Query, TextCondition, aliased_queries, conditions, find_queries
from .observe import FileFacts
from .unit_command import UnitCommand
from .world import path_in

_OPERATORS = ("__has_include", "__has_include_next", "__has_embed", "__has_include__", "__has_include_next__")
_OPERATOR = pattern(r"\b__has_(include(?:_next)?|embed)")
_RENAMED_OPERATOR = pattern(r"\b__HAS_(include(?:_next)?|embed)")
_MARK = "__cratewright_asks"
_LINE = pattern(r'#\s*(?:line\s+)?(\d+)\s+"((?:[^"\\]|\\.)*)"')
_DEFINE = pattern(r"(?m)^#define (\w+)(.*)$")

_known: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Query, ...] | None] = {}
"""By content and aliases; one per process, because the units of a crate read the same headers."""


def literal_queries(
    unit: UnitCommand, files: Mapping[str, FileFacts | None], read: Callable[[str], bytes]
) -> tuple[tuple[str, Query], ...] | None:
    """Return what a unit's files query through other names for `__has_include`, with the querying file.

    None if only the preprocessor can tell, which takes two more processes for each unit.
    """
    own = {path: facts for path, facts in files.items() if facts is not None}
    aliases = tuple(sorted({pair for facts in own.values() for pair in facts.directives.aliases}))
    kinds = dict(aliases)
    if (
        len(kinds) < len(aliases)
        or any(facts.directives.incomplete for facts in own.values())
        or any(name in word for word in unit.words for name in ("__has_", *kinds))
    ):
        return None
    queries: list[tuple[str, Query]] = []
    for path, facts in own.items() if kinds else ():
        key = facts.digest, aliases
        if key not in _known:
            data = read(path)
            if content_digest(data) != facts.digest:
                return None
            _known[key] = aliased_queries(data, kinds)
        found = _known[key]
        if found is None:
            return None
        queries += [(path, item) for item in found]
    return tuple(queries)


def expanded_queries(
    unit: UnitCommand, files: Mapping[str, FileFacts | None], read: Callable[[str], bytes]
) -> tuple[tuple[tuple[str, Query], ...], bool]:
    """Return what a unit's files query, with macros expanded and the querying file, and whether some are unknown."""
    with scratch_directory() as directory:
        try:
            command = (*unit.words, "-E", "-dD", "-w")
            listing = unit.run(command, directory / "listing.i").decode("utf-8", "surrogateescape")
            sources = {path: read(path) for path, facts in files.items() if facts is not None}
            names = {path: path for path in sources} | {path_in("./", path): path for path in sources}
            names |= {os.path.join(unit.toolchain.root, path): path for path in sources}
            text, querying = _query_text(listing, sources, names)
            (directory / "queries.c").write_bytes(text.encode("utf-8", "surrogateescape"))
            words = (*unit.driver, "-w", "-undef", "-nostdinc", "-x", "c", "-E", "-P", str(directory / "queries.c"))
            expanded = unit.run(words, directory / "expanded.i").decode("utf-8", "surrogateescape")
        except CratewrightError:
            return (), True
    return _parse_queries(expanded, querying)


def _query_text(listing: str, sources: Mapping[str, bytes], paths: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
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


def _parse_queries(expanded: str, files: tuple[str, ...]) -> tuple[tuple[tuple[str, Query], ...], bool]:
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

_known_conditions: dict[tuple[str, tuple[str, ...]], tuple[TextCondition, ...]] = {}
"""By content and names; one per process, because the units of a crate read the same headers."""


def _conditions(data: bytes, names: tuple[str, ...]) -> tuple[TextCondition, ...]:
    key = content_digest(data), names
    found = _known_conditions.get(key)
    if found is None:
        found = _known_conditions[key] = tuple(conditions(data, names))
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
