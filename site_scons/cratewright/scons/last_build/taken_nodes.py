"""Nodes that an SConstruct takes from crates that are not declared yet."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any

import SCons.Util

from ..nodes.node import Node
from ..nodes.pending_node import PendingNodes
from .record import CallRow


class TakenNodes:
    """The nodes of recorded calls, as far as an SConstruct has taken them.

    Shape: `declare` as in `PendingNodes`. A call is given by its number and its row in `LastBuild.calls`.
    """

    def __init__(self, fs: Any, declare: Callable[[], None]) -> None:
        self._pending = PendingNodes(fs, declare)
        self._rows: dict[int, list[str]] = {}
        self._nodes: dict[int, dict[str, Node]] = {}

    def __iter__(self) -> Iterator[tuple[int, int, Node]]:
        """Yield the number of the call, the index among its nodes, and the node."""
        for number, nodes in self._nodes.items():
            for index, path in enumerate(self._rows[number]):
                if path in nodes:
                    yield number, index, nodes[path]

    def __len__(self) -> int:
        return sum(map(len, self._nodes.values()))

    def nodes(self, number: int, row: CallRow) -> list[Node]:
        """Return the nodes of a call's target."""
        return [self._node(number, row, path) for path in row[1]]

    def parts(self, number: int, row: CallRow) -> dict[str, Any]:
        """Return the attributes of a call's target."""
        parts = dict(row[2])
        for name, value in row[2].items():
            if name == "images":
                parts[name] = {entry: self._node(number, row, path) for entry, path in value.items()}
            elif name == "emitted":
                parts[name] = SCons.Util.NodeList([self._node(number, row, path) for path in value])
            elif name not in ("name", "key") and value is not None:
                parts[name] = self._node(number, row, value)
        return parts

    def alias(self, name: str) -> Node:
        """Return the node of an alias."""
        return self._pending.alias(name)

    def end(self) -> None:
        """Turn all of them into ordinary SCons nodes, and those that are still to come."""
        self._pending.end()

    def leave_alone(self, executed: Container[int]) -> None:
        """Have SCons leave the files of calls that are not executed alone: it takes them for sources, which it would
        duplicate in a variant directory.
        """
        from ..nodes.made_file import never_duplicate  # noqa: PLC0415 - only if something differs

        for number, nodes in self._nodes.items():
            if number not in executed:
                for node in nodes.values():
                    never_duplicate(node)

    def _node(self, number: int, row: CallRow, path: str) -> Node:
        self._rows[number] = row[1]
        nodes = self._nodes.setdefault(number, {})
        if path not in nodes:
            nodes[path] = self._pending.node(path)
        return nodes[path]
