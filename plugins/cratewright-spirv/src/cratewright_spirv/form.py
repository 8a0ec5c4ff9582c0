"""What is left of a source when all that cannot alter its modules is taken away, so that they may be used again.

Knows nothing of caches or compilers. Where things stand in the files is not part of it: results are kept with
the ordinals of lines in place of files and numbers, and get those of the source at hand when they are used.
Source: Cranelift's relative source locations, `ir::RelSourceLoc`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from cratewright import CompiledUnit, ModuleCodegen, Observed, Symbol, UnitStencil
from cratewright.digest import value_digest

from .compiler import Found, canonical_form
from .glslang import Compiler
from .sources import classify
from .tools import Tools
from .unit import AS_WRITTEN, compile_source, unit_request

__all__ = ["CanonicalUnit", "Places", "canonical_unit", "compile_with_form", "placed", "relative"]

# A file and the numbers of lines in it, `3 4 7`; all together, where each line of the form is from, in order.
Places = tuple[tuple[str, str], ...]

_ASSEMBLY = re.compile(rb'"(?:[^"\\]|\\.)*"|;[^\n]*|[ \t\r]+', re.S)
_LOCATED = re.compile(r"(.*?):(\d+): ")
_RELATIVE = re.compile(r":(\d+): ")


@dataclass(frozen=True, slots=True)
class CanonicalUnit:
    """The form of a source.

    Shape: sources of one `digest` have one result but for where things stand, which `places` tells;
    `observed` are the files that were read, or looked for in vain, to find the form.
    """

    digest: str
    observed: tuple[Observed, ...]
    places: Places


def canonical_unit(stencil: UnitStencil, root: str) -> CanonicalUnit | None:
    """Return the form of a source, or None if only the source as it is written decides its result.

    Raises: SourceError for a source of an unknown or contradicted stage.
    """
    return _form(stencil, _found(stencil, root))


def compile_with_form(
    stencil: UnitStencil, root: str, compiler: Callable[[], Compiler], tools: Callable[[], Tools]
) -> tuple[CompiledUnit, CanonicalUnit | None]:
    """Return the modules of a source and its form, which then costs next to nothing.

    Raises: as `compile_source`.
    """
    found = _found(stencil, root)
    return compile_source(stencil, root, compiler, tools, found), _form(stencil, found)


def _found(stencil: UnitStencil, root: str) -> Found | None:
    unit = classify(stencil.path, stencil.source)[0]
    return canonical_form(unit_request(stencil, unit, root)) if unit.language in ("glsl", "hlsl") else None


def _form(stencil: UnitStencil, found: Found | None) -> CanonicalUnit | None:
    wanted = stencil.options.text("entry_point") or None
    units = classify(stencil.path, stencil.source, wanted)
    about = (stencil.path, stencil.target, stencil.options.debuginfo, wanted, units)
    if units[0].language == "spvasm":
        lines = _assembly_lines(stencil.source)
        return None if lines is None else CanonicalUnit(value_digest((about, lines)), (), ())
    includes, form = found or (None, None)
    if includes is None or form is None:
        return None
    return CanonicalUnit(value_digest((about, form.defines, form.text, form.origins)), includes.observed, form.runs)


def relative(unit: CompiledUnit, places: Places) -> CompiledUnit | None:
    """Return a fresh result with ordinals of lines in place of positions, or None if it must not serve others."""
    if any(module.attribute(AS_WRITTEN) for module in unit.modules):
        return None
    if not unit.diagnostics and not any(module.exports or module.imports for module in unit.modules):
        return replace(unit, observed=())
    ordinals: dict[tuple[str, int], int | None] = {}
    for ordinal, place in enumerate(_lines(places), 1):
        # One line that stands for two need not do so in another source.
        ordinals[place] = None if place in ordinals else ordinal

    def symbol(item: Symbol) -> Symbol:
        return replace(item, file="", line=_ordinal(ordinals, (item.file, item.line))) if item.line else item

    def diagnostic(line: str) -> str:
        match = _LOCATED.match(line)
        if match is None:
            return line
        place = (match[1], int(match[2]))
        # What is about no line is told of a file's first.
        if place not in ordinals and place[1] == 1:
            return line
        if place[1] == 1:
            raise _Unplaced
        return f":{_ordinal(ordinals, place)}: {line[match.end() :]}"

    try:
        return _mapped(replace(unit, observed=()), symbol, diagnostic)
    except _Unplaced:
        return None


def placed(unit: CompiledUnit, places: Places) -> CompiledUnit:
    """Return what `relative` returned for one source with the positions of another of the same form."""
    lines = _lines(places)

    def symbol(item: Symbol) -> Symbol:
        if item.file or not item.line:
            return item
        file, line = lines[item.line - 1]
        return replace(item, file=file, line=line)

    def diagnostic(text: str) -> str:
        match = _RELATIVE.match(text)
        if match is None:
            return text
        file, line = lines[int(match[1]) - 1]
        return f"{file}:{line}: {text[match.end() :]}"

    return _mapped(unit, symbol, diagnostic)


class _Unplaced(Exception):
    """A position that is no line of the form, or more than one."""


def _ordinal(ordinals: dict[tuple[str, int], int | None], place: tuple[str, int]) -> int:
    ordinal = ordinals.get(place)
    if ordinal is None:
        raise _Unplaced
    return ordinal


def _mapped(unit: CompiledUnit, symbol: Callable[[Symbol], Symbol], diagnostic: Callable[[str], str]) -> CompiledUnit:
    def module(each: ModuleCodegen) -> ModuleCodegen:
        if not each.exports and not each.imports:
            return each
        return replace(each, exports=tuple(map(symbol, each.exports)), imports=tuple(map(symbol, each.imports)))

    return replace(unit, modules=tuple(map(module, unit.modules)), diagnostics=tuple(map(diagnostic, unit.diagnostics)))


def _lines(places: Places) -> list[tuple[str, int]]:
    return [(file, int(number)) for file, numbers in places for number in numbers.split()]


def _assembly_lines(text: bytes) -> list[bytes] | None:
    if any(b"\n" in match.group() for match in _ASSEMBLY.finditer(text)):
        return None
    lines = _ASSEMBLY.sub(_bare, text).split(b"\n")
    return [line for line in map(bytes.strip, lines) if line]


def _bare(match: re.Match[bytes]) -> bytes:
    found = match.group()
    return found if found[:1] == b'"' else b" "
