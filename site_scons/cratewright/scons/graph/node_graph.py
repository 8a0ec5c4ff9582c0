"""What SCons's nodes are made from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ..nodes.stage import stage_of

__all__ = ["made_from", "made_with", "way_back"]


def made_with(node: Any) -> set[Any]:
    """Return all nodes that are made by what makes a node."""
    executor = node.get_executor(create=0)
    return {node} if executor is None else {node, *executor.get_all_targets()}


def way_back(node: Any, goals: Collection[Any]) -> list[Any]:
    """Return the nodes by which a node is made from one of others, both included; nothing if it is not."""
    before: dict[Any, Any] = {node: None}
    todo = [node]
    while todo:
        item = todo.pop()
        if item in goals:
            chain = [item]
            while before[chain[-1]] is not None:
                chain.append(before[chain[-1]])
            return chain[::-1]
        for child in made_from(item):
            if child not in before:
                before[child] = item
                todo.append(child)
    return []


def made_from(node: Any) -> Iterator[Any]:
    """Yield the nodes that a node is made from, or needs to be made first, as far as SCons and its stage know."""
    # SCons clears nodes that have been made.
    for nodes in (node.sources, node.depends, node.implicit, node.prerequisites):
        yield from nodes or ()
    stage = stage_of(node)
    if stage is not None and node.implicit is None:
        yield from stage.dependencies()
