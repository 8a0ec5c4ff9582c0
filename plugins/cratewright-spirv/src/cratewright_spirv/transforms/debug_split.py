"""Debug information in a file beside the image: everything is compiled, optimized and linked twice.

The image is made from what was compiled without debug information, so it is the same as with `debuginfo="none"`; the
file beside it is made from what was compiled with it. Both pass through all steps as one value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest

from cratewright import (
    Artifact,
    CompiledUnit,
    DebugInfo,
    LinkRequest,
    LinkResult,
    ModuleCodegen,
    ModuleConfig,
    Options,
    UnitStencil,
    UnsupportedError,
    content_digest,
)

from ..base.names import debug_path
from ..binary import opcodes as op
from ..binary.debug_info import has_debug_info
from ..binary.enumerants import BUILT_IN, WORKGROUP_SIZE
from ..binary.lines import only_lines, without_debug_info
from ..binary.module import parse
from ..binary.program import Program, trim
from .canonical import canonical, is_orderable
from .canonical_module import Names
from .debug_pair import AnyModule, attributes_within, half, pair
from .finalize import only_entry_points


def at_level(request: LinkRequest) -> LinkRequest:
    """Return a request whose modules have no more debug information than their result may have."""
    level = request.options.debuginfo
    return replace(
        request,
        modules=tuple([replace(item, module=_at_level(item.module, level)) for item in request.modules]),
    )


def _at_level(module: ModuleCodegen, level: DebugInfo) -> ModuleCodegen:
    module = half(module, debug=level is not DebugInfo.NONE)
    if level is DebugInfo.FULL or not has_debug_info(module.data):
        return module
    return replace(module, data=(without_debug_info if level is DebugInfo.NONE else only_lines)(module.data))


def compiled_twice(stencil: UnitStencil, compiled: Callable[[UnitStencil], CompiledUnit]) -> CompiledUnit:
    """Return the modules of a source, each without and with debug information.

    Shape: a library that differs by stage in only one of the two forms is split as finely as that form.
    Raises: what `compiled` does; UnsupportedError if modules of both do not match.
    """
    # A source is dumped once.
    silent = {name: "" for name, _ in stencil.options.values if name == "dump_source"}
    plain = compiled(replace(stencil, options=_options(stencil.options, debug=False).override(silent)))
    full = compiled(replace(stencil, options=_options(stencil.options, debug=True)))
    names = [{module.name for module in each.modules} for each in (plain, full)]
    if 1 not in map(len, names) and names[0] != names[1]:
        raise UnsupportedError(
            f"{stencil.path}: it depends on the stage differently with debug information than without",
            hint="set strip='none' for its crate",
        )
    filled = [each.modules[0] if len(each.modules) == 1 else None for each in (plain, full)]
    pairs = [(one or filled[0], other or filled[1]) for one, other in zip_longest(plain.modules, full.modules)]
    finer_is_full = len(full.modules) > len(plain.modules)
    modules = [_renamed(pair(one, other), other if finer_is_full else one) for one, other in pairs if one and other]
    observed = {each.path: each for each in (*plain.observed, *full.observed)}
    return CompiledUnit(
        modules=tuple(modules),
        observed=tuple(observed.values()),
        diagnostics=tuple(dict.fromkeys((*plain.diagnostics, *full.diagnostics))),
        dumps=full.dumps,
    )


def made_twice(request: LinkRequest, make: Callable[[LinkRequest], AnyModule]) -> AnyModule:
    """Return what LTO makes of a request, without and with debug information."""
    return pair(*(make(_request(request, debug=debug)) for debug in (False, True)))


def optimized_twice(
    module: AnyModule, config: ModuleConfig, optimize: Callable[[AnyModule, ModuleConfig], ModuleCodegen]
) -> ModuleCodegen:
    """Return both modules of a pair, each optimized as its half of the options says."""
    halves = []
    for debug in (False, True):
        options = _options(config.options, debug=debug)
        halves.append(optimize(half(module, debug=debug), replace(config, options=options)))
    return pair(halves[0], replace(halves[1], attributes=halves[1].attributes or tuple(attributes_within(module.data))))


def linked_twice(request: LinkRequest, link: Callable[[LinkRequest], LinkResult]) -> LinkResult:
    """Return images without debug information, each with the file beside it that has it.

    Shape: a row of the report says of the file its path, digest and size, and whether it has the `same_code`.
    Raises: as `link`, which runs first with debug information, so that errors have places.
    """
    full = link(_request(request, debug=True))
    plain = link(_request(request, debug=False))
    data = {each.path: each.data for each in full.artifacts if not each.dump}
    images = {each.path: each.data for each in plain.artifacts if not each.dump}
    rows, files = json.loads(plain.report), list[Artifact]()
    for row in rows:
        path, debug = row["path"], data[row["path"]]
        files.append(Artifact(debug_path(path), debug))
        row["debug"] = {
            "path": debug_path(path),
            "same_code": _same_code(images[path], debug),
            "sha256": content_digest(debug),
            "size": len(debug),
        }
    return replace(plain, artifacts=(*plain.artifacts, *files), report=json.dumps(rows, sort_keys=True))


def _same_code(image: bytes, debug: bytes) -> bool:
    """Return whether entry points of two modules are equal except for debug information, ids and shared parts."""
    programs = [_sizeless(Program.of(parse(data, "image"))) for data in (image, without_debug_info(debug))]
    if not all(map(is_orderable, programs)):
        return image == without_debug_info(debug)
    return all(
        canonical([trim(only_entry_points(programs[0], [key]))], names=Names.NONE)
        == canonical([trim(only_entry_points(programs[1], [key]))], names=Names.NONE)
        for key in [(entry.stage, entry.name) for entry in programs[0].entries()]
    )


def _sizeless(program: Program) -> Program:
    """Return a program without its WorkgroupSize decoration, which the optimizer drops if nothing reads it."""
    kept = (
        words
        for words in program.preamble
        if words[0] & 0xFFFF != op.DECORATE or words[2:4] != (BUILT_IN, WORKGROUP_SIZE)
    )
    return replace(program, preamble=tuple(kept))


def _request(request: LinkRequest, *, debug: bool) -> LinkRequest:
    modules = tuple([replace(item, module=half(item.module, debug=debug)) for item in request.modules])
    return replace(request, options=_options(request.options, debug=debug), modules=modules)


def _options(options: Options, *, debug: bool) -> Options:
    return options.override({"strip": "none"} if debug else {"strip": "none", "debuginfo": DebugInfo.NONE.value})


def _renamed(pair: ModuleCodegen, finer: ModuleCodegen) -> ModuleCodegen:
    """Return a pair with the name and stages of the form that has more modules."""
    words = dict(pair.attributes) | {key: finer.attribute(key) for key in ("member", "stages") if finer.attribute(key)}
    return replace(pair, name=finer.name, attributes=tuple(sorted(words.items())))
