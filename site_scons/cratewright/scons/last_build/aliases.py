"""Aliases: those of crates are recorded like the calls that declare crates."""

from __future__ import annotations

from collections import UserList
from collections.abc import Callable, Iterator
from typing import Any

import SCons.Node
import SCons.Node.Alias
import SCons.Util

from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import is_made_for_crate
from .requested_targets import RequestedNode

_Position = tuple[int, int]


class Aliases:
    """The aliases of one run of SCons.

    Shape: `rows` as `LastBuild.aliases`; `others` are the names of aliases of anything but crates. `positions` gives
    those of the nodes that a target or a node stands for, each the number of a call and the index among its nodes; None
    for what belongs to no crate.
    """

    def __init__(self, positions: Callable[[object], list[_Position] | None]) -> None:
        self.rows: list[Any] = []
        self.others: set[str] = {*SCons.Node.Alias.default_ans}
        self._positions = positions
        self._calls: list[tuple[Callable[..., Any], Any]] = []
        self._nodes: dict[int, tuple[Node, str]] = {}

    @property
    def names(self) -> set[str]:
        """The names of all aliases of crates."""
        return {name for name, _ in self.rows}

    def read(self, target: object, source: object = None, action: object = None, **kwargs: object) -> list[Any] | None:
        """Return a row for the arguments of `env.Alias`; None for anything but a name and crates."""
        if type(target) is not str or "$" in target or target in self.others or action or kwargs:
            return None
        found = list(self._read(source))
        positions = [list(position) for position in found if position is not None]
        return [target, positions] if found and None not in found else None

    def _read(self, source: object) -> Iterator[_Position | None]:
        positions = self._positions(source)
        if positions is not None:
            yield from positions
        elif isinstance(source, (list, tuple, UserList)):
            for item in source:
                yield from self._read(item)
        else:
            yield None

    def add(self, row: list[Any], original: Callable[..., Any], env: Any, nodes: list[Node]) -> None:
        """Add an alias of crates, and the nodes that `env.Alias` returned; SCons has declared it by `original`."""
        self.rows.append(row)
        self._calls.append((original, env))
        self._nodes |= {id(node): (node, row[0]) for node in nodes}

    def add_other(self, target: object, source: object = None, *_: object, **__: object) -> bool:
        """Add an alias that is certainly of no crate; return False for any other."""
        if type(target) is not str or "$" in target or target in self.names:
            return False
        for node in SCons.Util.flatten(source or []):
            is_plain = type(node) is str or (type(node) is not RequestedNode and isinstance(node, SCons.Node.Node))
            if not is_plain or is_pending_node(node) or is_made_for_crate(node):
                return False
        self.others.add(target)
        return True

    def name_of(self, node: Node) -> str | None:
        """Return the name of an alias of crates, None for any other node."""
        return self._nodes.get(id(node), (None, None))[1]

    def make(self, node: Callable[[int, int], Node]) -> None:
        """Declare all aliases of crates to SCons; `node` gives the node at a position."""
        for (name, positions), (original, env) in zip(self.rows, self._calls, strict=True):
            original(env, name, [node(*position) for position in positions])
