"""The locations in a result: replaced by ordinals of its canonical form, and put back for another source.

A shareable result has the ordinal of a line of its form instead of a file and line number, and that of a token instead
of a column.
Source: Cranelift's relative source locations, `ir::RelSourceLoc`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from cratewright import CompiledUnit, CratewrightError, Diagnostic, ModuleCodegen, Symbol, read_bytes

from ..text.columns import column_of, ordinal_of

# A file and the numbers of lines in it, `3 4 7`; all together, where each line of the form is from, in order.
LineRuns = tuple[tuple[str, str], ...]

# Returns the text of a file by its shown name, empty if it cannot be read.
Read = Callable[[str], bytes]

AS_WRITTEN = "as-written"
"""The attribute of a module made from the source as written instead of its form."""


def text_reader(root: str) -> Read:
    """Return a reader of a project's files; a message about a file elsewhere, or a changed one, loses its column."""

    def read(file: str) -> bytes:
        try:
            return read_bytes(os.path.join(root, file))
        except CratewrightError:
            return b""

    return read


def with_ordinals(unit: CompiledUnit, runs: LineRuns, read: Read) -> CompiledUnit | None:
    """Return a fresh result with ordinals of lines in place of positions, or None if it must not be shared."""
    if any(module.attribute(AS_WRITTEN) for module in unit.modules):
        return None
    if not unit.diagnostics and not any(module.exports or module.imports for module in unit.modules):
        return replace(unit, observed=())
    ordinals: dict[tuple[str, int], int | None] = {}
    for ordinal, position in enumerate(_lines(runs), 1):
        # One line that represents two need not do so in another source.
        ordinals[position] = None if position in ordinals else ordinal

    def symbol(item: Symbol) -> Symbol:
        return replace(item, file="", line=_ordinal(ordinals, (item.file, item.line))) if item.line else item

    def diagnostic(item: Diagnostic) -> Diagnostic:
        if not item.line:
            return item
        position = (item.file, item.line)
        # A message without a line is attributed to the first line of its file.
        if position not in ordinals and position[1] == 1 and not item.column:
            return item
        if position[1] == 1:
            raise _NoPosition
        ordinal = _ordinal(ordinals, position)
        token = ordinal_of(read(item.file), item.line, item.column) if item.column else 0
        if token is None:
            raise _NoPosition
        return replace(item, file="", line=ordinal, column=token, end_line=0, end_column=0)

    try:
        return _mapped(replace(unit, observed=()), symbol, diagnostic)
    except _NoPosition:
        return None


def with_positions(unit: CompiledUnit, runs: LineRuns, read: Read) -> CompiledUnit:
    """Return what `with_ordinals` returned for one source with the positions of another of the same form."""
    lines = _lines(runs)

    def symbol(item: Symbol) -> Symbol:
        if item.file or not item.line:
            return item
        file, line = lines[item.line - 1]
        return replace(item, file=file, line=line)

    def diagnostic(item: Diagnostic) -> Diagnostic:
        if item.file or not item.line:
            return item
        file, line = lines[item.line - 1]
        column, end = column_of(read(file), line, item.column) if item.column else (0, 0)
        return replace(item, file=file, line=line, column=column, end_line=line if end else 0, end_column=end)

    return _mapped(unit, symbol, diagnostic)


class _NoPosition(Exception):
    """A position that matches no line of the form, or several."""


def _ordinal(ordinals: dict[tuple[str, int], int | None], position: tuple[str, int]) -> int:
    ordinal = ordinals.get(position)
    if ordinal is None:
        raise _NoPosition
    return ordinal


def _mapped(
    unit: CompiledUnit, symbol: Callable[[Symbol], Symbol], diagnostic: Callable[[Diagnostic], Diagnostic]
) -> CompiledUnit:
    def module(each: ModuleCodegen) -> ModuleCodegen:
        if not each.exports and not each.imports:
            return each
        return replace(each, exports=tuple(map(symbol, each.exports)), imports=tuple(map(symbol, each.imports)))

    return replace(unit, modules=tuple(map(module, unit.modules)), diagnostics=tuple(map(diagnostic, unit.diagnostics)))


def _lines(runs: LineRuns) -> list[tuple[str, int]]:
    return [(file, int(number)) for file, numbers in runs for number in numbers.split()]
