"""A directory of images as an SCons node.

Knows nothing of images. SCons compares a directory by whether it changed in the same run; who packs or installs what
an earlier run has made would be left with what was there before. This directory is compared by its content.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import SCons.Environment
import SCons.Node
import SCons.Node.FS

from ..digest import value_digest
from ..fs import digest_file
from .paths import directory_node

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["image_directory"]


def image_directory(env: Environment, name: str, files: Callable[[], Iterable[str]]) -> Any:
    """Return the node of a directory; `files` gives what it holds now, as absolute paths."""
    node = directory_node(env, name)
    node.__class__ = _ImageDirectory
    node.attributes.crate_files = files
    node.Decider(_is_changed)
    return node


class _ImageDirectory(SCons.Node.FS.Dir):  # type: ignore[misc]
    __slots__ = ()
    # Unlike that of a directory, it has room for a signature.
    NodeInfo = SCons.Node.FS.FileNodeInfo

    def get_csig(self) -> str:
        """Return the digest of the images, which are not there before the link: nothing is remembered."""
        csig = value_digest([(name, digest_file(self._path(name))) for name in self._names()])
        self.get_ninfo().csig = csig
        return csig

    def is_up_to_date(self) -> bool:
        """As for any directory; and let those copies be made again that differ."""
        for target in SCons.Environment.Base.FindInstalledFiles():
            # SCons asks of a directory only whether its source was made in this very run.
            if self in target.sources and self._differs(str(target.abspath)):
                target.set_always_build()
        return bool(super().is_up_to_date())

    def _path(self, name: str) -> str:
        return os.path.join(str(self.abspath), name)

    def _names(self) -> list[str]:
        start = self._path("")
        return sorted(path[len(start) :] for path in self.attributes.crate_files() if path.startswith(start))

    def _differs(self, directory: str) -> bool:
        return any(
            digest_file(self._path(name)) != digest_file(os.path.join(directory, name)) for name in self._names()
        )


def _is_changed(node: Any, target: Any, previous: Any, repository: Any = None) -> bool:
    return bool(node.get_csig() != getattr(previous, "csig", None))
