"""Makes images from modules that LTO has optimized: one for all entry points, or one for each."""

from __future__ import annotations

from collections.abc import Sequence

from cratewright import CratewrightError, LinkRequest, LinkResult, LtoMode

from ..base.names import ImageEntry, image_path
from ..binary.module import parse
from ..binary.program import Program
from ..binary.workgroup import size_by_entry_point, size_by_module
from ..link.dumps import inputs
from ..reflection.facts import Facts
from ..spirv_tools.tools import Tools
from ..transforms.canonical import canonical_programs
from ..transforms.finalize import only_entry_points, with_entry_names
from .image import Image, finish, joined
from .lto import join_programs, parts_of, trimmed

__all__ = ["link_optimized"]


def link_optimized(request: LinkRequest, entries: Sequence[ImageEntry], tools: Tools) -> LinkResult:
    """Make images of modules that LTO has optimized.

    Shape: as of `link_image`; after fat LTO all images are made at once, for they come from one module.
    Raises: ValidationError if an image breaks its target's rules.
    """
    link = _Link(request, tools)
    noted = [facts for item in request.modules for facts in Facts.decode(item.module.attribute("facts"))]
    facts = [each.renamed(entry.stage, entry.inner, entry.name) for each, entry in zip(noted, entries, strict=True)]
    if not request.options.flag("multimodule"):
        results = [link.finish("", link.merge(entries), Facts.joined(facts))]
    elif request.lto is LtoMode.FAT:
        images = zip(entries, link.split(entries), facts, strict=True)
        results = [link.finish(entry.output, data, each) for entry, data, each in images]
    else:
        results = [link.finish(entries[0].output, request.modules[0].module.data, facts[0])]
    return joined([*results, LinkResult(artifacts=inputs(request), report="[]")])


class _Link:
    def __init__(self, request: LinkRequest, tools: Tools) -> None:
        self._request = request
        self._tools = tools

    def finish(self, output: str, data: bytes, facts: Facts) -> LinkResult:
        image = Image(self._request, image_path(self._request.crate, output))
        image.dump("dump_post_split", data)
        try:
            return finish(image, data, facts, self._tools)
        except CratewrightError as error:
            leftovers = (*inputs(self._request), *image.dumps)
            raise error.leaving((dump.path, dump.data) for dump in leftovers) from error

    def merge(self, entries: Sequence[ImageEntry]) -> bytes:
        """Return one module with all entry points, without duplicates."""
        request, tools = self._request, self._tools
        programs = self._programs(entries)
        if len(programs) > 1:
            programs = [size_by_entry_point(program) for program in programs]
        data = join_programs(programs, request.config, tools)
        whole = Program.of(parse(data, image_path(request.crate, "")))
        sized = size_by_module(whole, target=request.target)
        return data if sized is whole else canonical_programs([sized], request.options)

    def split(self, entries: Sequence[ImageEntry]) -> list[bytes]:
        """Return a module for each entry point, from the one that fat LTO made."""
        config, tools, images = self._request.config, self._tools, list[bytes]()
        for program in self._programs(entries):
            data = canonical_programs([size_by_module(program, target=config.target)], config.options)
            images.append(trimmed(data, config, tools))
        return images

    def _programs(self, entries: Sequence[ImageEntry]) -> list[Program]:
        """Return a program for each entry point alone, under its new name; each module is read once."""
        where: dict[tuple[int, str, str], Program] = {}
        for index, item in enumerate(self._request.modules):
            for data in parts_of(item.module):
                program = Program.of(parse(data, item.module.name))
                where.update({(index, entry.stage, entry.name): program for entry in program.entries()})
        alone: list[Program] = []
        for entry in entries:
            inner = (entry.stage, entry.inner)
            program = only_entry_points(where[entry.module, entry.stage, entry.inner], [inner])
            alone.append(with_entry_names(program, {inner: entry.name}) if entry.name != entry.inner else program)
        return alone
