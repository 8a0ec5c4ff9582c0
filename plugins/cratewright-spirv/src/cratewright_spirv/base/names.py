"""The names of entry points and images."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from cratewright import (
    VARIANT,
    CrateType,
    LinkError,
    LinkRequest,
    ModuleCodegen,
    Options,
    OutputError,
    check_output_path,
    dataclass,
)

from .stages import STAGE_WORDS

_LANGUAGE_SUFFIXES = (".glsl", ".hlsl", ".slang", ".spvasm", ".spv")
_SPIRV = {
    **{"vulkan1.0": "spv1.0", "vulkan1.1": "spv1.3", "vulkan1.2": "spv1.5"},
    **dict.fromkeys(("vulkan1.3", "vulkan1.4"), "spv1.6"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEntry:
    """An entry point of the crate that is linked.

    Shape: `module` is a position in the request; `own_name` is its name in the source, `inner` in the input module,
    `name` in the image; `output` is the base name of an image that holds it alone. `variant` is its key if it is a
    variant.
    """

    module: int
    stage: str
    own_name: str
    inner: str
    name: str
    output: str
    source: str
    variant: str = ""

    @property
    def suffix(self) -> str:
        """The stage's suffix word, such as `comp`."""
        return STAGE_WORDS[self.stage]


def entries_of(request: LinkRequest) -> tuple[ImageEntry, ...]:
    """Return the entry points of the crate's own modules, in order.

    Shape: in a single module, only names that clash within a stage are replaced, by names made from the source.
    Raises: LinkError if two would be written to one file, or if there is none.
    """
    entries = [
        entry
        for index, item in enumerate(request.modules)
        if item.crate == request.crate
        for entry in _entries_of_module(index, item.module)
    ]
    if not entries:
        raise LinkError(
            f"crate '{request.crate}' has no entry point",
            hint="give it a source with a stage (such as .comp) and a main function, or make it an rlib",
        )
    _refuse_shared_outputs(request, entries)
    if request.options.flag("multimodule"):
        _refuse_other_places(request, entries)
    return tuple(entries) if request.options.flag("multimodule") else _without_clashes(entries)


def optimized_entries(entries: Iterable[ImageEntry]) -> str:
    """Return the attributes by which `entries_of` recognises the entry points of a module made by LTO."""
    return json.dumps(
        [[each.stage, each.own_name, each.inner, each.output, each.source, each.variant] for each in entries]
    )


def _entries_of_module(index: int, module: ModuleCodegen) -> list[ImageEntry]:
    rows = json.loads(module.attribute("entries") or "[]") or [
        (
            entry.stage,
            entry.name,
            entry.name,
            _output(module, entry.stage, entry.name),
            module.attribute("source"),
            module.attribute(VARIANT),
        )
        for entry in module.entry_points
    ]
    return [
        ImageEntry(
            module=index,
            stage=stage,
            own_name=own,
            inner=inner,
            name=own,
            output=output,
            source=source,
            variant=variant,
        )
        for stage, own, inner, output, source, variant in rows
    ]


def _output(module: ModuleCodegen, stage: str, entry: str) -> str:
    several = bool(module.attribute("several")) or len(module.entry_points) > 1
    return output_name(
        module.name.removesuffix(module.attribute("member")), STAGE_WORDS[stage], entry if several else ""
    )


def output_name(source: str, word: str, entry: str = "") -> str:
    """Return the output name of an entry point by the name of its source, with its own if the source has several."""
    for language in _LANGUAGE_SUFFIXES:
        source = source.removesuffix(language)
    base = source.removesuffix(f".{word}")
    return f"{base}.{entry or word}"


def _refuse_shared_outputs(request: LinkRequest, entries: list[ImageEntry]) -> None:
    first: dict[str, ImageEntry] = {}
    for entry in entries:
        other = first.setdefault(entry.output, entry)
        if other is not entry:
            raise LinkError(
                f"two entry points would be written to {image_path(request.crate, entry.output)}",
                context=[("from", each.source) for each in (other, entry)],
                hint='rename one source, or give it a name of its own: (path, {"name": ...})',
            )


def _refuse_other_places(request: LinkRequest, entries: list[ImageEntry]) -> None:
    for entry in entries:
        try:
            check_output_path(image_path(request.crate, entry.output), where=entry.source)
        except OutputError as error:
            raise LinkError(
                f"{entry.source}: entry point {entry.own_name!r} cannot be part of the name of an image",
                context=error.context,
                hint="rename it, or set multimodule=False: a single module is not called after entry points",
            ) from error


def _without_clashes(entries: list[ImageEntry]) -> tuple[ImageEntry, ...]:
    count = Counter((entry.stage, entry.own_name) for entry in entries)
    taken = {(entry.stage, entry.own_name) for entry in entries if count[entry.stage, entry.own_name] == 1}
    named: list[ImageEntry] = []
    for entry in entries:
        name = entry.own_name
        if count[entry.stage, name] > 1:
            name = entry.output.removesuffix(f".{entry.suffix}")
            # A source may have the name of another's entry point; its full output name is unique.
            name = entry.output if (entry.stage, name) in taken else name
            taken.add((entry.stage, name))
        named.append(replace(entry, name=name))
    return tuple(named)


def _image_directory(crate: str) -> str:
    """Return the directory of a multi-module image, relative to the output directory."""
    return f"{crate}.spvs/"


def image_path(crate: str, output: str) -> str:
    """Return the path of an image: of one entry point, or the single module if `output` is empty."""
    return f"{_image_directory(crate)}{output}.spv" if output else f"{crate}.spv"


def object_path(crate: str) -> str:
    """Return the path of what a crate of type `object` becomes, relative to the output directory."""
    return f"{crate}.o.spv"


def text_path(image: str) -> str:
    """Return the path of an image's text, beside it."""
    return f"{image.removesuffix('.spv')}.spvasm"


def splits(options: Options) -> bool:
    """Return whether debug information is to lie beside the images."""
    return any(name == "strip" and value == "split" for name, value in options.values)


def debug_path(image: str) -> str:
    """Return the path of the file beside an image that has its debug information."""
    return f"{image.removesuffix('.spv')}.dbg.spv"


def manifest_name(crate: str) -> str:
    """Return the name of the manifest."""
    return f"{crate}.spv.json"


def output_names(crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
    """Return the manifest and the image with its text, or the directory of images; or the object."""
    if crate_type is CrateType.OBJECT:
        path = object_path(crate)
        return (path, text_path(path)) if options.flag("disassemble") else (path,)
    if options.flag("multimodule"):
        return (manifest_name(crate), _image_directory(crate))
    image = image_path(crate, "")
    texts = (text_path(image),) if options.flag("disassemble") else ()
    debug = (debug_path(image),) if splits(options) else ()
    return (manifest_name(crate), image, *texts, *debug)


def spv_environment(target: str) -> str:
    """Return the SPIR-V environment of a Vulkan one; only the former has linkage."""
    return _SPIRV[target]
