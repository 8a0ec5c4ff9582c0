"""The targets to build, while the crates that make them are not declared: stand-ins for nodes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import SCons.Script

from ..nodes.crate_target import CrateTarget, is_pending
from ..nodes.pending_node import is_pending_node

__all__ = ["RequestedNode", "RequestedTargets", "call_place"]


_LISTS = (list, tuple, CrateTarget)
"""The lists in which an SConstruct gathers targets and nodes; a sum of targets stands for no crate."""


class RequestedNode:
    """A stand-in for a node of a crate's target.

    Shape: every access goes to the node itself, which `ask` gives; the stand-in equals it and has its hash.
    """

    __slots__ = ("_ask", "_place")

    def __init__(self, ask: Callable[[], Any], place: tuple[int, int]) -> None:
        object.__setattr__(self, "_ask", ask)
        object.__setattr__(self, "_place", place)

    def real(self) -> Any:
        """Return the node itself."""
        return object.__getattribute__(self, "_ask")()

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


def call_place(node: RequestedNode) -> tuple[int, int]:
    """Return the number of a node's call, and its place in what the call returned."""
    place: tuple[int, int] = object.__getattribute__(node, "_place")
    return place


def _lists() -> Iterator[list[Any]]:
    """Yield the lists in which SCons keeps the targets to build."""
    yield SCons.Script.DEFAULT_TARGETS
    yield SCons.Script.BUILD_TARGETS.data
    yield SCons.Script._build_plus_default.data


class RequestedTargets:
    """Takes the arguments of `Default` while crates are not declared.

    Shape: `stand_ins` gives the nodes of a pending target.
    """

    def __init__(self, stand_ins: Callable[[CrateTarget], list[RequestedNode]]) -> None:
        self._stand_ins = stand_ins
        self._usual = SCons.Script._Set_Default_Targets
        self.nodes: list[RequestedNode] = []
        SCons.Script._Set_Default_Targets = self._default

    def end(self) -> None:
        """Restore SCons's lists, with the nodes themselves in place of their stand-ins."""
        SCons.Script._Set_Default_Targets = self._usual
        self.replace(lambda number: True)

    def replace(self, is_known: Callable[[int], bool]) -> None:
        """Put the nodes themselves in place of their stand-ins, of calls whose number is known."""
        for nodes in _lists():
            nodes[:] = [
                RequestedNode.real(node) if type(node) is RequestedNode and is_known(call_place(node)[0]) else node
                for node in nodes
            ]

    def _default(self, env: Any, words: Any) -> None:
        for word in words:
            if not self._are_pending(word):
                self._usual(env, [word])
                continue
            nodes = list(self._nodes(word))
            SCons.Script._Get_Default_Targets = SCons.Script._Set_Default_Targets_Has_Been_Called
            SCons.Script.DEFAULT_TARGETS.extend(nodes)
            SCons.Script.BUILD_TARGETS._add_Default(nodes)
            SCons.Script._build_plus_default._add_Default(nodes)

    def _are_pending(self, word: Any) -> bool:
        if type(word) in _LISTS:
            return bool(word) and all(map(self._are_pending, word))
        return is_pending(word) or is_pending_node(word)

    def _nodes(self, word: Any) -> Iterator[Any]:
        if type(word) in _LISTS:
            for item in word:
                yield from self._nodes(item)
            return
        if is_pending_node(word):
            yield word
            return
        nodes = self._stand_ins(word)
        self.nodes += nodes
        yield from nodes
