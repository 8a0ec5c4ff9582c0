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

_ANY = [-1]


class UnrecordableBuild(Exception):
    """The build cannot be described: something took part that may have changed."""


class NotedFiles:
    """Files that took part in a build, with their stamps; None for a missing path.

    Shape: `root` is absolute, and so are the paths; those given may be relative to it. None has changed since `start`,
    a time by `clock_ns`.
    """

    def __init__(self, root: str, start: int) -> None:
        self.stamps: dict[str, list[int] | None] = {}
        self.root = root
        self._start = start

    def empty(self) -> NotedFiles:
        """Return an empty collection for the same run."""
        return NotedFiles(self.root, self._start)

    def note_file(self, path: str) -> None:
        """Note a path at which SCons found a file in this run.

        Raises: UnrecordableBuild if the file has changed or been removed since.
        """
        self.note(path)
        if self.stamps[os.path.join(self.root, path)] is None:
            raise UnrecordableBuild(f"{path} was removed")

    def note(self, path: str, expected: list[int] | None = _ANY) -> None:
        """Note a path that has not changed during this run, and has the expected stamp, if one is given.

        Raises: UnrecordableBuild if it has changed.
        """
        path = os.path.join(self.root, path)
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            stamp = None
        else:
            if not is_older(found, self._start):
                raise UnrecordableBuild(f"{path} is younger than the run")
            stamp = file_stamp(found)
        if expected is not _ANY and expected != stamp:
            raise UnrecordableBuild(f"{path} has changed")
        self.add(path, stamp)

    def add(self, path: str, stamp: list[int] | None) -> None:
        """Add an absolute path with the stamp that it had when it was examined.

        Raises: UnrecordableBuild if it had another one in this run.
        """
        if self.stamps.setdefault(path, stamp) != stamp:
            raise UnrecordableBuild(f"{path} has changed")


def note_stage(node: Node, files: NotedFiles) -> None:
    """Note the files which show that a stage is up to date.

    Raises: UnrecordableBuild if files do not show it.
    """
    stamped = node.attributes.crate_stage.state.stamped()
    if stamped is None:
        raise UnrecordableBuild(f"{node} was made from files without a stamp")
    observed, outputs = stamped
    for item in observed:
        files.note(item.path, item.stamp if item.digest else None)
    for path in outputs:
        files.note_file(path)
    for child in node.children():
        # The interface of a dependency is in a file.
        source = child.file if isinstance(child, InterfaceNode) else child
        if isinstance(source, StageState) or stage_of(source) is not None:
            continue
        if not isinstance(source, SCons.Node.FS.File) or source.has_builder():
            raise UnrecordableBuild(f"{source} is made by another builder")
        files.note_file(str(source.get_internal_path()))
