"""The files that took part in a build, each with its stamp when it was examined.

A path is only noted if it has not changed since before the run began, so that its stamp belongs to the content that
was checked.
"""

from __future__ import annotations

import os

import SCons.Node.FS

from ...base.stamp import file_stamp, is_older
from ..nodes.interface import InterfaceNode
from ..nodes.node import Node
from ..nodes.stage import stage_of
from ..nodes.state import StageState

__all__ = ["Files", "UnknownFiles", "note_stage"]


class UnknownFiles(Exception):
    """Something took part that may have changed."""


class Files:
    """Files that took part, with their stamps; None for a missing path.

    Shape: `root` absolute, and so are the paths; those given may be relative to it. None has changed since `since`,
    a time by `clock_ns`.
    """

    def __init__(self, root: str, since: int) -> None:
        self.stamps: dict[str, list[int] | None] = {}
        self.root = root
        self._since = since

    def beside(self) -> Files:
        """Return an empty collection for the same run."""
        return Files(self.root, self._since)

    def note_file(self, path: str) -> None:
        """Note a path at which SCons found a file in this run.

        Raises: UnknownFiles if the file has changed or been removed since.
        """
        self.note(path)
        if self.stamps[os.path.join(self.root, path)] is None:
            raise UnknownFiles(f"{path} was removed")

    def note(self, path: str, known: list[int] | bool | None = False) -> None:
        """Note a path that has not changed during this run, nor since it had a known stamp; False if none is known.

        Raises: UnknownFiles if it has.
        """
        path = os.path.join(self.root, path)
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            stamp = None
        else:
            if not is_older(found, self._since):
                raise UnknownFiles(f"{path} is young")
            stamp = file_stamp(found)
        if known is not False and known != stamp:
            raise UnknownFiles(f"{path} has changed")
        self.keep(path, stamp)

    def keep(self, path: str, stamp: list[int] | None) -> None:
        """Note an absolute path with the stamp that it had when it was examined.

        Raises: UnknownFiles if it had another one in this run.
        """
        if self.stamps.setdefault(path, stamp) != stamp:
            raise UnknownFiles(f"{path} has changed")


def note_stage(node: Node, files: Files) -> None:
    """Note the files which show that a stage is up to date."""
    state = node.attributes.crate_stage.state
    vouched = state.vouched()
    if vouched is None:
        raise UnknownFiles(f"{node} was made of young files")
    observed, outputs = vouched
    for item in observed:
        files.note(item.path, item.stamp if item.digest else None)
    for path in outputs:
        files.note_file(path)
    for each in node.children():
        # The interface of a dependency is in a file.
        child = each.file if isinstance(each, InterfaceNode) else each
        if isinstance(child, StageState) or stage_of(child) is not None:
            continue
        if not isinstance(child, SCons.Node.FS.File) or child.has_builder():
            raise UnknownFiles(f"{child} is made by others")
        files.note_file(str(child.get_internal_path()))
