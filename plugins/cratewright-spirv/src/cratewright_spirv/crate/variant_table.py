"""The variants of a crate's sources: their values, and which share an image.

Equal images are written once, under the name of the first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from cratewright import Artifact, LinkRequest, LinkResult, read_variant

from ..base.names import ImageEntry, debug_path, entries_of, image_path, text_path

__all__ = ["shared_images", "variant_rows", "written"]


def shared_images(request: LinkRequest, results: Sequence[LinkResult]) -> dict[str, str]:
    """Return the images of variants that need not be written, each with an equal one that is.

    Shape: in a crate with one module there is nothing to share. A source without variants always has its own image.
    """
    entries = entries_of(request)
    if not request.options.flag("multimodule") or not any(entry.variant for entry in entries):
        return {}
    data = {each.path: each.data for result in results for each in result.artifacts if not each.dump}
    first: dict[bytes, str] = {}
    shared: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: bool(entry.variant)):
        image = image_path(request.crate, entry.output)
        kept = first.setdefault(data[image], image)
        if entry.variant and kept != image:
            shared[image] = kept
    return shared


def written(results: Sequence[LinkResult], shared: Collection[str]) -> tuple[Artifact, ...]:
    """Return what to write: each path once, because images of one library share a copy; nothing for shared images."""
    unwritten = {*shared, *map(text_path, shared), *map(debug_path, shared)}
    every = (each for result in results for each in result.artifacts if each.dump or each.path not in unwritten)
    return tuple({each.path: each for each in every}.values())


def variant_rows(entries: Sequence[ImageEntry], listed: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return the lookup table; `listed` are the manifest's rows of the entry points.

    Shape: `of` is the name of the unit, `key` and `values` are the variant's; `entry_point` is the entry point's key in
    the manifest, `name` what it is called in its `module`, `own_name` in the source.
    """
    return [
        {
            **read_variant(entry.variant),
            "entry_point": row["key"],
            "module": row["module"],
            "name": row["name"],
            "own_name": entry.own_name,
            "stage": entry.stage,
        }
        for entry, row in zip(entries, listed, strict=True)
        if entry.variant
    ]
