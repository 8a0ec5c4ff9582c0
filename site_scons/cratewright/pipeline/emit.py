"""Writes what a link made, all of it or nothing.

Knows nothing of what the files are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence

from ..errors import OutputError
from ..fs import remove, write_if_changed
from ..request import Artifact

__all__ = ["discard", "emit", "place"]


def place(artifacts: Sequence[Artifact], directory: str) -> tuple[dict[str, Artifact], tuple[str, ...]]:
    """Return the files of a link by root-relative path, and which of them are its outputs, not dumps.

    Shape: in the order of the artifacts; `directory` is the crate's output directory, root-relative.
    """
    files: dict[str, Artifact] = {}
    outputs: list[str] = []
    for artifact in artifacts:
        path = artifact.path
        if not artifact.dump:
            path = os.path.normpath(os.path.join(directory, path)).replace(os.sep, "/")
            outputs.append(path)
        files[path] = artifact
    return files, tuple(outputs)


def emit(root: str, files: Mapping[str, Artifact], previous: Iterable[str]) -> None:
    """Write files, and remove those of an earlier link that are no longer made.

    Shape: the first file stands for the link and is written last: whoever sees it may rely on the others.
    Raises: OutputError; then none of the files is left.
    """
    try:
        for path in set(previous) - set(files):
            remove(os.path.join(root, path))
        for path, artifact in reversed(list(files.items())):
            write_if_changed(os.path.join(root, path), artifact.data, executable=artifact.executable)
    except BaseException:
        discard(root, files)
        raise


def discard(root: str, paths: Iterable[str]) -> None:
    """Remove the outputs of a link that failed: an image of yesterday must not pass for today's."""
    for path in paths:
        try:
            if os.path.isfile(os.path.join(root, path)):
                remove(os.path.join(root, path))
        except OutputError as error:
            # The failure that led here is the one to report; this one is worth a line.
            print(error, file=sys.stderr)
