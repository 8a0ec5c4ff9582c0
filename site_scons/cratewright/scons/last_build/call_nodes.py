"""Which call of `env.Crate` a target or a node belongs to, whether the call is executed or only recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import SCons.Node

from ..nodes.crate_target import CrateTarget, PendingTarget, is_pending
from ..nodes.node import Node
from .call import Call
from .record import CallRow, LastBuild
from .requested_targets import RequestedNode, RequestedTargets, position_of
from .taken_nodes import TakenNodes


class CallNodes:
    """The targets of calls and their nodes: SCons's own, or such as stand for them until crates are declared.

    Shape: a position is the number of a call and the index among its nodes. `declare` declares all crates.
    """

    def __init__(self, fs: Any, calls: Sequence[Call], declare: Callable[[], None]) -> None:
        self.taken = TakenNodes(fs, declare)
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
