"""What SCons's graph holds beside crates: files of other builders, rules of an SConstruct, variant directories."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import SCons.Node.Alias
import SCons.Node.FS

from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node


def all_nodes(fs: Any) -> Iterator[tuple[str, Node]]:
    """Yield the path and the node of each file and directory that SCons knows of."""
    for root in {id(root): root for root in fs.Root.values()}.values():
        yield from [(path, node) for path, node in root._lookupDict.items() if path.strip("/")]


def is_plain_graph(fs: Any, is_own: Callable[[Node], bool], aliases: Collection[str] = ()) -> bool:
    """Return whether the graph holds nothing but own nodes, files with a builder, plain files and these aliases.

    A plain file or directory has no rules, as `Depends` adds. Nor may there be repositories.
    """
    for _, node in all_nodes(fs):
        if is_own(node):
            continue
        if isinstance(node, SCons.Node.FS.Dir):
            # An entry has no builder if an action was added before SCons looked it up as a directory.
            builder = getattr(node, "builder", None)
            if builder is not SCons.Node.FS.get_MkdirBuilder() or has_further_rules(node):
                return False
        elif not _is_made(node) and has_further_rules(node):
            return False
    return not fs.Top.repositories and {*SCons.Node.Alias.default_ans} <= {*aliases}


def variant_directories(fs: Any) -> list[list[Any]]:
    """Return a row for each variant directory."""
    return [
        variant_row(node)
        for _, node in all_nodes(fs)
        if isinstance(node, SCons.Node.FS.Dir) and not is_pending_node(node) and node.srcdir is not None
    ]


def variant_row(directory: Node) -> list[Any]:
    """Return the path of a variant directory and of its sources, and whether SCons duplicates them there."""
    return [str(directory.abspath), str(directory.srcdir.abspath), bool(directory.duplicate)]


def made_by_others(fs: Any, is_own: Callable[[Node], bool]) -> dict[str, Node]:
    """Return the files that other builders make, by path."""
    return {
        path: node
        for path, node in all_nodes(fs)
        if not is_own(node) and not isinstance(node, SCons.Node.FS.Dir) and _is_made(node)
    }


def _is_made(node: Node) -> bool:
    return bool(node.has_builder() or node.side_effect)


def has_further_rules(node: Node) -> bool:
    """Return whether a node has rules other than its builder, as `Depends` adds."""
    rules = (node.depends, node.ignore, node.prerequisites, node.side_effects, node.side_effect, node.always_build)
    executor = getattr(node, "executor", None)
    return any(rules) or bool(getattr(executor, "pre_actions", None) or getattr(executor, "post_actions", None))
