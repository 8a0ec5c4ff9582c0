"""The manifest: what a link made, as JSON; and which variants share an image.

It has `entry_points` and `module`, as in rust-gpu's `CompileResult`, and more. Equal images of variants are written
once, under the name of the first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cratewright import Artifact, LinkRequest, LinkResult, content_digest, read_variant

from ..base.names import ImageEntry, debug_path, entries_of, image_path, manifest_name, text_path


def write_manifest(request: LinkRequest, results: Sequence[LinkResult], shared: Mapping[str, str]) -> Artifact:
    """Return the manifest of a link whose parts are given in the order of the entry points, or as one.

    Shape: `entry_points` are unique names; `module` is a path, or a mapping from those names to paths, relative
    to the manifest. `entries` has a row for each, `modules` one for each image, with sizes before and after, and
    how many modules of which crate came in. `variants`, if there are any, has a row for each entry point of each.
    `shared` are images that are not written, with an equal one that is.
    """
    entries = entries_of(request)
    multimodule = request.options.flag("multimodule")
    keys = _keys(entries)
    images: list[dict[str, Any]] = [image for result in results for image in json.loads(result.report)]
    interfaces = {
        (row["stage"], row["name"], index): row for index, image in enumerate(images) for row in image["entries"]
    }
    listed = []
    for position, (entry, key) in enumerate(zip(entries, keys, strict=True)):
        part = position if multimodule else 0
        row = dict(interfaces.get((entry.stage, entry.name, part), {}))
        row |= {"stage": entry.stage, "name": entry.name, "key": key}
        image = image_path(request.crate, entry.output if multimodule else "")
        row["module"] = shared.get(image, image)
        row["source"] = entry.source
        if entry.name != entry.own_name:
            row["renamed_from"] = entry.own_name
        listed.append(row)
    module: object = image_path(request.crate, "")
    if multimodule:
        module = {key: row["module"] for key, row in zip(keys, listed, strict=True)}
    document: dict[str, object] = {
        "crate": request.crate,
        "crate_type": request.crate_type.value,
        "target": request.target,
        "opt_level": request.options.opt_level.value,
        "entry_points": keys,
        "module": module,
        "entries": listed,
        "lto": request.lto.value,
        "modules": _modules(results, [image for image in images if image["path"] not in shared]),
    }
    if table := _variant_rows(entries, listed):
        document["variants"] = table
    return Artifact(manifest_name(request.crate), _one_line_each(document).encode())


def _one_line_each(document: Mapping[str, object]) -> str:
    """Return JSON with a line for each key and for each row of a list: easy to read, to compare and to write."""
    lines = []
    for key in sorted(document):
        value = document[key]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[\n  " + ",\n  ".join(json.dumps(row, sort_keys=True) for row in value) + "\n ]"
        else:
            text = json.dumps(value, sort_keys=True)
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _keys(entries: Sequence[ImageEntry]) -> list[str]:
    """Return a unique name for each entry point: its own if no other has it, else its source's."""
    count = Counter(entry.name for entry in entries)
    return [entry.name if count[entry.name] == 1 else entry.output for entry in entries]


def _modules(results: Sequence[LinkResult], images: Sequence[dict[str, Any]]) -> list[dict[str, object]]:
    data = {artifact.path: artifact.data for result in results for artifact in result.artifacts if not artifact.dump}
    return [
        {
            **{key: value for key, value in image.items() if key != "entries"},
            "sha256": content_digest(data[str(image["path"])]),
            "size": len(data[str(image["path"])]),
        }
        for image in images
    ]


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


def _variant_rows(entries: Sequence[ImageEntry], listed: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
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
