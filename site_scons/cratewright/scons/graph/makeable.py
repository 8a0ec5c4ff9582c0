"""Everything that one SCons run can make, except what passes between the stages of crates."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import SCons.Node.FS

from ..nodes.images import is_image_directory, promised_images
from ..nodes.paths import relative
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import stage_of

__all__ = ["Makeable", "upwards"]

_OWN_SUFFIXES = (".rlink", ".rlib")
_NO_TEXTS = (".o", ".os", ".obj", ".a", ".so", ".lib", ".dll", ".dylib", ".exe", ".json", ".spv", ".zip", ".tar", ".gz")


class Makeable:
    """Files and whole directories by path, and the names of all files.

    Shape: a node is only made when it is asked for, unless SCons has it already. `promised` are files, and directories
    with a `/` at their end, that other crates would make: they have no nodes.
    """

    def __init__(self, promised: Iterable[str] = ()) -> None:
        self.files: dict[str, Any] = {}
        self.directories: dict[str, Any] = {}
        self._holders: dict[str, Any] = {}
        self._held: dict[str, bool] = {}
        self._above: set[str] = set()
        self._texts: list[str] = []
        self._promised = {path for path in promised if not path.endswith(_OWN_SUFFIXES)}
        todo = list(SCons.Node.FS.get_default_fs().Root.values())
        done = set()
        while todo:
            directory = todo.pop()
            if directory in done:
                continue
            done.add(directory)
            for name, node in directory.entries.items():
                if name in (".", "..") or is_pending_node(node):
                    continue
                if isinstance(node, SCons.Node.FS.Dir):
                    todo.append(node)
                    if node.has_explicit_builder() or node.side_effect:
                        self.directories[relative(node)] = node
                    if is_image_directory(node):
                        self._holders[relative(node)] = node
                elif node.is_derived() and not (name.endswith(_OWN_SUFFIXES) and stage_of(node)):
                    path = relative(node)
                    self.files[path] = node
                    if not stage_of(node):
                        self._above.update(upwards(posixpath.dirname(path)))
                        if "." in name and not name.endswith(_NO_TEXTS):
                            self._texts.append(path)
        for place in self._holders:
            self._above.update(upwards(place))

    def __bool__(self) -> bool:
        return bool(self.files or self.directories or self._holders or self._promised)

    def is_promised(self, path: str) -> bool:
        """Return whether a file is one that another crate would make."""
        return bool(self._promised) and (
            path in self._promised or any(f"{place}/" in self._promised for place in upwards(path))
        )

    def __contains__(self, path: str) -> bool:
        if path in self.files or self.is_promised(path):
            return True
        # Most files are nowhere near images; then their names are not needed.
        directory = posixpath.dirname(path)
        held = self._held.get(directory)
        if held is None:
            held = self._held[directory] = any(place in self._holders for place in upwards(directory))
        return held and path in self._images

    def node(self, path: str) -> Any:
        """Return the node of a file that is made."""
        node = self.files.get(path)
        return SCons.Node.FS.get_default_fs().File(self._images[path]) if node is None else node

    def is_above(self, directory: str) -> bool:
        """Return whether a directory contains, at any depth, files that are not made from crates, or images."""
        return directory in self._above

    def texts(self, directories: Iterable[str]) -> Iterator[str]:
        """Yield the files in some directories, at any depth, that a text may include."""
        places = {place for place in directories if self.is_above(place)}
        for path in self._texts if places else ():
            if not places.isdisjoint(upwards(posixpath.dirname(path))):
                yield path

    @cached_property
    def names(self) -> frozenset[bytes]:
        """The names of all files, without their directories."""
        paths = (*self.files, *self._images, *self._promised)
        return frozenset(os.fsencode(posixpath.basename(path)) for path in paths)

    @cached_property
    def has_any_name(self) -> bool:
        """Whether the names are not all known, because a directory is promised."""
        return any(path.endswith("/") for path in self._promised)

    @cached_property
    def tails(self) -> frozenset[bytes]:
        """The ends of the names: from the last dot on, or all of a name."""
        return frozenset(name[max(name.rfind(b"."), 0) :] for name in self.names)

    @cached_property
    def _images(self) -> Mapping[str, str]:
        """Absolute paths of promised images by path."""
        found: dict[str, str] = {}
        for place, directory in self._holders.items():
            start = len(os.path.join(str(directory.abspath), ""))
            for path in promised_images(directory):
                found[posixpath.join(place, path[start:].replace(os.sep, "/"))] = path
        return found


def upwards(path: str) -> Iterator[str]:
    """Yield a path and all directories above it."""
    while path:
        yield path
        above = posixpath.dirname(path)
        path = above if above != path else ""
