"""Links that a crate has beside its files, as SCons nodes.

SCons follows links, but installing one must notice when it points elsewhere, and create a link again.
"""

from __future__ import annotations

import os
from typing import Any

from ...base.digest import value_digest
from ...system.fs import digest_file, link_if_changed
from .made_file import MadeFile
from .node import change_class


class _Link(MadeFile):
    """A link that a crate has beside its files."""

    __slots__ = ()

    def get_csig(self) -> str:
        """Return the digest of the link's target and of its content."""
        ninfo = self.get_ninfo()
        try:
            return str(ninfo.csig)
        except AttributeError:
            pass
        path = str(self.abspath)
        ninfo.csig = value_digest((_target_of(path), digest_file(path)))
        return str(ninfo.csig)


def link_node(node: Any) -> Any:
    """Return the node of a file as that of a link."""
    change_class(node, _Link)
    return node


def _target_of(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def link_again(dest: str, source: str, env: Any) -> bool:
    """Install a crate's link as a link, if its target is installed beside it; return whether it was."""
    to = _target_of(source)
    beside = env.fs.Entry(os.path.join(os.path.dirname(dest) or ".", to), env.fs.Top) if to else None
    if isinstance(env.fs.Entry(source, env.fs.Top), _Link) and beside is not None and beside.is_derived():
        link_if_changed(os.path.abspath(dest), to)
        return True
    return False
