"""Images of modules that LTO has optimised: one of all entry points, or one of each.

Knows nothing of how they were optimised.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from cratewright import Artifact, LinkModule, LinkRequest, LinkResult, LtoMode
from cratewright.errors import CratewrightError

from .assembly import with_entries
from .canonical import is_orderable
from .facts import Facts
from .finalize import finalize_program, only_entry_points, with_entry_names
from .image import Image, finish
from .lto import canonical_form, trimmed
from .module import parse
from .names import Entry, image_path, spv_environment
from .program import Program
from .tools import Tools

__all__ = ["link_optimised"]


def link_optimised(request: LinkRequest, entries: Sequence[Entry], tools: Tools) -> LinkResult:
    """Make images of modules that LTO has optimised.

    Shape: as of `link_image`; after fat LTO all images are made at once, for they come from one module.
    Raises: ValidationError if an image breaks its target's rules.
    """
    link = _Link(request, tools)
    noted = [facts for item in request.modules for facts in Facts.decode(item.module.attribute("facts"))]
    facts = [each.renamed(entry.stage, entry.inner, entry.name) for each, entry in zip(noted, entries, strict=True)]
    if not request.options.flag("multimodule"):
        results = [link.finish("", link.merge(entries), Facts.joined(facts))]
    elif request.lto is LtoMode.FAT:
        program = Program.of(parse(request.modules[0].module.data, request.modules[0].module.name))
        results = [
            link.finish(entry.output, link.split_off(program, entry), each)
            for entry, each in zip(entries, facts, strict=True)
        ]
    else:
        results = [link.finish(entries[0].output, request.modules[0].module.data, facts[0])]
    return LinkResult(
        artifacts=(*(each for result in results for each in result.artifacts), *link.inputs()),
        report=json.dumps([row for result in results for row in json.loads(result.report)]),
        diagnostics=tuple(line for result in results for line in result.diagnostics),
    )


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
            leftovers = (*self.inputs(), *image.dumps)
            raise error.leaving((dump.path, dump.data) for dump in leftovers) from error

    def inputs(self) -> list[Artifact]:
        """Return copies of the optimised modules, if the user wants them."""
        image = Image(self._request, "")
        for item in self._request.modules:
            image.dump("dump_pre_link", item.module.data, f"{item.crate}.{item.module.name.replace('/', '.')}")
        return image.dumps

    def merge(self, entries: Sequence[Entry]) -> bytes:
        """Return one module with all entry points, in which nothing that is equal stands twice."""
        request, tools = self._request, self._tools
        parts = [
            with_entries(item, [entry for entry in entries if entry.module == index])
            for index, item in enumerate(request.modules)
        ]
        programs = [_program(part, item) for part, item in zip(parts, request.modules, strict=True)]
        if len(parts) == 1 or all(map(is_orderable, programs)):
            return canonical_form(programs, request.options)
        linked = Program.of(
            parse(tools.link(parts, env=spv_environment(request.target)), image_path(request.crate, ""))
        )
        preserve = request.options.flag("preserve_bindings")
        return finalize_program(linked, initialisers=(), preserve_bindings=preserve).encode()

    def split_off(self, program: Program, entry: Entry) -> bytes:
        """Return a module with one entry point of an optimised program, under the name it is to have."""
        inner = (entry.stage, entry.inner)
        program = with_entry_names(only_entry_points(program, [inner]), {inner: entry.name})
        data = canonical_form([program], self._request.options)
        return trimmed(data, self._request.config, self._tools)


def _program(data: bytes, item: LinkModule) -> Program:
    return Program.of(parse(data, item.module.name))
