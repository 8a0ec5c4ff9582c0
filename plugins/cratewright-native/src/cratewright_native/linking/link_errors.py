"""A linker's errors, with the symbols, crates and sources that they are about."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from cratewright import CratewrightError, Diagnostic, LinkError, LinkModule, LinkRequest, RelatedPlace, Severity

from .linker_messages import duplicate_symbols, first_error, has_duplicates, undefined_symbols

_SHOWN = 20
_MERGED = ("merged", "merged.o")


def link_error(
    request: LinkRequest, what: str, files: Mapping[str, LinkModule], *, final: bool = False, archive: str = ""
) -> Callable[[str], CratewrightError]:
    """Return a function that makes an error from linker output.

    Shape: `files` are the modules by the file names that the linker was given, `archive` is an archive of some of them;
    users know neither. A link that is not `final` serves several crate types.
    """

    def refused(output: str) -> CratewrightError:
        output = with_source_names(output, files, archive)
        lines = "\n".join(output.strip().splitlines()[:_SHOWN])
        context: list[tuple[str, object]] = [("output", lines)]
        if final:
            context.insert(0, ("crate type", request.crate_type.value))
        if missing := undefined_symbols(output):
            text = f"crate '{request.crate}' uses undefined symbols: {'; '.join([*missing][:_SHOWN])}"
            places = [place for found in missing.values() for place in found] or _named_sources(output, files.values())
            places = places or [place for name in missing for place in _using_sources(name, files.values())]
            hint = "add the crate that defines them to deps, or the library to libs"
            return LinkError(text, context=context, hint=hint, diagnostics=_diagnostic_at(text, places))
        if has_duplicates(output) and (twice := _by_shown_name(_defined_twice(request.modules, output), output)):
            text = f"crate '{request.crate}': symbols are defined more than once: {'; '.join([*twice][:_SHOWN])}"
            places = [_place(item, output) for found in twice.values() for item in found]
            context[:0] = [(name, ", ".join(map(_with_crate, found))) for name, found in twice.items()]
            return LinkError(
                text, context=context, hint="rename one, or make it static", diagnostics=_diagnostic_at(text, places)
            )
        first = first_error(output)
        if first is None:
            return LinkError(what, context=context)
        text = f"{what}: {first.text}"
        return LinkError(text, context=context, diagnostics=[replace(first, text=text)] if first.file else [])

    return refused


def with_source_names(output: str, files: Mapping[str, LinkModule], archive: str) -> str:
    """Return linker output with crates and sources in place of file names."""
    if not files:
        return output
    known = dict(files)
    if archive:
        output = output.replace(f" in archive {archive}", "")
        # GNU ld names a member up to the first space.
        known |= {f"{archive}({part})": item for name, item in files.items() for part in (name.partition(" ")[0], name)}
    names = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    whole = re.compile(rf"(?<![\w.-])(?:\./)?(?P<name>{names})(?![\w-]|\.\w)")
    return whole.sub(lambda match: f"{known[match['name']].crate}: {_source(known[match['name']])}", output)


def _named_sources(output: str, modules: Iterable[LinkModule]) -> list[RelatedPlace]:
    """Return the sources that a linker names, without lines if there is no debug information."""
    sources = {f"{item.crate}: {_source(item)}": item for item in modules}
    found = [item for name, item in sources.items() if re.search(rf"{re.escape(name)}(?::|$)", output, re.MULTILINE)]
    return [RelatedPlace("used here", _source(item)) for item in found if item.module.name not in _MERGED]


def _using_sources(shown: str, modules: Iterable[LinkModule]) -> list[RelatedPlace]:
    """Return the sources whose merged code uses a symbol, by its name as linkers show it."""
    used = [symbol for item in modules if item.module.name in _MERGED for symbol in item.module.imports]
    name = _mangled(shown, {symbol.name for symbol in used})
    return [RelatedPlace("used here", symbol.file) for symbol in used if symbol.name == name]


def _mangled(shown: str, names: Collection[str]) -> str:
    """Return which of the names a linker shows like this; an empty string if none or several may be meant.

    Linkers demangle C++ names. A mangled name contains the last word before the arguments, after its length.
    """
    if shown in names:
        return shown
    word = re.search(r"(\w+)(?:<.*>)?\Z", shown.partition("(")[0])
    part = f"{len(word[1])}{word[1]}" if word else shown
    meant = [name for name in names if name.startswith("_Z") and part in name]
    return meant[0] if len(meant) == 1 else ""


def _by_shown_name(found: dict[str, list[LinkModule]], output: str) -> dict[str, list[LinkModule]]:
    """Return the symbols that are defined twice by the names that the linker shows, if it is clear which is which."""
    shown = {_mangled(name, found): name for name in duplicate_symbols(output)}
    return {shown[name]: items for name, items in found.items() if name in shown} or found


def _diagnostic_at(text: str, places: list[RelatedPlace]) -> list[Diagnostic]:
    """Return a diagnostic at the first known place outside the toolchain's own start files."""
    known = [place for place in places if place.file and not os.path.isabs(place.file)]
    return [Diagnostic(Severity.ERROR, text, known[0].file, known[0].line, related=tuple(known))] if known else []


def _defined_twice(modules: Iterable[LinkModule], output: str) -> dict[str, list[LinkModule]]:
    """Return the symbols with their definitions: the named ones, or all if the linker demangles names."""
    found: dict[str, list[LinkModule]] = {}
    for item in modules:
        for symbol in item.module.exports:
            if "weak" not in symbol.signature.split():
                found.setdefault(symbol.name, []).append(item)
    twice = {name: items for name, items in found.items() if len(items) > 1}
    named = {
        name: items for name, items in twice.items() if re.search(rf"(?<![\w$.]){re.escape(name)}(?![\w$.])", output)
    }
    return dict(sorted((named or twice).items())[:_SHOWN])


def _source(item: LinkModule) -> str:
    return _file(item) or item.module.name.removesuffix(".o").removesuffix(".bc")


def _file(item: LinkModule) -> str:
    return next((symbol.file for symbol in item.module.exports if symbol.file), "")


def _with_crate(item: LinkModule) -> str:
    return f"{_source(item)} of crate '{item.crate}'"


def _place(item: LinkModule, output: str) -> RelatedPlace:
    """Return the origin of a module, with the line that the linker names, if any."""
    file = _file(item)
    line = re.search(rf"(?m)(?:^|[\s(/]){re.escape(file)}:(\d+)", output) if file else None
    return RelatedPlace(f"defined here, in crate '{item.crate}'", file, int(line[1]) if line else 0)
