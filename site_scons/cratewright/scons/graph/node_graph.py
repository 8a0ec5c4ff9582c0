"""What SCons's nodes are made from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ..nodes.stage import stage_of


def made_with(node: Any) -> set[Any]:
    """Return all nodes that are made by what makes a node."""
    executor = node.get_executor(create=0)
    return {node} if executor is None else {node, *executor.get_all_targets()}


def chain_between(node: Any, goals: Collection[Any]) -> list[Any]:
    """Return a chain of nodes from a node to a goal, each made from the next; nothing if there is none."""
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
    """Yield the nodes from which SCons and its stage know that a node is made, or which must be made first."""
    # SCons clears nodes that have been made.
    for nodes in (node.sources, node.depends, node.implicit, node.prerequisites):
        yield from nodes or ()
    stage = stage_of(node)
    if stage is not None and node.implicit is None:
        yield from stage.dependencies()
