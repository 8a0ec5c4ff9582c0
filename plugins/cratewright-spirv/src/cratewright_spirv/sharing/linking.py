"""Entry points linked by another compiler, as modules of this package.

If several were linked together, `separate_entry_points` separates them again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from cratewright import (
    EntryPoint,
    LinkModule,
    LinkRequest,
    ModuleCodegen,
    option_attributes,
    options_among,
)

from ..base.names import ImageEntry, entries_of, optimized_entries
from ..binary.lines import with_relative_files
from ..images.image import joined
from ..images.separate import independent_form, separate_entry_points
from ..link.symbols import SymbolTable
from ..reflection.facts import MADE_FROM

__all__ = [
    "RequestedEntry",
    "independent_form",
    "joined",
    "modules_of_entries",
    "one_by_one",
    "separate_entry_points",
    "with_relative_files",
    "with_whole_entries",
]

RequestedEntry = tuple[ImageEntry, Sequence[LinkModule]]
"""An entry point with its module, which comes first, and all others that it needs."""


def with_whole_entries(
    request: LinkRequest, entries: Sequence[ImageEntry], link: Callable[[Sequence[RequestedEntry]], Sequence[bytes]]
) -> LinkRequest:
    """Return a request whose modules are some entry points, each linked with what it reaches, in their order.

    Raises: LinkError for symbols, as for modules of this package.
    """
    reached = modules_of_entries(request, entries)
    asked = [
        (entry, [request.modules[at] for at in (entry.module, *(each for each in closure if each != entry.module))])
        for entry, closure in zip(entries, reached, strict=True)
    ]
    return replace(request, modules=tuple(_whole(*each, data) for each, data in zip(asked, link(asked), strict=True)))


def modules_of_entries(request: LinkRequest, entries: Sequence[ImageEntry]) -> list[tuple[int, ...]]:
    """Return the modules that each entry point needs, itself included.

    Raises: LinkError for symbols, as for modules of this package.
    """
    table = SymbolTable(request.modules)
    return [table.closure([entry.module], entry.suffix) for entry in entries]


def _whole(entry: ImageEntry, items: Sequence[LinkModule], data: bytes) -> LinkModule:
    own = items[0]
    several = len(own.module.entry_points) > 1
    attributes = {
        "entries": optimized_entries([entry]),
        "source": entry.source,
        MADE_FROM: json.dumps([[item.crate, item.module.name] for item in items]),
        **dict(option_attributes(options_among(own.module.attributes))),
    }
    module = ModuleCodegen(
        name=f"{own.module.name} {entry.inner}" if several else own.module.name,
        data=data,
        entry_points=(EntryPoint(entry.stage, entry.inner),),
        attributes=tuple(sorted(attributes.items())),
    )
    return LinkModule(own.crate, module)


def one_by_one(request: LinkRequest) -> list[LinkRequest]:
    """Split a request made by `with_whole_entries` into one request for each module."""
    alone = [replace(request, modules=(item,)) for item in request.modules]
    return [replace(each, part=entry.output) for each in alone for entry in entries_of(each)]
