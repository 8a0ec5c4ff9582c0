"""Nodes of crates to which the SConstruct has added nothing, such as dependencies or actions."""

from __future__ import annotations

import SCons.Node.FS

from ..graph.plain_graph import has_further_rules
from ..nodes.builders import StageBuilder
from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import stage_of


def is_unmodified(node: Node) -> bool:
    """Return whether a node is pending, or belongs to a crate and the SConstruct has added nothing to it."""
    return is_pending_node(node) or _is_crate_node(node)


def _is_crate_node(node: Node) -> bool:
    """Return whether a node belongs to a crate and the SConstruct has added nothing to it."""
    if stage_of(node) is not None:
        return type(node.builder) is StageBuilder and not has_further_rules(node) and not _entries(node)
    images = getattr(node.attributes, "crate_images", None)
    if images is None or not isinstance(node, SCons.Node.FS.Dir):
        return False
    # It depends on its manifest, whose executor has its actions.
    rules = (_entries(node), node.ignore, node.prerequisites, node.side_effects, node.always_build)
    return list(node.depends) == [images.manifest] and not any(rules)


def _entries(node: Node) -> set[str]:
    return set(node.entries) - {".", ".."} if isinstance(node, SCons.Node.FS.Dir) else set()
