"""Where the file of an SCons node lies, seen from the project root, and whether it has changed.

Knows nothing of what is in it.
"""

from __future__ import annotations

import os
from typing import Any

from ..errors import near_miss

__all__ = ["by_content", "located_source", "logical_source", "nearby", "relative"]


def located_source(node: Any) -> Any:
    """Return the node of the file itself: in the source directory of a variant, or in a repository."""
    if node.is_derived():
        return node
    return node.srcnode().rfile()


def logical_source(node: Any) -> Any:
    """Return the node by which a source is called: in the source directory of a variant, never in a repository."""
    return node if node.is_derived() else node.srcnode()


def by_content(node: Any, target: Any, previous: Any, repository: Any = None) -> bool:
    """Decide by content that a file has changed, whatever the Environment's Decider goes by.

    What a stage makes anew may equal what was there, which then keeps its time: by time it would be out of date for
    ever.
    """
    return bool(node.changed_content(target, previous, repository))


def relative(node: Any) -> str:
    """Return a node's path relative to the project root, `/`-separated; absolute if it lies outside."""
    path = str(node.get_internal_path()).replace(os.sep, "/")
    return "" if path == "." else path


def nearby(path: str) -> str:
    """Return a hint for a file that is not there: the nearest name in its directory."""
    directory, name = os.path.split(path)
    try:
        names = os.listdir(directory)
    except OSError:
        return f"there is no directory {os.path.basename(directory)} either"
    return near_miss(name, names)
