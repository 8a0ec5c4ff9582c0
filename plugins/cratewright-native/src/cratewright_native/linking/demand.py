"""Which modules a link needs, by the rule of archives; lld decides for itself."""

from __future__ import annotations

from collections.abc import Iterable

from cratewright import LinkModule, LinkRequest

from ..binary.elf import ObjectSymbol, elf_symbols
from .bundle import is_crate_module, is_linked_whole


def is_direct(item: LinkModule, request: LinkRequest) -> bool:
    """Return whether a module is linked even if nothing needs it."""
    whole = item.crate == request.crate or item.crate in request.whole
    return (whole and is_crate_module(item.module)) or is_linked_whole(item.module)


def needed_modules(request: LinkRequest, requested: Iterable[str]) -> tuple[LinkModule, ...]:
    """Return the modules of an LTO step that its link needs, in order.

    Shape: modules linked in any case, and those that define a symbol that is `requested`, or used by another needed
    module and not weak. Opaque modules are linked later; those that are needed may need others in turn.
    """
    items = (*request.modules, *request.opaque)
    symbols = [elf_symbols(item.module.data, name=item.module.name) for item in items]
    definers: dict[str, int] = {}
    for index, found in enumerate(symbols):
        for symbol in found:
            if symbol.defined:
                definers.setdefault(symbol.name, index)
    linked = {index for index, item in enumerate(items) if is_direct(item, request)}
    defined = {symbol.name for index in linked for symbol in symbols[index] if symbol.defined}
    pending = [name for name in requested if name not in defined]
    pending += [name for index in sorted(linked) for name in _used(symbols[index], defined)]
    while pending:
        found_at = definers.get(pending.pop())
        if found_at is None or found_at in linked:
            continue
        linked.add(found_at)
        defined |= {symbol.name for symbol in symbols[found_at] if symbol.defined}
        pending += _used(symbols[found_at], defined)
    return tuple(item for index, item in enumerate(request.modules) if index in linked)


def _used(symbols: Iterable[ObjectSymbol], defined: set[str]) -> list[str]:
    return [item.name for item in symbols if not item.defined and not item.weak and item.name not in defined]
