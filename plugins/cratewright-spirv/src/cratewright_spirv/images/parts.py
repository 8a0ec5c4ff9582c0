"""Into which parts LTO and the link are split, and the memory that a part takes."""

from __future__ import annotations

from collections.abc import Sequence

from cratewright import LinkPart, LinkRequest, LtoMode

from ..base.names import ImageEntry, entries_of
from ..link.dumps import leaving_inputs
from ..link.symbols import closures

_SHADER_MEMORY = 80 << 20
"""Bytes that the optimizer may need for even a small shader, because it unrolls loops."""
_MEMORY_FACTOR = 40
"""Additional bytes per byte of linked code."""


def lto_parts(request: LinkRequest) -> tuple[LinkPart, ...]:
    """Return a part for each entry point, with the modules that it reaches."""
    entries = entries_of(request)
    reached = _reached(request, entries)
    return tuple(LinkPart(entry.output, modules) for entry, modules in zip(entries, reached, strict=True))


def lto_memory(request: LinkRequest, parts: Sequence[LinkPart]) -> int:
    """Return the bytes for optimizing the modules together, or those of the largest part.

    Source: growth of workers in `examples/llama-shaders`, fat: at most 81 MiB for 0.36 MB of modules, 68 for 3.7,
    205 for 6.5.
    """
    sizes = [len(item.module.data) for item in request.modules]
    if request.lto is LtoMode.FAT:
        return _SHADER_MEMORY + _MEMORY_FACTOR * sum(sizes)
    return _SHADER_MEMORY + _MEMORY_FACTOR * max((sum(sizes[at] for at in part.modules) for part in parts), default=0)


def link_parts(request: LinkRequest) -> tuple[LinkPart, ...]:
    """Return a part for each image, with the modules that its entry points reach."""
    entries = entries_of(request)
    multimodule = request.options.flag("multimodule")
    if request.lto is LtoMode.FAT or (request.lto is not LtoMode.OFF and not multimodule):
        return (LinkPart("", tuple(range(len(request.modules)))),)
    if request.lto is not LtoMode.OFF:
        return tuple(LinkPart(entry.output, (entry.module,)) for entry in entries)
    reached = _reached(request, entries)
    if multimodule:
        return tuple(LinkPart(entry.output, modules) for entry, modules in zip(entries, reached, strict=True))
    return (LinkPart("", tuple(sorted({index for modules in reached for index in modules}))),)


def _reached(request: LinkRequest, entries: Sequence[ImageEntry]) -> list[tuple[int, ...]]:
    """Return the modules that each entry point needs."""
    with leaving_inputs(request):
        return closures(request.modules, [(entry.module, entry.suffix) for entry in entries])
