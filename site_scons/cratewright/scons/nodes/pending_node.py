"""A node of a crate that is not declared yet, or an alias of one: only its path or name is known."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import SCons.Node.Alias
import SCons.Node.FS

from .node import Node, change_class

_CLASSES: dict[type, type] = {}
"""The classes that stand in for files, directories and aliases, with the classes they become."""

_PATH_ATTRIBUTES = frozenset(
    [
        *("name", "dir", "fs", "duplicate", "_abspath", "_labspath", "_path", "_tpath", "_path_elements"),
        *("abspath", "labspath", "path", "tpath", "path_elements", "suffix"),
        *("get_abspath", "get_labspath", "get_internal_path", "get_tpath", "get_path", "get_path_elements"),
        *("get_dir", "get_suffix", "is_under"),
        *("target_from_source", "_func_target_from_source"),
    ]
)
"""What SCons needs of the source of another target while SConscripts are read: its path is enough for that."""


class PendingNodes:
    """Nodes whose crates are declared as soon as anything but their path is needed.

    Shape: the first access to more than a file's path calls `declare`, which has to call `end`; from then on they are
    ordinary SCons nodes. Each stays the same object, so references to it stay valid.
    """

    def __init__(self, fs: Any, declare: Callable[[], None]) -> None:
        self._fs = fs
        self._has_ended = False
        self._nodes: list[Node] = []
        kinds = (SCons.Node.FS.File, SCons.Node.FS.Dir, SCons.Node.Alias.Alias)
        self._classes = {kind: _pending_class(kind, declare) for kind in kinds}
        self._file = _pending_file_class(declare)

    def node(self, path: str) -> Node:
        """Return the node of a path, which ends with a `/` if it is a directory."""
        if path.endswith("/"):
            return self._pending(self._fs.Dir(path.rstrip("/")))
        # To install a link, SCons needs more than its path: its target is installed with it.
        return self._pending(self._fs.File(path), None if os.path.islink(path) else self._file)

    def _pending(self, node: Node, kind: type | None = None) -> Node:
        if type(node) in self._classes and not self._has_ended:
            change_class(node, kind or self._classes[type(node)])
            self._nodes.append(node)
        return node

    def alias(self, name: str) -> Node:
        """Return the node of an alias."""
        return self._pending(SCons.Node.Alias.default_ans.Alias(name))

    def end(self) -> None:
        """Turn all of them into ordinary SCons nodes, and those that are still to come."""
        self._has_ended = True
        for node in self._nodes:
            if type(node) in _CLASSES:
                change_class(node, _CLASSES[type(node)])


def is_pending_node(node: object) -> bool:
    """Return whether something is a node of which only the path is known."""
    return type(node) in _CLASSES


def _pending_file_class(declare: Callable[[], None]) -> type:
    kind: Any = _pending_class(SCons.Node.FS.File, declare)

    class PendingFile(kind):  # type: ignore[misc]
        __slots__ = ()

        def __getattribute__(self, name: str) -> Any:
            answering = SCons.Node.FS.File if name in _PATH_ATTRIBUTES else kind
            return answering.__getattribute__(self, name)

        def __str__(self) -> str:
            return str(self.get_path())

    _CLASSES[PendingFile] = SCons.Node.FS.File
    return PendingFile


def _pending_class(kind: Any, declare: Callable[[], None]) -> type:
    class Pending(kind):  # type: ignore[misc]
        __slots__ = ()

        def __getattribute__(self, name: str) -> Any:
            if name == "__class__":  # known without its crate
                return kind
            declare()
            return kind.__getattribute__(self, name)

        def __setattr__(self, name: str, value: object) -> None:
            declare()
            kind.__setattr__(self, name, value)

        def __delattr__(self, name: str) -> None:
            declare()
            kind.__delattr__(self, name)

    _CLASSES[Pending] = kind
    return Pending
