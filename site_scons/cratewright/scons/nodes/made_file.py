"""A file that crates make or link, as an SCons node: compared by content, with dependencies found in each run."""

from __future__ import annotations

from typing import Any

import SCons.Node.FS

from ...system.fs import read_regular
from .node import change_class
from .paths import by_content
from .stage import stage_of


class MadeFile(SCons.Node.FS.File):  # type: ignore[misc]
    """A file that crates make or link: whatever SCons's options, its database does not replace what is on disk."""

    __slots__ = ()

    def get_contents(self) -> bytes:
        """Return the content of the file; SCons would wait for ever for a pipe in its place."""
        return read_regular(str(self.rfile().get_abspath())) if self.rexists() else b""

    def get_max_drift_csig(self) -> str | None:
        """Return the recorded digest; not with `max_drift=0`, where it would be that of the previous content."""
        # None makes every SCons read the file; since 4.11 an empty text does as well.
        return None if self.fs.max_drift == 0 else (super().get_max_drift_csig() or None)

    def get_stored_implicit(self) -> list[Any] | None:
        """Return what the file depended on last time; not for a stage, where `implicit_cache` would use nothing else.

        Files that a stage may read have to be made before SCons checks whether any has changed.
        """
        found: list[Any] | None = None
        if stage_of(self) is None:
            found = super().get_stored_implicit()
        return found


class KeptFile(SCons.Node.FS.File):  # type: ignore[misc]
    """A file that a stage keeps.

    In a variant directory, SCons would take it for the copy of a removed source and delete it.
    """

    __slots__ = ()

    @property
    def duplicate(self) -> bool:
        """Never: SCons sets it for all files of a directory when a variant directory is declared above it."""
        return False

    @duplicate.setter
    def duplicate(self, value: object) -> None:
        pass


def set_up_output(node: Any, kind: type[MadeFile] = MadeFile) -> None:
    """Leave a file to the stage that makes it, and compare it by content."""
    compare_by_content(node, kind)
    # Outputs are replaced by rename; if writing fails, the previous one stays, unless SCons removes it before.
    node.set_precious()
    # SCons's CacheDir looks a node up before its stage has run, when nobody knows what it will read, so it would give
    # the result of older sources. This package has its own cache.
    node.set_nocache()
    # What a repository has already built is copied: stages read the files of their own project.
    node.set_local()


def never_duplicate(node: Any) -> None:
    """Prevent SCons from duplicating a file, or removing it as a duplicate, in a variant directory."""
    if type(node) is SCons.Node.FS.File:
        change_class(node, KeptFile)


def compare_by_content(node: Any, kind: type[MadeFile] = MadeFile) -> None:
    """Compare a file by content, whatever the Decider."""
    if type(node) is SCons.Node.FS.File:
        change_class(node, kind)
    node.Decider(by_content)
