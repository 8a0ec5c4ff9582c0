"""One image: modules linked, finalised, checked, optimised and validated.

Knows nothing of crates on disk or of who asked; it is given a request and gives bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cratewright import Artifact, LinkModule, LinkRequest, LinkResult, OptLevel
from cratewright.errors import CratewrightError, LinkError, ValidationError

from . import reflect
from .checks import check
from .demangle import demangle
from .finalize import EntryKey, finalize, keep_entry_points, rename_entry_points, strip_names
from .lines import lines_for_linker
from .names import Entry, spv_environment
from .passes import passes_for
from .symbols import Resolution
from .tools import Tools, ValidatorOptions

__all__ = ["link_image"]


@dataclass(frozen=True, slots=True)
class _Image:
    """What is being made, and where notes of it go."""

    request: LinkRequest
    path: str
    entries: tuple[Entry, ...]
    dumps: list[Artifact]

    def dump(self, option: str, name: str, data: bytes) -> None:
        """Keep a copy in the directory that a dump option names, if it does."""
        directory = self.request.options.text(option)
        if directory:
            self.dumps.append(Artifact(f"{directory}/{name}", data, dump=True))


def link_image(request: LinkRequest, path: str, entries: Sequence[Entry], tools: Tools) -> LinkResult:
    """Make one image of a request's modules, with the given entry points in it.

    Shape: `path` is the image's, relative to the output directory. The report is JSON: sizes, entry points.
    Raises: LinkError for symbols, stages and recursion; ValidationError if the image breaks its target's rules.
    """
    image = _Image(request, path, tuple(entries), [])
    try:
        return _link(image, tools)
    except CratewrightError as error:
        raise error.leaving((dump.path, dump.data) for dump in image.dumps) from error


def _link(image: _Image, tools: Tools) -> LinkResult:
    request, path = image.request, image.path
    for item in request.modules:
        image.dump("dump_pre_link", f"{item.crate}.{item.module.name.replace('/', '.')}", item.module.data)
    linked = _merge(image, tools)
    image.dump("dump_post_link", f"{request.crate}.{path.replace('/', '.')}", linked)
    diagnostics, optimised = _optimise(image, linked, tools)
    if request.options.text("spirv_metadata") == "name-variables":
        optimised = strip_names(optimised, True, name=path)
    _validate(image, optimised, tools)
    artifacts = [Artifact(path, optimised)]
    if request.options.flag("disassemble"):
        text = tools.disassemble(optimised, env=request.target)
        artifacts.append(Artifact(path.removesuffix(".spv") + ".spvasm", text.encode()))
    report = _report(image, linked, optimised)
    return LinkResult(artifacts=(*artifacts, *image.dumps), report=report, diagnostics=diagnostics)


def _merge(image: _Image, tools: Tools) -> bytes:
    """Return a module that needs nothing: one group of entry points after another, then all together."""
    resolution = Resolution(image.request.modules)
    groups = _groups(image, resolution)
    parts = [_merge_group(image, roots, modules, tools) for roots, modules in groups]
    merged = (
        parts[0] if len(parts) == 1 else tools.link(lines_for_linker(parts), env=spv_environment(image.request.target))
    )
    if len(parts) > 1:
        merged = finalize(
            merged, name=image.path, initialisers=(), preserve_bindings=image.request.options.flag("preserve_bindings")
        )
    image.dump("dump_post_split", f"{image.request.crate}.{image.path.replace('/', '.')}", merged)
    return merged


def _groups(image: _Image, resolution: Resolution) -> list[tuple[tuple[Entry, ...], tuple[int, ...]]]:
    """Return entry points that can share one link, with the modules it takes.

    Only functions that differ by stage keep entry points apart: two modules then offer one name.
    """
    closures = {entry: resolution.closure([entry.module], entry.suffix) for entry in image.entries}
    together = tuple(sorted({index for modules in closures.values() for index in modules}))
    if not _clash(image.request.modules, together):
        return [(image.entries, together)]
    by_stage: dict[str, list[Entry]] = {}
    for entry in image.entries:
        by_stage.setdefault(entry.suffix, []).append(entry)
    return [
        (tuple(group), tuple(sorted({index for entry in group for index in closures[entry]})))
        for group in by_stage.values()
    ]


def _clash(modules: Sequence[LinkModule], chosen: Sequence[int]) -> bool:
    names = [symbol.name for index in chosen for symbol in modules[index].module.exports]
    return len(names) > len(set(names))


def _merge_group(image: _Image, entries: Sequence[Entry], modules: Sequence[int], tools: Tools) -> bytes:
    request = image.request
    items = [request.modules[index] for index in modules]
    parts = [
        _renamed(item, [entry for entry in entries if entry.module == index])
        for index, item in zip(modules, items, strict=True)
    ]
    if len(items) == 1 and not items[0].module.exports and not items[0].module.imports:
        return parts[0]  # a shader that stands alone was finished by its compiler
    try:
        linked = tools.link(lines_for_linker(parts), env=spv_environment(request.target))
    except LinkError as error:
        raise _readable(error, items) from error
    image.dump("dump_post_merge", f"{request.crate}.{image.path.replace('/', '.')}", linked)
    initialisers = [name for item in items if (name := item.module.attribute("initialiser"))]
    finished = finalize(
        linked,
        name=image.path,
        initialisers=initialisers,
        preserve_bindings=request.options.flag("preserve_bindings"),
    )
    check(finished, name=image.path, describe=_describer(items))
    return finished


def _renamed(item: LinkModule, entries: Sequence[Entry]) -> bytes:
    """Return a module with only the entry points that the image is to have, under the names it gives them."""
    data, name = item.module.data, item.module.name
    keep = [(entry.stage, entry.own_name) for entry in entries]
    if len(keep) < len(item.module.entry_points):
        data = keep_entry_points(data, keep, name=name)
    renames: Mapping[EntryKey, str] = {
        (entry.stage, entry.own_name): entry.name for entry in entries if entry.name != entry.own_name
    }
    return rename_entry_points(data, renames, name=name) if renames else data


def _describer(items: Sequence[LinkModule]) -> Callable[[str], str]:
    places = {
        symbol.name: f"{symbol.display} ({symbol.file}:{symbol.line})"
        for item in items
        for symbol in item.module.exports
    }
    return lambda name: places.get(name) or demangle(name)


def _readable(error: LinkError, items: Sequence[LinkModule]) -> LinkError:
    """Say in source terms what the linker says in mangled ones, and who needs and offers the symbol."""
    text = str(error)
    for item in items:
        for symbol in item.module.exports:
            if f'"{symbol.name}"' in text or f"'{symbol.name}'" in text or symbol.name in text:
                needs = [
                    f"crate '{other.crate}', {need.file}:{need.line}"
                    for other in items
                    for need in other.module.imports
                    if need.name == symbol.name
                ]
                what = "the declaration and the definition differ" if "mismatch" in text.lower() else "cannot be linked"
                return LinkError(
                    f"`{symbol.display}`: {what}",
                    context=[
                        ("defined by", f"crate '{item.crate}', {symbol.file}:{symbol.line}"),
                        *(("needed by", place) for place in needs),
                        ("linker", error.message),
                    ],
                    hint="make return type and parameter qualifiers the same in both",
                )
    return error


def _optimise(image: _Image, data: bytes, tools: Tools) -> tuple[tuple[str, ...], bytes]:
    options = image.request.options
    passes = passes_for(options)
    if not passes:
        return (), data
    if not options.flag("spirv_opt"):
        reason = f"opt_level={options.opt_level.value}, debuginfo={options.debuginfo.value}"
        return (f"{image.path}: warning: the optimiser should run ({reason}) but spirv_opt is off",), data
    try:
        return (), tools.optimize(
            data,
            env=image.request.target,
            passes=passes,
            validator=None,  # what comes out is validated
            preserve_bindings=options.flag("preserve_bindings"),
        )
    except CratewrightError as error:
        raise error.with_context(("image", image.path)) from error


def _validator(request: LinkRequest) -> ValidatorOptions:
    flag = request.options.flag
    return ValidatorOptions(
        relax_struct_store=flag("relax_struct_store"),
        relax_logical_pointer=flag("relax_logical_pointer"),
        relax_block_layout=flag("relax_block_layout"),
        uniform_buffer_standard_layout=flag("uniform_buffer_standard_layout"),
        scalar_block_layout=flag("scalar_block_layout"),
        skip_block_layout=flag("skip_block_layout"),
    )


def _validate(image: _Image, data: bytes, tools: Tools) -> None:
    if not image.request.options.flag("spirv_val"):
        return
    try:
        tools.validate(data, env=image.request.target, options=_validator(image.request))
    except ValidationError as error:
        raise ValidationError(
            f"{image.path} breaks the rules of {image.request.target}",
            context=(("validator", error.message), *error.context, ("made from", _sources(image))),
            hint=error.hint or "nothing was written; spirv_val=False skips this check",
        ) from error


def _sources(image: _Image) -> str:
    return " ".join(sorted({f"{item.crate}/{item.module.name}" for item in image.request.modules}))


def _report(image: _Image, linked: bytes, data: bytes) -> str:
    interface = reflect.interface(linked, name=image.path)
    if image.request.options.opt_level is not OptLevel.NONE:
        # Optimising drops what is not used, but names as well.
        named, interface = interface, reflect.interface(data, name=image.path)
        _restore_names(interface, named)
    document = {
        "size": len(data),
        "size_before_optimisation": len(linked),
        "instructions": reflect.instruction_count(data),
        "crates": sorted({item.crate for item in image.request.modules}),
        "entries": interface["entry_points"],
        "spec_constants": interface["spec_constants"],
    }
    return json.dumps(document, sort_keys=True)


def _restore_names(interface: reflect.Row, named: reflect.Row) -> None:
    """Take names from the image before its debug names were stripped; a host looks resources up by them."""
    known = {place: row["name"] for place, row in _places(named)}
    for place, row in _places(interface):
        row["name"] = row["name"] or known.get(place, "")


def _places(interface: reflect.Row) -> Iterator[tuple[tuple[object, ...], reflect.Row]]:
    """Yield every named row of an interface with the numbers by which a host binds it."""
    entries, constants = interface["entry_points"], interface["spec_constants"]
    assert isinstance(entries, list) and isinstance(constants, list)
    for row in constants:
        yield ("spec_constants", row["id"]), row
    for entry in entries:
        for kind in ("descriptors", "inputs", "outputs"):
            for row in entry[kind]:
                numbers = (row.get(word) for word in ("set", "binding", "location", "component"))
                yield (entry["stage"], entry["name"], kind, *numbers), row
