"""A variant directory as the mirror of its sources: generated files that belong beside a source are there."""

from __future__ import annotations

import posixpath
from typing import Any

from ...base.values import dataclass
from ..nodes.paths import original, relative


@dataclass(frozen=True, slots=True)
class Mirror:
    """A variant directory and the directory of its sources, root-relative.

    Shape: `duplicates` if SCons's own builders compile the sources' duplicates in the variant.
    """

    variant: str
    sources: str
    duplicates: bool = False

    @staticmethod
    def for_node(node: Any) -> Mirror | None:
        """Return the variant directory of a source's node, None if it is in none."""
        directory = node.dir
        while directory is not None and directory.srcdir is None:
            directory = directory.up()
        if directory is None:
            return None
        return Mirror(relative(directory), relative(original(directory.srcdir)), bool(node.duplicate))

    def of(self, directory: str) -> dict[str, None]:
        """Return the directory of the variant for a directory of sources, as a key; nothing for any other directory."""
        start = posixpath.join(self.sources, "")
        if not f"{directory}/".startswith(start):
            return {}
        rest = directory[len(start) :]
        return {posixpath.join(self.variant, rest) if rest else self.variant: None}
