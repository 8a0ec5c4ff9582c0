"""What a linker said as diagnostics: GNU ld's words, and those of lld, which zig's linker is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cratewright import Diagnostic, RelatedPlace, Severity

from .search_path import plain

__all__ = ["has_duplicates", "linker_warnings", "undefined_symbols"]

# lld: the file as it is called for short, and in full where that is another.
_REFERENCE = r">>> (?:referenced|defined) by (?P<short>[^\s(][^(\n]*?)(?::(?P<at>\d+))?(?: \((?P<full>[^\n]*):\d+\))?$"
_LLD = re.compile(
    r"(?m)^[^\n:]*: error: undefined (?:(?:hidden|protected) )?symbol: (?P<name>.+)\n(?P<rest>(?:>>> .*\n?)*)"
)
_PLACE = re.compile(f"(?m)^{_REFERENCE}")
_GNU = re.compile(
    r"(?m)^(?:[^\n:]*\bld[^\n:]*: )?(?:(?P<file>[^\s:(][^:(\n]*):(?:(?P<line>\d+)|\([^)\n]*\)): )?(?:[^\n:]*: )?"
    r"undefined reference to [`'](?P<name>.+)'$"
)
_WARNING = re.compile(
    r"(?:(?P<program>[\w./+-]*(?:ld|lld|clang|gcc|cc|c\+\+|g\+\+|collect2|lto\w*|zig)[\w.+-]*): )?"
    r"(?:(?P<file>[^\s:(][^:(]*):(?:(?P<line>\d+)(?::(?P<column>\d+))?|\(.*?\)): )?warning: (?P<text>.*)"
)


_DUPLICATE = re.compile(r"(?m)\bduplicate symbol: |\bmultiple definition of [`']|\bsymbol multiply defined")
# What gcc is told to call the project by, so that it stays out of what is debugged.
_ANYWHERE = "/proc/self/cwd/"


def has_duplicates(said: str) -> bool:
    """Say whether symbols are defined more than once."""
    return _DUPLICATE.search(said) is not None


def undefined_symbols(said: str) -> dict[str, tuple[RelatedPlace, ...]]:
    """Return the symbols that nobody defines, in order, with the places that use them, as far as they are known."""
    found: dict[str, dict[RelatedPlace, None]] = {}
    for match in _LLD.finditer(said):
        found.setdefault(match["name"], {}).update(dict.fromkeys(_places(match["rest"])))
    for match in _GNU.finditer(said):
        places = found.setdefault(match["name"], {})
        if match["line"]:
            places[RelatedPlace("used here", _file(match["file"]), int(match["line"]))] = None
    return {name: tuple(places) for name, places in found.items()}


def _places(text: str) -> Iterator[RelatedPlace]:
    for match in _PLACE.finditer(text):
        if match["at"]:
            yield RelatedPlace("used here", _file(match["full"] or match["short"]), int(match["at"]))


def linker_warnings(said: str) -> tuple[Diagnostic, ...]:
    """Return the warnings; the lines below one that belong to it are part of its text."""
    found: list[tuple[re.Match[str], list[str]]] = []
    lead: list[str] = []
    for line in said.splitlines():
        if match := _WARNING.fullmatch(line):
            found.append((match, [*lead, line]))
            lead = []
        elif re.search(r": in function [`'].*':$", line):
            lead = [line]
        elif found and line.startswith((">>> ", " ", "\t")):
            found[-1][1].append(line)
    return tuple(_warning(match, lines) for match, lines in found)


def _warning(match: re.Match[str], lines: list[str]) -> Diagnostic:
    # The place of a message of GNU ld may be an offset in a section, which is none.
    file = _file(match["file"]) if match["line"] else ""
    place = (file, int(match["line"] or 0), int(match["column"] or 0))
    return Diagnostic(Severity.WARNING, match["text"], *place, rendered="\n".join(lines))


def _file(path: str) -> str:
    return plain(path.removeprefix(_ANYWHERE))
