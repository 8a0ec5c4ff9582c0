"""The files of the project that a call may read, to be sent along with it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any

from ...base.digest import DIRECTORY, UNREADABLE, WORDS
from ...base.values import dataclass
from ...contract.backend import CodegenBackend
from ...system.elsewhere import passed_directories
from ...system.fs import read_regular
from ...values.stencil import UnitStencil
from ..job import Job

NO_FILE = (None, *WORDS)
"""What `digest_file` gives for a path that is not a readable file."""
_MOST = 1 << 14
"""The most files that are sent with a call."""


class Unsendable(Exception):
    """What a call reads cannot be reproduced on another machine."""


@dataclass(slots=True)
class ProjectPart:
    """The part of the project to send: files with their digests, and directories."""

    files: dict[str, str] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)

    def at(self, path: str) -> str | None:
        """Return what is at a path, as `digest_file` does."""
        below = f"{path}/"
        if (
            path == "."
            or path in self.directories
            or any(name.startswith(below) for name in (*self.files, *self.directories))
        ):
            return DIRECTORY
        return self.files.get(path)


@dataclass(frozen=True, slots=True)
class ProjectInputs:
    """Finds what the calls of a backend read; `digest` is of files below `root`, as of `FileDigests`."""

    backend: CodegenBackend
    root: str
    digest: Callable[[str], str | None]

    def part(self, paths: Iterable[str]) -> ProjectPart:
        """Return the part of the project at some paths.

        Raises: Unsendable for an unreadable file, one outside the project or behind a link, and for too many.
        """
        part = ProjectPart()
        for path in paths:
            digest = self.digest(path)
            if digest is None:
                continue
            plain = posixpath.normpath(path)
            if digest == UNREADABLE or plain.startswith(("/", "../")) or len(part.files) > _MOST:
                raise Unsendable
            place = os.path.normpath(os.path.join(os.path.realpath(self.root), plain))
            if os.path.realpath(os.path.join(self.root, path)) != place:  # behind a link
                raise Unsendable
            part.directories.update(passed_directories(path))
            if digest == DIRECTORY:
                part.directories.add(plain)
            else:
                part.files[plain] = digest
        part.directories.discard(".")
        return part

    def likely(self, job: Job[Any]) -> set[str]:
        """Return the paths that a call probably reads: those it read last time, or those its source seems to include.

        Raises: Unsendable if it may read repositories.
        """
        source, reads = job.call.arguments[0], set(job.reads)
        if not isinstance(source, UnitStencil):
            return reads
        if source.repositories:
            raise Unsendable
        file = source.file or source.path
        directories = source.options.texts("include_dirs")
        reads |= {file, posixpath.dirname(file) or ".", *directories}
        if job.reads:
            return reads
        waiting = [(file, source.source)]
        while waiting and len(reads) <= _MOST:
            path, text = waiting.pop()
            for name in self.backend.included_names(text):
                for directory in (posixpath.dirname(path), *directories):
                    place = posixpath.normpath(posixpath.join(directory, name))
                    if place not in reads and self.digest(place) not in NO_FILE:
                        reads.add(place)
                        waiting.append((place, _read(os.path.join(self.root, place))))
        return reads


def _read(path: str) -> bytes:
    try:
        return read_regular(path)
    except OSError:
        return b""
