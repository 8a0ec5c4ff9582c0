"""Which call of `env.Crate` a target or a node belongs to, whether the call is executed or only recorded."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial
from typing import Any

import SCons.Node
import SCons.Util

from ..nodes.crate_target import CrateTarget, PendingTarget, is_pending
from ..nodes.node import Node
from ..nodes.pending_node import PendingNodes
from .call import Call
from .record import CallRow, LastBuild
from .requested_targets import RequestedNode, RequestedTargets, position_of


class CallNodes:
    """The targets of calls and their nodes: SCons's own, or stand-ins until crates are declared.

    Shape: a position is the number of a call and the index among its nodes. `declare` declares all crates.
    """

    def __init__(self, fs: Any, calls: Sequence[Call], declare: Callable[[], None]) -> None:
        self.taken = _TakenNodes(fs, declare)
        self._calls = calls
        self._declare = declare
        self._last_build: LastBuild | None = None
        self._requested: RequestedTargets | None = None
        self._numbers: dict[int, int] = {}
        self._positions: tuple[object, dict[int, tuple[int, int]]] = None, {}

    def __iter__(self) -> Iterator[tuple[int, int, Node]]:
        """Yield each node after its position; of calls that are not executed, those that an SConstruct has taken."""
        if self._requested is not None:
            for node in self._requested.nodes:
                yield *position_of(node), node
            yield from self.taken
        else:
            for number, call in enumerate(self._calls):
                for index, node in enumerate(call.nodes):
                    yield number, index, node

    def begin(self, last_build: LastBuild) -> None:
        """Let the nodes of the last build stand for those of calls that are not executed."""
        self._last_build = last_build
        self._requested = RequestedTargets(self._stand_ins)

    def end(self) -> None:
        """Use SCons's own nodes alone, now that all calls are executed."""
        self._last_build = None
        if self._requested is not None:
            self._requested.end()
            self._requested = None

    def end_for(self, executed: set[int]) -> None:
        """Use SCons's own nodes for executed calls; for SCons, the files of others are sources."""
        self.taken.leave_alone(executed)
        if self._requested is not None:
            self._requested.replace(executed.__contains__)

    def add(self, target: CrateTarget) -> None:
        """Number the target of the next call."""
        self._numbers[id(target)] = len(self._calls)

    def number_of(self, target: object) -> int:
        """Return the number of the call that returned a target, -1 for anything else."""
        number = self._numbers.get(id(target), -1)
        return number if number >= 0 and self._calls[number].target is target else -1

    def positions(self, target: object) -> list[tuple[int, int]] | None:
        """Return the positions of the nodes of a crate's target, or of a node of one; None for anything else."""
        number = self.number_of(target)
        if number >= 0:
            call = self._calls[number]
            if is_pending(target) or list(map(id, call.target)) == list(map(id, call.nodes)):
                nodes = self._last_build.calls[number][1] if self._last_build else call.nodes
                return [(number, index) for index in range(len(nodes))]
        if type(target) is RequestedNode:
            return [position_of(target)]
        if isinstance(target, SCons.Node.Node):
            version = len(self._calls), len(self.taken), self._last_build is None
            if self._positions[0] != version:
                self._positions = version, {id(node): (number, index) for number, index, node in self}
            position = self._positions[1].get(id(target))
            return [position] if position is not None else None
        return None

    def node(self, number: int, index: int) -> Node:
        """Return the node at a position: for SCons a source, if the call is not executed."""
        call = self._calls[number]
        if call.is_executed or self._last_build is None:
            return call.nodes[index]
        return self.taken.nodes(number, self._last_build.calls[number])[index]

    def pending_target(self, row: CallRow, take: Callable[..., Any]) -> PendingTarget:
        """Return the target of the next call, which is as in the last build.

        Shape: `take` calls a function with arguments; it returns None if crates have to be declared for that.
        """
        number = len(self._calls)
        nodes, parts = (partial(take, taken, number, row) for taken in (self.taken.nodes, self.taken.parts))
        return PendingTarget(self._declare, nodes, parts)

    def _stand_ins(self, target: CrateTarget) -> list[RequestedNode]:
        number = self.number_of(target)
        assert self._last_build is not None

        def find(index: int) -> Node:
            if not self._calls[number].is_executed:
                self._declare()
            return self._calls[number].nodes[index]

        count = len(self._last_build.calls[number][1])
        return [RequestedNode(partial(find, index), (number, index)) for index in range(count)]


class _TakenNodes:
    """The nodes of recorded calls that an SConstruct has taken.

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
        """Prevent SCons from touching the files of calls that are not executed.

        It takes them for sources, which it would duplicate in a variant directory.
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
