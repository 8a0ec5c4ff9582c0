"""Which macros a module depends on, and so which of several modules of one source an importer links.

Slang reads an import with the macros of its importer. A module is therefore identified by its source's path and the
macros that its texts, or those of its imports, may use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from cratewright import LinkError, LinkRequest, Symbol

MacroTexts = Sequence[tuple[str, str]]
"""Macros by name, with their texts."""

_WORD = re.compile(rb"\w+")
_LINE_GOES_ON = re.compile(rb"\\\r?\n")
_SHOWN = 5


def used_macros(texts: Iterable[bytes], macros: MacroTexts) -> frozenset[str]:
    """Return the names of macros that some texts may use: directly or through other macros.

    Shape: all, if a text may paste tokens.
    """
    given = {name.encode(): value.encode() for name, value in macros}
    used: set[bytes] = set()
    todo = list(texts) if given else []
    while todo:
        text = _LINE_GOES_ON.sub(b"", todo.pop())
        found = given.keys() if b"##" in text else given.keys() & set(_WORD.findall(text))
        todo += [given[name] for name in found - used]
        used |= found
    return frozenset(name.decode() for name in used)


def module_symbol(path: str, used: Collection[str], macros: MacroTexts, *, file: str, line: int = 0) -> Symbol:
    """Return the symbol that stands for a module: its source's path, with the macros that it uses."""
    own = {name: value for name, value in macros if name in used}
    if not own:
        return Symbol(path, f"module {path}", file, line)
    return Symbol(json.dumps([path, own], sort_keys=True), f"module {path} with {_of(own, own)}", file, line)


def symbol_module(symbol: Symbol) -> tuple[str, dict[str, str]]:
    """Return the source of the module that a symbol stands for, and the macros that it uses."""
    own = _macros(symbol.name)
    return (json.loads(symbol.name)[0] if own else symbol.name), own


def refuse_other_macros(request: LinkRequest, message: str) -> None:
    """Explain a missing module that exists, but was compiled with other macros.

    Raises: LinkError.
    """
    offers: dict[str, dict[str, str]] = {}
    for item in request.modules:
        for symbol in item.module.exports:
            offers.setdefault(symbol_module(symbol)[0], {}).setdefault(symbol.name, item.crate)
    for item in request.modules:
        for symbol in item.module.imports:
            path, wanted = symbol_module(symbol)
            found = offers.get(path, {})
            if not found or symbol.name in found or f"`{symbol.display}`" not in message:
                continue
            given = [(crate, _macros(name)) for name, crate in found.items()]
            names = {
                name for _, own in given for name in own.keys() | wanted.keys() if own.get(name) != wanted.get(name)
            }
            rows = [*given[:_SHOWN], (item.crate, wanted)]
            raise LinkError(
                f"{path} is compiled with another '{min(names)}' than {symbol.file}, which imports it",
                context=[(f"crate '{crate}'", _of(names, own)) for crate, own in rows],
                hint="give both crates the same defines or variants, or leave the name out of one of their sources",
            )


def _macros(name: str) -> dict[str, str]:
    """Return the macros in the name of a symbol: a source's path does not end like a list."""
    return dict(json.loads(name)[1]) if name.endswith("]") else {}


def _of(names: Iterable[str], macros: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={macros[name]}" if name in macros else f"{name} not defined" for name in sorted(names))
