"""The directory in which a program runs, as messages of the Remote Execution API."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping
from dataclasses import field

from ..base.values import dataclass
from .message import WireDigest, message_digest
from .wire import encode_message


@dataclass(slots=True)
class _Tree:
    files: dict[str, tuple[WireDigest, bool]] = field(default_factory=dict)
    below: dict[str, _Tree] = field(default_factory=dict)

    def place(self, path: str) -> _Tree:
        """Return the directory at a path, made if missing."""
        tree = self
        for name in path.split("/") if path else ():
            tree = tree.below.setdefault(name, _Tree())
        return tree

    def encoded(self, blobs: dict[WireDigest, bytes]) -> WireDigest:
        """Return the digest of the directory, whose message is put among the blobs."""
        # Source: a Directory's names are sorted by bytes.
        files = [
            (1, encode_message([(1, os.fsencode(name)), (2, digest.encoded()), (4, int(executable))]))
            for name, (digest, executable) in sorted(self.files.items())
        ]
        below = [
            (2, encode_message([(1, os.fsencode(name)), (2, tree.encoded(blobs).encoded())]))
            for name, tree in sorted(self.below.items())
        ]
        message = encode_message([*files, *below])
        digest = message_digest(message)
        blobs[digest] = message
        return digest


def input_root(
    inputs: Mapping[str, WireDigest], directories: Iterable[str] = (), executable: Container[str] = ()
) -> tuple[WireDigest, dict[WireDigest, bytes]]:
    """Return the digest of the directory that holds some files, and the messages that describe it."""
    tree = _Tree()
    for path, digest in inputs.items():
        place, _, name = path.rpartition("/")
        tree.place(place).files[name] = digest, path in executable
    for path in directories:
        tree.place(path)
    blobs: dict[WireDigest, bytes] = {}
    return tree.encoded(blobs), blobs
