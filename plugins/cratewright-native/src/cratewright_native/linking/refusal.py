"""A linker's errors about symbols: which symbols, of which crates, and where."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from cratewright import CratewrightError, Diagnostic, LinkError, LinkModule, LinkRequest, RelatedPlace, Severity

from .linker_messages import duplicate_symbols, first_error, has_duplicates, undefined_symbols

__all__ = ["as_told", "link_refusal"]

_SHOWN = 20
_MERGED = ("merged", "merged.o")


def link_refusal(
    request: LinkRequest, what: str, files: Mapping[str, LinkModule], *, final: bool = False, archive: str = ""
) -> Callable[[str], CratewrightError]:
    """Return a function that makes an error from linker output.

    Shape: `files` are the names that it was given, `archive` an archive of some of them; both mean nothing to users. A
    link that is not `final` serves several crate types.
    """

    def refused(said: str) -> CratewrightError:
        said = as_told(said, files, archive)
        lines = "\n".join(said.strip().splitlines()[:_SHOWN])
        context: list[tuple[str, object]] = [("said", lines)]
        if final:
            context.insert(0, ("crate type", request.crate_type.value))
        if missing := undefined_symbols(said):
            text = f"crate '{request.crate}' uses undefined symbols: {'; '.join([*missing][:_SHOWN])}"
            places = [place for found in missing.values() for place in found] or _named(said, files.values())
            places = places or [place for name in missing for place in _using(name, files.values())]
            hint = "add the crate that defines them to deps, or the library to libs"
            return LinkError(text, context=context, hint=hint, diagnostics=_at(text, places))
        if has_duplicates(said) and (twice := _shown(_defined_twice(request.modules, said), said)):
            text = f"crate '{request.crate}': symbols are defined more than once: {'; '.join([*twice][:_SHOWN])}"
            places = [_place(item, said) for found in twice.values() for item in found]
            context[:0] = [(name, ", ".join(map(_owned, found))) for name, found in twice.items()]
            return LinkError(text, context=context, hint="rename one, or make it static", diagnostics=_at(text, places))
        first = first_error(said)
        if first is None:
            return LinkError(what, context=context)
        text = f"{what}: {first.text}"
        return LinkError(text, context=context, diagnostics=[replace(first, text=text)] if first.file else [])

    return refused


def as_told(said: str, files: Mapping[str, LinkModule], archive: str) -> str:
    """Return linker output with crates and sources in place of file names."""
    if not files:
        return said
    known = dict(files)
    if archive:
        said = said.replace(f" in archive {archive}", "")
        # GNU ld names a member up to the first space.
        known |= {f"{archive}({part})": item for name, item in files.items() for part in (name.partition(" ")[0], name)}
    names = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    whole = re.compile(rf"(?<![\w.-])(?:\./)?(?P<name>{names})(?![\w-]|\.\w)")
    return whole.sub(lambda match: f"{known[match['name']].crate}: {_source(known[match['name']])}", said)


def _named(said: str, modules: Iterable[LinkModule]) -> list[RelatedPlace]:
    """Return the sources that a linker names, without lines if there is no debug information."""
    sources = {f"{item.crate}: {_source(item)}": item for item in modules}
    found = [item for name, item in sources.items() if re.search(rf"{re.escape(name)}(?::|$)", said, re.MULTILINE)]
    return [RelatedPlace("used here", _source(item)) for item in found if item.module.name not in _MERGED]


def _using(shown: str, modules: Iterable[LinkModule]) -> list[RelatedPlace]:
    """Return the sources whose merged code uses a symbol, by its name as linkers show it."""
    used = [symbol for item in modules if item.module.name in _MERGED for symbol in item.module.imports]
    name = _mangled(shown, {symbol.name for symbol in used})
    return [RelatedPlace("used here", symbol.file) for symbol in used if symbol.name == name]


def _mangled(shown: str, names: Collection[str]) -> str:
    """Return which of the names a linker shows so; an empty string if none, or several may be meant.

    A linker demangles a name of C++, in which the last word before the arguments is mangled as its length and itself.
    """
    if shown in names:
        return shown
    word = re.search(r"(\w+)(?:<.*>)?\Z", shown.partition("(")[0])
    part = f"{len(word[1])}{word[1]}" if word else shown
    meant = [name for name in names if name.startswith("_Z") and part in name]
    return meant[0] if len(meant) == 1 else ""


def _shown(found: dict[str, list[LinkModule]], said: str) -> dict[str, list[LinkModule]]:
    """Return the symbols that are defined twice by the names that the linker shows, if it is clear which is which."""
    shown = {_mangled(name, found): name for name in duplicate_symbols(said)}
    return {shown[name]: items for name, items in found.items() if name in shown} or found


def _at(text: str, places: list[RelatedPlace]) -> list[Diagnostic]:
    """Return a diagnostic at the first known place, except in the toolchain's own start files."""
    known = [place for place in places if place.file and not os.path.isabs(place.file)]
    return [Diagnostic(Severity.ERROR, text, known[0].file, known[0].line, related=tuple(known))] if known else []


def _defined_twice(modules: Iterable[LinkModule], said: str) -> dict[str, list[LinkModule]]:
    """Return the symbols with their definitions: the named ones, or all if the linker demangles names."""
    found: dict[str, list[LinkModule]] = {}
    for item in modules:
        for symbol in item.module.exports:
            if "weak" not in symbol.signature.split():
                found.setdefault(symbol.name, []).append(item)
    twice = {name: items for name, items in found.items() if len(items) > 1}
    named = {
        name: items for name, items in twice.items() if re.search(rf"(?<![\w$.]){re.escape(name)}(?![\w$.])", said)
    }
    return dict(sorted((named or twice).items())[:_SHOWN])


def _source(item: LinkModule) -> str:
    # A merged module belongs to all of them.
    return _file(item) or item.module.name.removesuffix(".o").removesuffix(".bc")


def _file(item: LinkModule) -> str:
    return next((symbol.file for symbol in item.module.exports if symbol.file), "")


def _owned(item: LinkModule) -> str:
    return f"{_source(item)} of crate '{item.crate}'"


def _place(item: LinkModule, said: str) -> RelatedPlace:
    """Return the origin of a module, with the line that the linker names, if any."""
    file = _file(item)
    line = re.search(rf"(?m)(?:^|[\s(/]){re.escape(file)}:(\d+)", said) if file else None
    return RelatedPlace(f"defined here, in crate '{item.crate}'", file, int(line[1]) if line else 0)
