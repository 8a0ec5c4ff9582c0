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

__all__ = ["Aliases"]

_Place = tuple[int, int]


class Aliases:
    """The aliases of one run of SCons.

    Shape: `rows` as in `LastBuild`; `others` are the names of aliases of no crate. `places` gives the numbers of a
    call and of places there for a target or a node, None for anything else.
    """

    def __init__(self, places: Callable[[object], list[_Place] | None]) -> None:
        self.rows: list[Any] = []
        self.others: set[str] = {*SCons.Node.Alias.default_ans}
        self._places = places
        self._calls: list[tuple[Callable[..., Any], Any]] = []
        self._nodes: dict[int, tuple[Node, str]] = {}

    @property
    def names(self) -> set[str]:
        """The names of all aliases."""
        return {name for name, _ in self.rows}

    def read(self, target: object, source: object = None, action: object = None, **more: object) -> list[Any] | None:
        """Return a row for what an SConstruct says; None for anything but a name and crates."""
        if type(target) is not str or "$" in target or target in self.others or action or more:
            return None
        found = list(self._read(source))
        return [target, list(map(list, found))] if found and None not in found else None

    def add_other(self, target: object, source: object = None, *_: object, **__: object) -> bool:
        """Note a call of `env.Alias`; return False if it may be about crates."""
        if type(target) is not str or "$" in target or target in self.names:
            return False
        for node in SCons.Util.flatten(source or []):
            is_known = type(node) is str or (type(node) is not RequestedNode and isinstance(node, SCons.Node.Node))
            if not is_known or is_pending_node(node) or is_made_for_crate(node):
                return False
        self.others.add(target)
        return True

    def _read(self, source: object) -> Iterator[Any]:
        places = self._places(source)
        if places is not None:
            yield from places
        elif isinstance(source, (list, tuple, UserList)):
            for item in source:
                yield from self._read(item)
        else:
            yield None

    def add(self, row: list[Any], usual: Callable[..., Any], env: Any, nodes: list[Node]) -> None:
        """Note a call of `env.Alias`, and the nodes that it returned."""
        self.rows.append(row)
        self._calls.append((usual, env))
        self._nodes |= {id(node): (node, row[0]) for node in nodes}

    def name_of(self, node: Node) -> str | None:
        """Return the name of an alias, None for any other node."""
        return self._nodes.get(id(node), (None, None))[1]

    def make(self, node: Callable[[int, int], Node]) -> None:
        """Declare all of them to SCons; `node` gives the node at a place of a call."""
        for (name, places), (usual, env) in zip(self.rows, self._calls, strict=True):
            usual(env, name, [node(*place) for place in places])
