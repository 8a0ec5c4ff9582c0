"""Which sources and libraries are outputs of crates.

SCons's own builders check all their sources with it, so this module imports nothing of the package.
"""

from __future__ import annotations

import SCons.Node.FS
import SCons.Util


def has_crates(value: object) -> bool:
    """Return whether sources or libraries contain any part of a crate."""
    return any(is_crate_output(item) for item in SCons.Util.flatten(value or []))


def is_crate_output(item: object) -> bool:
    """Return whether something is the node of a file that a crate makes apart from images, or of any rlib."""
    if not isinstance(item, SCons.Node.FS.Base):
        return False
    return getattr(item.attributes, "crate_stages", None) is not None or item.name.endswith(".rlib")
