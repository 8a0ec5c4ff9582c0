"""What a linker would not link as an error: which symbols, of which crates, and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from cratewright import CratewrightError, Diagnostic, LinkError, LinkModule, LinkRequest, RelatedPlace, Severity

from .linker_messages import has_duplicates, undefined_symbols

__all__ = ["refusal"]

_SHOWN = 20


def refusal(
    request: LinkRequest, what: str, files: Mapping[str, LinkModule] | None = None
) -> Callable[[str], CratewrightError]:
    """Return what makes an error of a linker's words; `files` are names it was given that say nothing to users."""

    def refused(said: str) -> CratewrightError:
        for name, item in (files or {}).items():
            whole = re.compile(rf"(?<![\w.-]){re.escape(name)}\b")
            said = whole.sub(f"{item.crate}: {_source(item)}".replace("\\", r"\\"), said)
        lines = "\n".join(said.strip().splitlines()[:_SHOWN])
        context: list[tuple[str, object]] = [("said", lines)]
        if files is None:  # else it is done once for several types
            context.insert(0, ("crate type", request.crate_type.value))
        if missing := undefined_symbols(said):
            text = f"crate '{request.crate}' uses symbols that nobody defines: {'; '.join([*missing][:_SHOWN])}"
            places = [place for found in missing.values() for place in found]
            hint = "add the crate that defines them to deps, or the library to libs"
            return LinkError(text, context=context, hint=hint, diagnostics=_at(text, places))
        if has_duplicates(said) and (twice := _defined_twice(request.modules, said)):
            text = f"crate '{request.crate}': symbols are defined more than once: {'; '.join([*twice][:_SHOWN])}"
            places = [_place(item, said) for found in twice.values() for item in found]
            context[:0] = [(name, ", ".join(map(_named, found))) for name, found in twice.items()]
            return LinkError(text, context=context, hint="rename one, or make it static", diagnostics=_at(text, places))
        return LinkError(what, context=context)

    return refused


def _at(text: str, places: list[RelatedPlace]) -> list[Diagnostic]:
    """Return a diagnostic at the first place, if one is known."""
    known = [place for place in places if place.file]
    return [Diagnostic(Severity.ERROR, text, known[0].file, known[0].line, related=tuple(known))] if known else []


def _defined_twice(modules: Iterable[LinkModule], said: str) -> dict[str, list[LinkModule]]:
    """Return the symbols with those that define them: the ones named, or, where a linker shows them demangled, all."""
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
    return next((symbol.file for symbol in item.module.exports if symbol.file), item.module.name)


def _named(item: LinkModule) -> str:
    return f"{_source(item)} of crate '{item.crate}'"


def _place(item: LinkModule, said: str) -> RelatedPlace:
    """Return where a module comes from, with the line that the linker names of it, if any."""
    file = next((symbol.file for symbol in item.module.exports if symbol.file), "")
    line = re.search(rf"(?m)(?:^|[\s(/]){re.escape(file)}:(\d+)", said) if file else None
    return RelatedPlace(f"defined here, in crate '{item.crate}'", file, int(line[1]) if line else 0)
