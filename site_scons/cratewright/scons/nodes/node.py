"""SCons nodes; they are Any, since SCons has no types to check against."""

from __future__ import annotations

from typing import Any

Node = Any
"""An SCons node."""


def change_class(node: Node, kind: type) -> None:
    """Make a node an instance of a subclass of its class, or of a base; every reference to it stays valid.

    A file may be looked up, and be in use, before its crate is declared. SCons does the same when it looks up an entry
    as a file or a directory (`Entry.must_be_same`).
    """
    assert issubclass(kind, type(node)) or issubclass(type(node), kind), (node, type(node), kind)
    object.__setattr__(node, "__class__", kind)  # a pending node's own `__setattr__` declares its crate
