"""Everything that one SCons run can make, except what passes between the stages of crates."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import SCons.Node.FS

from ..nodes.images import expected_image_paths, is_image_directory
from ..nodes.paths import relative
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import stage_of

_OWN_SUFFIXES = (".rlink", ".rlib")
_NO_TEXTS = (".o", ".os", ".obj", ".a", ".so", ".lib", ".dll", ".dylib", ".exe", ".json", ".spv", ".zip", ".tar", ".gz")


class Makeable:
    """What SCons can make: files and whole directories by path, and the names of all files.

    Shape: `undeclared` are files, and directories with a trailing `/`, that crates would make which are not declared;
    they have no nodes. Nodes of images are made when they are needed.
    """

    def __init__(self, undeclared: Iterable[str] = ()) -> None:
        self.files: dict[str, Any] = {}
        self.directories: dict[str, Any] = {}
        self._image_directories: dict[str, Any] = {}
        self._in_images: dict[str, bool] = {}
        self._above: set[str] = set()
        self._texts: list[str] = []
        self._undeclared = {path for path in undeclared if not path.endswith(_OWN_SUFFIXES)}
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
                        self._image_directories[relative(node)] = node
                elif node.is_derived() and not (name.endswith(_OWN_SUFFIXES) and stage_of(node)):
                    path = relative(node)
                    self.files[path] = node
                    if not stage_of(node):
                        self._above.update(upwards(posixpath.dirname(path)))
                        if "." in name and not name.endswith(_NO_TEXTS):
                            self._texts.append(path)
        for place in self._image_directories:
            self._above.update(upwards(place))

    def __bool__(self) -> bool:
        return bool(self.files or self.directories or self._image_directories or self._undeclared)

    def is_undeclared(self, path: str) -> bool:
        """Return whether a crate that is not declared would make a file."""
        return bool(self._undeclared) and (
            path in self._undeclared or any(f"{place}/" in self._undeclared for place in upwards(path))
        )

    def __contains__(self, path: str) -> bool:
        if path in self.files or self.is_undeclared(path):
            return True
        # Most files are not below a directory of images; then the names of images are not needed.
        directory = posixpath.dirname(path)
        in_images = self._in_images.get(directory)
        if in_images is None:
            in_images = self._in_images[directory] = any(
                place in self._image_directories for place in upwards(directory)
            )
        return in_images and path in self._images

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
        paths = (*self.files, *self._images, *self._undeclared)
        return frozenset(os.fsencode(posixpath.basename(path)) for path in paths)

    @cached_property
    def has_any_name(self) -> bool:
        """Whether the names are not all known, because a directory is undeclared."""
        return any(path.endswith("/") for path in self._undeclared)

    @cached_property
    def tails(self) -> frozenset[bytes]:
        """The ends of the names: from the last dot on, or all of a name."""
        return frozenset(name[max(name.rfind(b"."), 0) :] for name in self.names)

    @cached_property
    def _images(self) -> Mapping[str, str]:
        """Absolute paths of images that links will make, by path."""
        found: dict[str, str] = {}
        for place, directory in self._image_directories.items():
            start = len(os.path.join(str(directory.abspath), ""))
            for path in expected_image_paths(directory):
                found[posixpath.join(place, path[start:].replace(os.sep, "/"))] = path
        return found


def upwards(path: str) -> Iterator[str]:
    """Yield a path and all directories above it."""
    while path:
        yield path
        above = posixpath.dirname(path)
        path = above if above != path else ""
