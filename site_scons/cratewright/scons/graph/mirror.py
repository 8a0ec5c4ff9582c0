"""A variant directory as the mirror of its sources: generated files that belong beside a source are there."""

from __future__ import annotations

import posixpath
from typing import Any

from ...base.values import dataclass
from ..nodes.paths import original, relative

__all__ = ["Mirror"]


@dataclass(frozen=True, slots=True)
class Mirror:
    """A variant directory, and the directory that its sources are in."""

    variant: str
    sources: str

    @staticmethod
    def for_node(node: Any) -> Mirror | None:
        """Return the one that the node of a source lies in, None if in none."""
        directory = node.dir
        while directory is not None and directory.srcdir is None:
            directory = directory.up()
        return None if directory is None else Mirror(relative(directory), relative(original(directory.srcdir)))

    def of(self, directory: str) -> dict[str, None]:
        """Return the variant's directory for one of its sources, if it is one."""
        start = posixpath.join(self.sources, "")
        if not f"{directory}/".startswith(start):
            return {}
        rest = directory[len(start) :]
        return {posixpath.join(self.variant, rest) if rest else self.variant: None}
