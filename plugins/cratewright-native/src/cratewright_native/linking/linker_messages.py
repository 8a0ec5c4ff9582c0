"""Linker output as diagnostics, from GNU ld and from lld (which zig uses too)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cratewright import Diagnostic, RelatedPlace, Severity, pattern

from ..lookups.search_path import plain

# lld: the file's short name, and its full name if different.
_PLACE = pattern(
    r"(?m)^>>> (?:referenced by|defined by|defined at) (?P<short>.+?):(?P<at>\d+)(?: \((?P<full>.*):(?P=at)\))?$"
)
_LLD = pattern(
    r"(?m)^[^\n:]*: error: undefined (?:(?:hidden|protected) )?symbol: (?P<name>.+)\n(?P<rest>(?:>>> .*\n?)*)"
)
_PROGRAM = r"(?:[\w./+-]*(?:ld|lld|clang|gcc|cc|c\+\+|g\+\+|collect2|lto\w*|zig)[\w.+-]*:\s?)?"
# A place may be an offset in a section, which is not a line.
_AT = r"(?:(?P<file>[^\s(].*?):(?:(?P<line>\d+)(?::(?P<column>\d+))?(?::\(.*?\))?|\(.*?\)): )?"
_GNU = pattern(rf"(?m)^{_PROGRAM}{_AT}(?:[^\n:]*: )?undefined reference to [`'](?P<name>.+)'$")
_WARNING = pattern(f"{_PROGRAM}{_AT}warning: (?P<text>.*)")
_ERROR = pattern(f"{_PROGRAM}(?:(?:fatal )?error: )?{_AT}(?:(?:fatal )?error: )?(?P<text>.+)")
_NO_ERROR = pattern(r">>> .*|.*: in function [`'].*':|.*\bfile format not recognized; treating as linker script")
_DUPLICATE = pattern(r"(?m)\bduplicate symbol: |\bmultiple definition of [`']|\bsymbol multiply defined")

_TWICE = pattern(r"(?m)\bduplicate symbol: (.+)$|\bmultiple definition of [`'](.+?)'")


def has_duplicates(output: str) -> bool:
    """Return whether symbols are defined more than once."""
    return _DUPLICATE.search(output) is not None


def duplicate_symbols(output: str) -> tuple[str, ...]:
    """Return the symbols that are defined more than once, in order, as the linker shows them."""
    return tuple(dict.fromkeys(match[1] or match[2] for match in _TWICE.finditer(output)))


def undefined_symbols(output: str) -> dict[str, tuple[RelatedPlace, ...]]:
    """Return the undefined symbols, in order, with the known places that use them."""
    found: dict[str, dict[RelatedPlace, None]] = {}
    for match in _LLD.finditer(output):
        found.setdefault(match["name"], {}).update(dict.fromkeys(_places(match["rest"])))
    for match in _GNU.finditer(output):
        places = found.setdefault(match["name"], {})
        file, line, _ = _where(match)
        if file:
            places[RelatedPlace("used here", file, line)] = None
    return {name: tuple(places) for name, places in found.items()}


def _places(text: str) -> Iterator[RelatedPlace]:
    for match in _PLACE.finditer(text):
        file = match["full"] or match["short"]
        if not file.startswith("<"):
            yield RelatedPlace("used here", plain(file), int(match["at"]))


def first_error(output: str) -> Diagnostic | None:
    """Return the linker's first message, with its place if known."""
    lines = output.splitlines()
    match = next((_ERROR.fullmatch(line) for line in lines if line.strip() and not _NO_ERROR.fullmatch(line)), None)
    if match is None:
        return None
    if _where(match)[0]:
        return Diagnostic(Severity.ERROR, match["text"], *_where(match))
    found = next(_places(output), RelatedPlace(""))
    return Diagnostic(Severity.ERROR, match["text"], found.file, found.line)


def linker_warnings(output: str) -> tuple[Diagnostic, ...]:
    """Return the warnings; the lines below one that belong to it are part of its text."""
    found: list[tuple[re.Match[str], list[str]]] = []
    lead: list[str] = []
    for line in output.splitlines():
        if match := _WARNING.fullmatch(line):
            found.append((match, [*lead, line]))
            lead = []
        elif re.search(r": in function [`'].*':$", line):
            lead = [line]
        elif found and line.startswith((">>> ", " ", "\t")):
            found[-1][1].append(line)
    return tuple(
        Diagnostic(Severity.WARNING, match["text"], *_where(match), rendered="\n".join(lines)) for match, lines in found
    )


def _where(match: re.Match[str]) -> tuple[str, int, int]:
    """Return file, line and column; gcc's LTO calls unknown files `<artificial>`."""
    if not match["line"] or match["file"].startswith("<"):
        return "", 0, 0
    return plain(match["file"]), int(match["line"]), int(match["column"] or 0)
