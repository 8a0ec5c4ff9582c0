"""Which crate a node is made from, whether by a stage or by a command that was given a stage's output."""

from __future__ import annotations

from typing import Any

import SCons.Node.FS

from ...base.errors import GraphError
from .stages import CrateStages

MADE_SUFFIXES = (".rlink", ".rlib", ".lto")
"""Suffixes of the files between stages."""


def crate_stages_of(node: object) -> CrateStages | None:
    """Return the stages of the crate that an `.rlink`, an rlib or a result of LTO is made from; None if of no crate.

    Raises: GraphError if it is made from several.
    """
    if not isinstance(node, (SCons.Node.FS.File, SCons.Node.FS.Entry)) or not node.name.endswith(MADE_SUFFIXES):
        return None
    found: dict[int, CrateStages] = {}
    seen: set[Any] = set()
    todo: list[Any] = [node]
    while todo:
        item = todo.pop()
        if item in seen:
            continue
        seen.add(item)
        stages = getattr(item.attributes, "crate_stages", None)
        if stages is not None:
            found[id(stages)] = stages
        else:
            todo += item.sources
    if len(found) > 1:
        names = " ".join(sorted(stages.declared.name for stages in found.values()))
        raise GraphError(f"{node} is made of several crates", context=(("crates", names),), hint="make one for each")
    return next(iter(found.values()), None)
