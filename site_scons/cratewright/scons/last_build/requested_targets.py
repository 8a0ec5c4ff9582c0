"""The targets to build, while the crates that make them are not declared: stand-ins for nodes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import SCons.Node.Alias
import SCons.Node.FS
import SCons.Script

from ..nodes.crate_target import CrateTarget, is_pending
from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import is_made_for_crate

_LISTS = (list, tuple, CrateTarget)
"""The lists in which an SConstruct gathers targets and nodes; a sum of targets stands for no crate."""


class RequestedNode:
    """A stand-in for a node of a crate's target, among the targets to build.

    Shape: every access goes to the node itself, which `find` gives; the stand-in equals it and has its hash. `position`
    is the number of the call and the index among its nodes.
    """

    __slots__ = ("_find", "_position")

    def __init__(self, find: Callable[[], Any], position: tuple[int, int]) -> None:
        object.__setattr__(self, "_find", find)
        object.__setattr__(self, "_position", position)

    def real(self) -> Any:
        """Return the node itself."""
        return object.__getattribute__(self, "_find")()

    def __getattribute__(self, name: str) -> Any:
        return getattr(RequestedNode.real(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(RequestedNode.real(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(RequestedNode.real(self), name)

    def __eq__(self, other: object) -> bool:
        return bool(RequestedNode.real(self) == other)

    def __hash__(self) -> int:
        return hash(RequestedNode.real(self))

    def __str__(self) -> str:
        return str(RequestedNode.real(self))

    def __fspath__(self) -> str:
        return str(os.fspath(RequestedNode.real(self)))

    def __format__(self, form: str) -> str:
        return format(RequestedNode.real(self), form)

    def __dir__(self) -> list[str]:
        return dir(RequestedNode.real(self))

    def __repr__(self) -> str:
        return repr(RequestedNode.real(self))

    def __lt__(self, other: object) -> bool:
        return bool(RequestedNode.real(self) < other)


def position_of(node: RequestedNode) -> tuple[int, int]:
    """Return the number of a node's call, and the node's index among those of the call."""
    position: tuple[int, int] = object.__getattribute__(node, "_position")
    return position


class Requested(NamedTuple):
    """The targets to build, as JSON holds them.

    Shape: whether the SConstruct has called `Default`, and SCons's three lists. A target is the position of a crate's
    node as a list, an alias or a word of the command line as text, or `{"other": PATH OR NAME}`.
    """

    has_default: bool
    default: list[Any]
    build: list[Any]
    build_plus_default: list[Any]


def requested_targets(
    nodes: Iterator[tuple[int, int, Node]], alias_name: Callable[[Node], str | None]
) -> Requested | None:
    """Return the targets to build; None if a crate makes one that is not among the nodes of its call.

    Shape: `nodes` are those of calls, each after its position; `alias_name` gives the name of an alias.
    """
    positions: Mapping[int, list[int]] = {id(node): [number, index] for number, index, node in nodes}

    def described(node: Node) -> Any:
        if type(node) is str:
            return node
        return positions.get(id(node)) or alias_name(node) or _other_target(node)

    script = SCons.Script
    lists = [
        [described(node) for node in nodes]
        for nodes in (script.DEFAULT_TARGETS, script.BUILD_TARGETS, script._build_plus_default)
    ]
    if any(None in targets for targets in lists):
        return None
    return Requested(script._Get_Default_Targets is script._Set_Default_Targets_Has_Been_Called, *lists)


def _other_target(node: Node) -> dict[str, str] | None:
    """Return what describes a target that no crate makes; None for one of a crate."""
    if is_pending_node(node) or is_made_for_crate(node):
        return None
    types = (SCons.Node.FS.Base, SCons.Node.Alias.Alias)
    return {"other": str(getattr(node, "abspath", node))} if isinstance(node, types) else None


def _target_lists() -> Iterator[list[Any]]:
    """Yield the lists in which SCons keeps the targets to build."""
    yield SCons.Script.DEFAULT_TARGETS
    yield SCons.Script.BUILD_TARGETS.data
    yield SCons.Script._build_plus_default.data


class RequestedTargets:
    """Takes the arguments of `Default` while crates are not declared.

    Shape: `stand_ins` gives those for the nodes of a pending target; `nodes` are all so far.
    """

    def __init__(self, stand_ins: Callable[[CrateTarget], list[RequestedNode]]) -> None:
        self._stand_ins = stand_ins
        self._original = SCons.Script._Set_Default_Targets
        self.nodes: list[RequestedNode] = []
        SCons.Script._Set_Default_Targets = self._default

    def end(self) -> None:
        """Restore SCons's lists, with the nodes themselves in place of their stand-ins."""
        SCons.Script._Set_Default_Targets = self._original
        self.replace(lambda number: True)

    def replace(self, is_executed: Callable[[int], bool]) -> None:
        """Put the nodes of executed calls in place of their stand-ins."""
        for nodes in _target_lists():
            nodes[:] = [
                RequestedNode.real(node) if type(node) is RequestedNode and is_executed(position_of(node)[0]) else node
                for node in nodes
            ]

    def _default(self, env: Any, args: Any) -> None:
        for arg in args:
            if not self._are_pending(arg):
                self._original(env, [arg])
                continue
            nodes = list(self._nodes(arg))
            SCons.Script._Get_Default_Targets = SCons.Script._Set_Default_Targets_Has_Been_Called
            SCons.Script.DEFAULT_TARGETS.extend(nodes)
            SCons.Script.BUILD_TARGETS._add_Default(nodes)
            SCons.Script._build_plus_default._add_Default(nodes)

    def _are_pending(self, arg: Any) -> bool:
        if type(arg) in _LISTS:
            return bool(arg) and all(map(self._are_pending, arg))
        return is_pending(arg) or is_pending_node(arg)

    def _nodes(self, arg: Any) -> Iterator[Any]:
        if type(arg) in _LISTS:
            for item in arg:
                yield from self._nodes(item)
        elif is_pending_node(arg):
            yield arg
        else:
            nodes = self._stand_ins(arg)
            self.nodes += nodes
            yield from nodes
