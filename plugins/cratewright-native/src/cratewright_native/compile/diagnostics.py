"""Compiler output as diagnostics: an error or a warning with all its notes.

The text is parsed. With -fdiagnostics-format=sarif or json, gcc omits source lines and carets, and clang calls its
SARIF unstable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from cratewright import Diagnostic, RelatedPlace, Severity, SourceError, UnitStencil, in_characters, pattern

from ..lookups.search_path import plain
from ..toolchains.toolchain import Toolchain

_MESSAGE = pattern(
    r"(?P<file>[^\s:].*?):(?P<line>\d+)(?::(?P<column>\d+))?: "
    r"(?P<kind>[Ww]arning|[Ee]rror|fatal error|[Nn]ote|remark|Info): ?(?P<text>.*)"
)
_NOTES = ("note", "remark", "info")
_GENERAL = pattern(
    r"(?:(?:[\w./+-]*(?:clang|gcc|g\+\+|cc1\w*|zig|\bas|\bcc)[\w.+-]*|(?P<no_file><[^:>]+>)): )?"
    r"(?P<kind>warning|(?:fatal )?error): (?P<text>.*)"
)
# Lines that precede the message to which they belong.
_CONTEXT = pattern(
    r"In file included from .*|\s+from .*[:,]|[^\s:].*?: (?:In |At |Assembler messages:).*"
    r"|[^\s:].*?:\d+(?::\d+)?:\s+(?:(?:recursively )?required |in ).*|While building .*|In module .*"
)
_CODE = pattern(r"(?P<text>.*?) \[(?P<code>-[-\w=+,.#]+)\]")
_INCLUDED = pattern(r"(?:In file included from|\s+from) (?P<file>.+?):(?P<line>\d+)(?::(?P<column>\d+))?[,:]")
_REQUIRED = pattern(
    r"(?P<file>[^\s:].*?):(?P<line>\d+):(?:(?P<column>\d+):)?\s+"
    r"(?P<text>(?:recursively )?required .*|in .*expansion.*)"
)
_TOTAL = pattern(r"(?m)^(?:\d+ (?:warning|error)s?\b.* generated|compilation terminated)\.$")
# Verbose output of drivers about themselves, and totals.
_CHATTER = pattern(
    r" (?:\"?/|\"?[\w.-]*(?:as|cc1\w*|collect2|clang|ld)\"? -).*| \(in-process\)"
    r"|(?:COLLECT_|COMPILER_PATH|LIBRARY_PATH|OFFLOAD_)\w*=.*|GNU (?:C|assembler|Objective)\S* .*"
    r"|clang -cc1(?:as)? version .*|(?:.* )?clang version \d.*|\tcompiled by .*|GGC heuristics: .*"
    r"|(?:Target|Configured with|Thread model|Supported LTO compression algorithms): .*|gcc version \d.*"
    r"|(?:Compiler executable checksum|Using built-in specs|compilation terminated).*"
    r"|\d+ (?:warning|error)s?\b.* generated\.|ignoring (?:duplicate|nonexistent) directory .*|End of search list\."
)
_SEARCH = pattern(r'(?ms)^#include "\.\.\." search starts here:$.*?^End of search list\.$')
_SOURCE = pattern(r" *(?P<line>\d+) \| (?P<text>.*)")
_MARK = pattern(r" *\| [ ~]*\^(?P<rest>~*)")
_UNNAMED = pattern(r"(?m)^(?P<file>[^<\s:].*?):(?P<line>\d+)(?::(?P<column>\d+))?: (?:note|.*[Ii]nfo):")
_HINTS = (
    (r"file not found|No such file", "add the directory that holds it to include_dirs"),
    (r"Producer:", "this bitcode was made by a newer LLVM; use one toolchain of that version for all"),
    (
        r"date-time|__TIMESTAMP__",
        "the result would depend on the clock; set the time yourself, as in defines={'BUILT': '\"2026-01-31\"'}",
    ),
    (
        r"unrecognized command-line option|unknown (?:clang option|argument)|unsupported option",
        "this compiler does not know the flag: correct it in flags, cflags or cxxflags, or leave it out",
    ),
    (r"modules?\b.*not found|module interface", "C++ modules are not compiled; include headers"),
)
"""Patterns of errors, and the way out."""
_SHOWN = 20


def messages(stderr: str, *, path: str) -> tuple[Diagnostic, ...]:
    """Return the errors and warnings, each once, in order; those without a file are about `path`.

    Shape: a diagnostic begins with its headline; lines printed before it, such as the chain of includes, follow. The
    total at the end of a failure belongs to the last.
    """
    found = list(dict.fromkeys(_with_file(item, path) for item in _read(stderr, path)))
    totals = "".join(f"\n{line}" for line in dict.fromkeys(_TOTAL.findall(stderr)))
    if totals and any(item.severity is Severity.ERROR for item in found):
        found[-1] = replace(found[-1], rendered=f"{found[-1]}{totals}")
    return tuple(found)


def unit_warnings(stderr: str, stencil: UnitStencil, toolchain: Toolchain) -> tuple[Diagnostic, ...]:
    """Return what is not an error: warnings, and notes of their own, such as those of pragmas."""
    return tuple(item for item in _of_unit(stderr, stencil, toolchain) if item.severity is not Severity.ERROR)


def unit_error(stderr: str, stencil: UnitStencil, toolchain: Toolchain) -> SourceError:
    """Return the error of a unit that does not compile, with everything that the compiler reports."""
    found = _of_unit(stderr, stencil, toolchain)
    errors = [item for item in found if item.severity is Severity.ERROR]
    if not errors:
        last = "\n".join(stderr.strip().splitlines()[-_SHOWN:])
        return SourceError.at(stencil.path, 1, "the compiler failed", context=(("output", last),))
    hints = (hint for pattern, hint in _HINTS if any(re.search(pattern, item.headline) for item in errors))
    return SourceError(diagnostics=found, hint=next(hints, ""))


def _of_unit(stderr: str, stencil: UnitStencil, toolchain: Toolchain) -> tuple[Diagnostic, ...]:
    """Return diagnostics with columns counted in characters, and files of repositories named as if in the project."""
    for repository in stencil.repositories:
        stderr = stderr.replace(f"{repository}/", "")
    found = messages(stderr, path=stencil.path)
    return in_characters(
        found, root=toolchain.root, path=stencil.path, source=stencil.source, shown=toolchain.shows_columns
    )


def _read(stderr: str, path: str) -> Iterator[Diagnostic]:
    current: Diagnostic | None = None
    detail: list[str] = []
    context: list[str] = []
    for line in _SEARCH.sub("", stderr).splitlines():
        match = _MESSAGE.fullmatch(line)
        general = None if match else _GENERAL.fullmatch(line)
        if match and current is not None and match["kind"].lower() in _NOTES:
            detail += [*context, line]
            context = []
        elif match or general:
            if current is not None:
                yield _with(current, detail)
            current = _head(match) if match else _general(general, path) if general else None
            detail, context = context, []
        elif _CONTEXT.fullmatch(line):
            context.append(line)
        elif _CHATTER.fullmatch(line):
            if current is not None:
                yield _with(current, detail)
            current, detail, context = None, [], []
        elif current is not None:
            detail += [*context, line]
            context = []
    if current is not None:
        yield _with(current, detail)


def _with(head: Diagnostic, detail: list[str]) -> Diagnostic:
    if not detail:
        return head
    whole = replace(head, rendered="\n".join((str(head), *detail)), related=tuple(_related(detail)))
    end = _end(head, detail)
    return replace(whole, end_line=head.line, end_column=end) if end else whole


def _end(head: Diagnostic, detail: list[str]) -> int:
    """Return the column after the marked text, or 0 if unclear: marks count terminal columns, columns may not."""
    for line, below in pairwise(detail):
        source, mark = _SOURCE.fullmatch(line), _MARK.match(below)
        if source and mark and int(source["line"]) == head.line and head.column:
            return head.column + 1 + len(mark["rest"]) if source["text"].isascii() else 0
        if _MESSAGE.fullmatch(line):
            break
    return 0


def _related(detail: Iterable[str]) -> Iterator[RelatedPlace]:
    for line in detail:
        for place, text in ((_INCLUDED, "included from here"), (_REQUIRED, ""), (_MESSAGE, "")):
            match = place.match(line)
            if match and not match["file"].startswith("<"):
                number, column = int(match["line"]), int(match["column"] or 0)
                yield RelatedPlace(text or match["text"], plain(match["file"]), number, column)
                break


def _head(match: re.Match[str]) -> Diagnostic:
    place = (plain(match["file"]), int(match["line"]), int(match["column"] or 0))
    return _diagnostic(match["kind"].lower(), match["text"], *place)


def _general(match: re.Match[str], path: str) -> Diagnostic:
    return _diagnostic(match["kind"], match["text"], *((match["no_file"], 0) if match["no_file"] else (path, 1)))


def _diagnostic(kind: str, text: str, file: str, line: int, column: int = 0) -> Diagnostic:
    severity = Severity.WARNING if kind == "warning" else Severity.NOTE if kind in _NOTES else Severity.ERROR
    coded = _CODE.fullmatch(text)
    text, code = (coded["text"], coded["code"]) if coded else (text, "")
    return Diagnostic(severity, text, file, line, column, code=code)


def _with_file(item: Diagnostic, path: str) -> Diagnostic:
    """Return a message about `<...>`, which is no file, as one about the unit, or about the place that its notes name.

    Compilers name inline assembly and macros of the command line so.
    """
    if not item.file.startswith("<"):
        return item
    found = _UNNAMED.search(item.rendered)
    moved = replace(item, file=path, line=1, column=0, end_line=0, end_column=0)
    if found is not None:
        moved = replace(moved, file=plain(found["file"]), line=int(found["line"]), column=int(found["column"] or 0))
    return replace(moved, rendered=f"{replace(moved, rendered='').headline}\n{item}")
