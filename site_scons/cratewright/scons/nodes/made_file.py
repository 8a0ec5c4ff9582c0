"""A file that crates make or link, as an SCons node: compared by its bytes, with dependencies found in each run."""

from __future__ import annotations

from typing import Any

import SCons.Node.FS

from ...system.fs import read_regular
from .paths import by_content
from .stage import stage_of

__all__ = ["KeptFile", "MadeFile", "as_kept", "as_kind", "as_made", "by_its_bytes"]


class MadeFile(SCons.Node.FS.File):  # type: ignore[misc]
    """A file that answers by itself where SCons's options would have SCons use its database."""

    __slots__ = ()

    def get_contents(self) -> bytes:
        """Return the content of the file; SCons would wait for ever for a pipe in its place."""
        return read_regular(str(self.rfile().get_abspath())) if self.rexists() else b""

    def get_max_drift_csig(self) -> str | None:
        """Return the recorded digest, but not for `max_drift` 0: it would be that of the previous content."""
        # None makes every SCons read the file; since 4.11 an empty text does as well.
        return None if self.fs.max_drift == 0 else (super().get_max_drift_csig() or None)

    def get_stored_implicit(self) -> list[Any] | None:
        """Return what the file depended on last time, but not for a stage: `implicit_cache` would go by that alone.

        Files that the stage may read have to be made before it is asked whether any has changed.
        """
        found: list[Any] | None = None
        if stage_of(self) is None:
            found = super().get_stored_implicit()
        return found


class KeptFile(SCons.Node.FS.File):  # type: ignore[misc]
    """A file that a stage keeps: in a variant directory, SCons would take it for the copy of a removed source and
    delete it.
    """

    __slots__ = ()

    @property
    def duplicate(self) -> bool:
        """Never: SCons sets it for all files of a directory when a variant directory is declared above it."""
        return False

    @duplicate.setter
    def duplicate(self, value: object) -> None:
        pass


def as_kind(node: Any, kind: type) -> None:
    """Let a node be one of a kind of its class: it may have been named, and kept, before its crate was declared.

    As SCons does it: a node changes its class when it is looked up as a file or a directory (`Entry.must_be_same`).
    """
    assert issubclass(kind, type(node)), (node, type(node), kind)
    node.__class__ = kind


def as_made(node: Any, kind: type[MadeFile] = MadeFile) -> None:
    """Leave a file to the stage that makes it, and compare it by its bytes."""
    by_its_bytes(node, kind)
    # Outputs are replaced whole, by rename; SCons must not remove what a failed write could have kept.
    node.set_precious()
    # SCons's CacheDir asks before a stage has run, when what it will read is not known: it would serve the
    # result of older sources. Our own cache serves instead.
    node.set_nocache()
    # What a repository has already built is copied: stages read the files of their own project.
    node.set_local()


def as_kept(node: Any) -> None:
    """Leave a file to the stage that keeps it, whatever a variant directory would make of it."""
    if type(node) is SCons.Node.FS.File:
        as_kind(node, KeptFile)


def by_its_bytes(node: Any, kind: type[MadeFile] = MadeFile) -> None:
    """Compare a file by its content, whatever the Decider."""
    if type(node) is SCons.Node.FS.File:
        as_kind(node, kind)
    node.Decider(by_content)
