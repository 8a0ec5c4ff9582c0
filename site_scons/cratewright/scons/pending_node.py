"""A node of a crate that is not declared yet, or an alias of such: only its path or name is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import SCons.Node.Alias
import SCons.Node.FS

__all__ = ["PendingNodes", "is_pending_node"]

Node = Any
"""An SCons node; SCons has no types to check against."""
_KINDS: dict[type, type] = {}
"""What stands for files, directories and aliases, with what they are."""


class PendingNodes:
    """Nodes that SCons must not look at before their crates are declared.

    Shape: the first access to any of them calls `declare`, which has to call `end`; from then on they are ordinary
    SCons nodes. Each stays the same object, so references to it stay valid.
    """

    def __init__(self, fs: Any, declare: Callable[[], None]) -> None:
        self._fs = fs
        self._nodes: list[Node] = []
        kinds = (SCons.Node.FS.File, SCons.Node.FS.Dir, SCons.Node.Alias.Alias)
        self._kinds = {kind: _pending(kind, declare) for kind in kinds}

    def node(self, path: str) -> Node:
        """Return the node of a path, which ends with a `/` if it is a directory."""
        return self._stood_for(self._fs.Dir(path.rstrip("/")) if path.endswith("/") else self._fs.File(path))

    def _stood_for(self, node: Node) -> Node:
        from .made_file import as_kind  # noqa: PLC0415

        if type(node) in self._kinds:
            as_kind(node, self._kinds[type(node)])
            self._nodes.append(node)
        return node

    def alias(self, name: str) -> Node:
        """Return the node of an alias."""
        return self._stood_for(SCons.Node.Alias.default_ans.Alias(name))

    def end(self, nodes: Iterable[Node] | None = None) -> None:
        """Turn these into ordinary SCons nodes, or all."""
        for node in self._nodes if nodes is None else nodes:
            if type(node) in _KINDS:
                object.__setattr__(node, "__class__", _KINDS[type(node)])


def is_pending_node(node: object) -> bool:
    """Return whether something is a node of which only the path is known."""
    return type(node) in _KINDS


def _pending(kind: Any, declare: Callable[[], None]) -> type:
    class Pending(kind):  # type: ignore[misc]
        __slots__ = ()

        def __getattribute__(self, name: str) -> Any:
            if name == "__class__":  # there is no more to know about it
                return kind
            declare()
            return kind.__getattribute__(self, name)

        def __setattr__(self, name: str, value: object) -> None:
            declare()
            kind.__setattr__(self, name, value)

        def __delattr__(self, name: str) -> None:
            declare()
            kind.__delattr__(self, name)

    _KINDS[Pending] = kind
    return Pending
