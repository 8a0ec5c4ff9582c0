"""Links that a crate has beside its files, as SCons nodes.

SCons sees the file a link leads to; installing a link must notice when it leads elsewhere, and create a link again.
"""

from __future__ import annotations

import os
from typing import Any

from ...base.digest import value_digest
from ...system.fs import digest_file, link_if_changed
from .made_file import MadeFile, as_kind

__all__ = ["link_again", "link_node"]


class _Link(MadeFile):
    __slots__ = ()

    def get_csig(self) -> str:
        """Return the digest of where it leads and of what is there."""
        ninfo = self.get_ninfo()
        try:
            return str(ninfo.csig)
        except AttributeError:
            pass
        path = str(self.abspath)
        ninfo.csig = value_digest((_leads_to(path), digest_file(path)))
        return str(ninfo.csig)


def link_node(node: Any) -> Any:
    """Return the node of a file as that of a link."""
    as_kind(node, _Link)
    return node


def _leads_to(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def link_again(dest: str, source: str, env: Any) -> bool:
    """Make a link of a crate's link, if what it leads to comes with it; return whether it was made."""
    to = _leads_to(source)
    beside = env.fs.Entry(os.path.join(os.path.dirname(dest) or ".", to), env.fs.Top) if to else None
    if isinstance(env.fs.Entry(source, env.fs.Top), _Link) and beside is not None and beside.is_derived():
        link_if_changed(os.path.abspath(dest), to)
        return True
    return False
