"""Sources that SCons duplicates in variant directories: which they are, and when they need no new link."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import SCons.Node
import SCons.Node.FS

from ..nodes.node import Node


def keep_hard_links() -> None:
    """Have SCons keep a duplicate that is a hard link to its source already.

    SCons removes and links each duplicate in every run. That changes the `ctime` of the source, which would then look
    edited.
    """
    original = SCons.Node.FS.File.do_duplicate
    if not hasattr(original, "__wrapped__"):
        SCons.Node.FS.File.do_duplicate = _keeping(original)


def _keeping(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def do_duplicate(node: Any, src: Node) -> None:
        if _is_linked(str(node.get_abspath()), str(src.get_abspath())):
            node.linked = 1
        else:
            original(node, src)

    return do_duplicate


def _is_linked(path: str, source: str) -> bool:
    """Return whether a path is a hard link to a source, which SCons would make it."""
    link_functions = SCons.Node.FS.Link_Funcs
    if SCons.Node.print_duplicate or (link_functions and link_functions[0] is not SCons.Node.FS._hardlink_func):
        return False
    try:
        return os.path.samestat(os.lstat(path), os.stat(source))
    except (OSError, ValueError):
        return False


def duplicated_from(node: Any) -> str | None:
    """Return the absolute path of the source that SCons would duplicate as this file; None if there is none."""
    if not isinstance(node, SCons.Node.FS.File) or not node.duplicate or node.is_derived():
        return None
    source = node.srcnode()
    return None if source is node else str(source.get_abspath())
