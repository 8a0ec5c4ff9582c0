"""What a backend shares whose images are SPIR-V too, but whose sources another compiler compiles and links.

It makes a module of each entry point with all that it needs, and from there on all is as with shaders of this package:
optimized, split, validated, told of and embedded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cratewright import (
    EntryPoint,
    LinkModule,
    LinkRequest,
    LinkResult,
    LtoMode,
    ModuleCodegen,
    option_attributes,
    options_among,
)

from .backend import SpirvBackend
from .base.names import ImageEntry, entries_of, optimized_entries
from .base.stages import STAGES
from .compilers.latest_wheel import KNOWN_RELEASES, is_known_release

if TYPE_CHECKING:
    from .images.apart import Wanted
    from .spirv_tools.tools import Tools

__all__ = [
    "KNOWN_RELEASES",
    "STAGE_SUFFIXES",
    "Asked",
    "ImageEntry",
    "SpirvBackend",
    "entries_of",
    "entry_points_apart",
    "is_known_release",
    "joined",
    "one_by_one",
    "reached_by",
    "standing_form",
    "with_relative_files",
    "with_whole_entries",
]

STAGE_SUFFIXES = tuple(stage.suffix for stage in STAGES)
"""Those of files that hold the entry point of a stage."""

Asked = tuple[ImageEntry, Sequence[LinkModule]]
"""An entry point with its module, which comes first, and all others that it needs."""


def with_whole_entries(
    request: LinkRequest, entries: Sequence[ImageEntry], link: Callable[[Sequence[Asked]], Sequence[bytes]]
) -> LinkRequest:
    """Return a request whose modules are some entry points, each linked with what it reaches, in their order.

    Raises: LinkError for symbols, as for modules of this package.
    """
    reached = reached_by(request, entries)
    asked = [
        (entry, [request.modules[at] for at in (entry.module, *(each for each in closure if each != entry.module))])
        for entry, closure in zip(entries, reached, strict=True)
    ]
    return replace(request, modules=tuple(_whole(*each, data) for each, data in zip(asked, link(asked), strict=True)))


def reached_by(request: LinkRequest, entries: Sequence[ImageEntry]) -> list[tuple[int, ...]]:
    """Return the modules that each entry point needs, itself included.

    Raises: LinkError for symbols, as for modules of this package.
    """
    from .link.symbols import SymbolTable  # noqa: PLC0415 - only workers link

    table = SymbolTable(request.modules)
    return [table.closure([entry.module], entry.suffix) for entry in entries]


def _whole(entry: ImageEntry, items: Sequence[LinkModule], data: bytes) -> LinkModule:
    from .reflection.facts import MADE_FROM  # noqa: PLC0415

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
    """Return a request for each of the modules that `with_whole_entries` has put into one, as a part of its own."""
    alone = [replace(request, modules=(item,)) for item in request.modules]
    return [replace(each, part=entry.output) for each in alone for entry in entries_of(each)]


def joined(results: Sequence[LinkResult]) -> LinkResult:
    """Return several images as one result."""
    from .images.image import joined  # noqa: PLC0415 - only workers link

    return joined(results)


def entry_points_apart(data: bytes, wanted: Sequence[Wanted]) -> list[bytes | None]:
    """Return a module for each entry point of a program, or None for one that must be compiled alone."""
    from .images import apart  # noqa: PLC0415 - only workers link

    return apart.entry_points_apart(data, wanted)


def standing_form(request: LinkRequest, data: bytes, tools: Tools) -> bytes:
    """Return the module of one entry point in the form that does not show with whom it was compiled."""
    from .images import apart  # noqa: PLC0415 - only workers link

    return apart.standing_form(data, request.config, tools, ordered=request.lto is LtoMode.OFF)


def with_relative_files(data: bytes, root: str) -> bytes:
    """Return a module whose files are called from a root, where a compiler put that before their names."""
    from .binary import lines  # noqa: PLC0415 - as above

    return lines.with_relative_files(data, root)
