"""The directories that a link may write to."""

from __future__ import annotations

import os

from ..base.errors import OutputError
from .fs import link_if_changed, remove, temporary_beside, write_atomic, write_if_changed


class OutputArea:
    """The directories to which a link's writes and removals are confined, whatever names and symbolic links it meets.

    Shape: `root` is absolute; `directory` is the crate's output directory, `dumps` are requested ones beside it. These
    and all paths are absolute or relative to the root.
    """

    def __init__(self, root: str, directory: str, *dumps: str) -> None:
        self.root = root
        self.directory = directory
        self.dumps = dumps
        self._inside: dict[str, bool] = {}

    def holds(self, path: str) -> bool:
        """Return whether a path lies below one of the directories, after resolving links in its parent."""
        parent = os.path.dirname(os.path.join(self.root, path))
        if parent not in self._inside:
            resolved = os.path.join(os.path.realpath(parent), "")
            self._inside[parent] = any(
                resolved.startswith(os.path.join(os.path.realpath(os.path.join(self.root, directory)), ""))
                for directory in (self.directory, *self.dumps)
            )
        return self._inside[parent] and os.path.basename(path) not in ("", ".", "..")

    def write(self, path: str, data: bytes, *, executable: bool = False) -> None:
        """Write a file unless it has this content.

        Raises: OutputError as `write_atomic`, and for a path outside the area.
        """
        write_if_changed(self._located(path), data, executable=executable)

    def link(self, path: str, to: str) -> None:
        """Make a symbolic link unless it is there; `to` is relative to the link's directory.

        Raises: OutputError as `write`, and for a target outside the area.
        """
        if not self.holds(os.path.join(os.path.dirname(path), to)):
            raise OutputError(f"{path} would lead to {to}, outside the files that the link may write")
        link_if_changed(self._located(path), to)

    def remove(self, path: str) -> None:
        """Remove a file if it exists.

        Raises: OutputError if it cannot be removed, and for a path outside the area.
        """
        remove(self._located(path))

    def folds_case(self) -> bool:
        """Return whether the output directory's file system ignores case."""
        name = temporary_beside(os.path.join(self.root, self.directory, ""))
        write_atomic(name, b"")
        try:
            return os.path.lexists(os.path.join(os.path.dirname(name), os.path.basename(name).upper()))
        finally:
            remove(name)

    def _located(self, path: str) -> str:
        if not self.holds(path):
            raise OutputError(
                f"{path} lies outside the files that the link may write",
                context=(("below", "\n".join(each or "." for each in (self.directory, *self.dumps))),),
                hint="a link in the file system may lead out of the output directory; remove it",
            )
        return os.path.join(self.root, path)
