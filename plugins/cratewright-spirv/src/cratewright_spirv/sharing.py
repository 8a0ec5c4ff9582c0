"""What a backend shares whose images are SPIR-V too, but whose sources another compiler compiles and links.

It makes a module of each entry point with all that it needs, and from there on all is as with shaders of this package:
optimized, split, validated, told of and embedded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cratewright import EntryPoint, LinkModule, LinkRequest, ModuleCodegen, option_attributes, options_among

from .backend import SpirvBackend
from .latest_wheel import KNOWN_RELEASES, is_known_release
from .names import ImageEntry, entries_of, optimized_entries
from .stages import STAGES

if TYPE_CHECKING:
    from .symbols import SymbolTable

__all__ = [
    "KNOWN_RELEASES",
    "STAGE_SUFFIXES",
    "ImageEntry",
    "SpirvBackend",
    "is_known_release",
    "with_relative_files",
    "with_whole_entries",
]

STAGE_SUFFIXES = tuple(stage.suffix for stage in STAGES)
"""Those of files that hold the entry point of a stage."""

Link = Callable[[ImageEntry, Sequence[LinkModule]], bytes]
"""Makes the code of an entry point out of its module, which comes first, and all others that it needs."""


def with_whole_entries(request: LinkRequest, link: Link) -> LinkRequest:
    """Return a request whose modules are the entry points of its part, each linked with what it reaches.

    Raises: LinkError for symbols, as for modules of this package.
    """
    from .symbols import SymbolTable  # noqa: PLC0415 - only workers link

    entries = [entry for entry in entries_of(request) if request.part in ("", entry.output)]
    table = SymbolTable(request.modules)
    return replace(request, modules=tuple(_whole(request, entry, table, link) for entry in entries))


def _whole(request: LinkRequest, entry: ImageEntry, table: SymbolTable, link: Link) -> LinkModule:
    from .facts import MADE_FROM  # noqa: PLC0415

    closure = table.closure([entry.module], entry.suffix)
    own = request.modules[entry.module]
    items = [own, *(request.modules[index] for index in closure if index != entry.module)]
    attributes = {
        "entries": optimized_entries([entry]),
        "source": entry.source,
        MADE_FROM: json.dumps([[item.crate, item.module.name] for item in items]),
        **dict(option_attributes(options_among(own.module.attributes))),
    }
    module = ModuleCodegen(
        name=own.module.name,
        data=link(entry, items),
        entry_points=(EntryPoint(entry.stage, entry.inner),),
        attributes=tuple(sorted(attributes.items())),
    )
    return LinkModule(own.crate, module)


def with_relative_files(data: bytes, root: str) -> bytes:
    """Return a module whose files are called from a root, where a compiler put that before their names."""
    from . import lines  # noqa: PLC0415 - as above

    return lines.with_relative_files(data, root)
