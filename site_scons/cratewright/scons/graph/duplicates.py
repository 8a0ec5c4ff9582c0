"""Sources that SCons duplicates in variant directories: which they are, and when they need no new link."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import SCons.Node
import SCons.Node.FS

from ..nodes.node import Node

__all__ = ["duplicated_from", "keep_hard_links"]


def keep_hard_links() -> None:
    """Have SCons keep a duplicate that is a hard link to its source already.

    SCons removes and links each duplicate in every run. That changes the source's `ctime`, without which nobody can
    tell whether it was edited.
    """
    usual = SCons.Node.FS.File.do_duplicate
    if not hasattr(usual, "__wrapped__"):
        SCons.Node.FS.File.do_duplicate = _keeping(usual)


def _keeping(usual: Callable[..., None]) -> Callable[..., None]:
    @wraps(usual)
    def do_duplicate(node: Any, src: Node) -> None:
        if _is_linked(str(node.get_abspath()), str(src.get_abspath())):
            node.linked = 1
        else:
            usual(node, src)

    return do_duplicate


def _is_linked(path: str, source: str) -> bool:
    """Return whether SCons would make a path what it is: a hard link to a source."""
    ways = SCons.Node.FS.Link_Funcs
    if SCons.Node.print_duplicate or (ways and ways[0] is not SCons.Node.FS._hardlink_func):
        return False
    try:
        return os.path.samestat(os.lstat(path), os.stat(source))
    except (OSError, ValueError):
        return False


def duplicated_from(node: Any) -> str | None:
    """Return the absolute path of the source of which SCons would make a file in a variant directory; None if none."""
    if not isinstance(node, SCons.Node.FS.File) or not node.duplicate or node.is_derived():
        return None
    source = node.srcnode()
    return None if source is node else str(source.get_abspath())
