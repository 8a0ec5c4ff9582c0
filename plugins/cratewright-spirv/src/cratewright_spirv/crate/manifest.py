"""The manifest: what a link made, as JSON.

It has `entry_points` and `module`, as in rust-gpu's `CompileResult`, and more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cratewright import Artifact, LinkRequest, LinkResult, content_digest

from ..base.names import ImageEntry, entries_of, image_path, manifest_name
from .variant_table import variant_rows

__all__ = ["write_manifest"]


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
    if table := variant_rows(entries, listed):
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
