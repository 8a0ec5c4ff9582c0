"""Whether a cached result could have been written by a method of this backend.

Anyone who can write to a shared cache can make a result wrong; this check prevents anything worse.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from cratewright import VARIANT, CompiledUnit, FormatError, LinkResult, ModuleCodegen, ThinModule, read_variant

from ..base.stages import STAGE_WORDS
from ..reflection.facts import Facts
from ..transforms.debug_pair import attributes_within

_KEYS = {"path": str, "entries": list, "spec_constants": list, "imported": dict, "crates": list}
"""The keys of every row of a report."""


def is_readable(value: object) -> bool:
    """Return whether the texts in a value can be parsed by their users."""
    try:
        if isinstance(value, CompiledUnit):
            return all(map(_module, value.modules))
        if isinstance(value, ModuleCodegen):
            return _module(value)
        if isinstance(value, LinkResult):
            return _report(value)
        if isinstance(value, tuple):
            return all(_within(item) for item in value if isinstance(item, ThinModule))
    except (AttributeError, FormatError, KeyError, LookupError, RecursionError, TypeError, ValueError):
        return False
    return True


def _module(module: ModuleCodegen) -> bool:
    return all(entry.stage in STAGE_WORDS for entry in module.entry_points) and _within(module)


def _within(module: ModuleCodegen | ThinModule) -> bool:
    return _attributes(module.attributes) and _attributes(attributes_within(module.data))


def _attributes(attributes: Iterable[tuple[str, str]]) -> bool:
    words = dict(attributes)
    rows = json.loads(words.get("entries") or "[]")
    if not isinstance(read_variant(words.get(VARIANT, "")), dict):
        return False
    if not all(len(row) == 6 and all(isinstance(word, str) for word in row) and row[0] in STAGE_WORDS for row in rows):
        return False
    facts = Facts.decode(words.get("facts") or "[]")
    if not all(isinstance(each.size, int) and isinstance(each.instructions, int) for each in facts):
        return False
    return all(part.isdecimal() for part in words.get("parts", "").split())


def _report(result: LinkResult) -> bool:
    if not result.report:
        return True
    made = {artifact.path for artifact in result.artifacts if not artifact.dump}
    rows = json.loads(result.report)
    return isinstance(rows, list) and all(
        all(isinstance(row[key], kind) for key, kind in _KEYS.items())
        and row["path"] in made
        and all(isinstance(entry["stage"], str) and isinstance(entry["name"], str) for entry in row["entries"])
        for row in rows
    )
