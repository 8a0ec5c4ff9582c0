"""A directory of images as an SCons node, and each image in it.

SCons compares a directory only by whether it changed in the same run, so installing or packaging images of an
earlier run would keep old files. This directory is compared by its content, and the link makes whatever is looked
up in it, even if it was unknown when the crate was declared. An image that is never looked up has no node, because
a node costs SCons as much as a crate.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import SCons.Action
import SCons.Builder
import SCons.Environment
import SCons.Errors
import SCons.Executor
import SCons.Node
import SCons.Node.FS

from ...base.digest import value_digest
from ...base.errors import GraphError, near_miss
from ...system.fs import digest_file
from .builders import NO_SCANNER
from .expected_images import ExpectedImages
from .made_file import MadeFile, set_up_output
from .node import change_class
from .paths import directory_node, relative

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


def image_directory_node(
    env: Environment, name: str, manifest: Any, files: Callable[[], Iterable[str]], expected: ExpectedImages
) -> Any:
    """Return the node of a directory that is made with a manifest; `files` gives its present files, as absolute paths.

    Shape: `expected` are the files that will be in it.
    """
    node = directory_node(env, name)
    _adopt_directory(node, _Owner(env, manifest, files, expected))
    return node


def is_image_directory(node: Any) -> bool:
    """Return whether a directory is one of images."""
    return isinstance(node, _ImageDirectory)


def expected_image_paths(directory: Any) -> Iterable[str]:
    """Return the files, absolute, that a link is known to make in a directory of images."""
    return sorted(directory.attributes.crate_images.expected.files or ())


class _Owner:
    """What all nodes below one directory of images share."""

    def __init__(
        self, env: Environment, manifest: Any, files: Callable[[], Iterable[str]], expected: ExpectedImages
    ) -> None:
        self.env = env
        self.manifest = manifest
        self.files = files
        self.expected = expected
        self.with_actions: dict[Any, None] = {}

    def is_obsolete(self, path: str) -> bool:
        """Return whether the next link removes a file."""
        known = self.expected.files
        return known is not None and path not in known and path in self.files()


def _adopt_directory(node: Any, owner: _Owner) -> None:
    change_class(node, _ImageDirectory)
    node.clear()  # SCons's record of it may have no room for a signature
    node.attributes.crate_images = owner
    node.set_executor(_DirectoryExecutor(node.get_executor()))
    node.Decider(_is_changed)
    # Its files are made with the manifest, so users of the directory wait for that.
    owner.env.Depends(node, owner.manifest)
    before = {name: entry for name, entry in node.entries.items() if name not in (".", "..")}
    node.entries = _Entries(node.entries, owner)
    for entry in before.values():
        _adopt(entry, owner)


def _adopt(node: Any, owner: _Owner) -> None:
    if isinstance(node, SCons.Node.FS.Dir):
        _adopt_directory(node, owner)
    elif not node.has_builder():
        if type(node) is SCons.Node.FS.Entry and not node.isdir():
            node.disambiguate()
        _IMAGE(owner.env, [node], [owner.manifest])
        node.attributes.crate_images = owner
        set_up_output(node, _Image)


def _has_actions(node: Any) -> bool:
    executor = getattr(node, "executor", None) if isinstance(node, _Image) else None
    return executor is not None and bool(executor.pre_actions or executor.post_actions)


class _DirectoryExecutor(SCons.Executor.Executor):  # type: ignore[misc]
    """Makes a directory of images: actions added before or after it run around the link."""

    __slots__ = ()

    def __init__(self, before: Any) -> None:
        super().__init__(before.action_list, before.env, before.overridelist, before.get_all_targets())
        for action in before.pre_actions:
            self.add_pre_action(action)
        for action in before.post_actions:
            self.add_post_action(action)

    def add_pre_action(self, action: Any) -> None:
        """Run an action before the link, once: it may have been added to the manifest as well."""
        link = self._link()
        if action not in link.pre_actions:
            link.add_pre_action(action)

    def add_post_action(self, action: Any) -> None:
        """Run an action after the link, once."""
        link = self._link()
        if action not in link.post_actions:
            link.add_post_action(action)

    def _link(self) -> Any:
        return self.get_all_targets()[0].attributes.crate_images.manifest.get_executor()


class _Entries(dict[str, Any]):
    """The entries of a directory of images that SCons knows: anything looked up there becomes an image."""

    def __init__(self, before: Mapping[str, Any], owner: _Owner) -> None:
        super().__init__(before)
        self._owner = owner

    def __setitem__(self, name: str, node: Any) -> None:
        super().__setitem__(name, node)
        _adopt(node, self._owner)


class _ImageDirectory(SCons.Node.FS.Dir):  # type: ignore[misc]
    """A directory of images, compared by their content."""

    __slots__ = ()
    # Unlike that of a directory, it has room for a signature.
    NodeInfo = SCons.Node.FS.FileNodeInfo

    def get_csig(self) -> str:
        """Return the digest of the images; not cached, since the link changes them."""
        csig = value_digest([(name, digest_file(self._file(name))) for name in self._image_names()])
        self.get_ninfo().csig = csig
        return csig

    def is_up_to_date(self) -> bool:
        """Return what SCons does for any directory, and have copies that differ installed again."""
        for target in self.attributes.crate_images.env.FindInstalledFiles():
            # SCons only checks whether the source of a directory was made in this run.
            if self in target.sources and self._differs(str(target.abspath)):
                target.set_always_build()
        return bool(super().is_up_to_date())

    def get_found_includes(self, env: Environment, scanner: Any, path: object) -> list[Any]:
        """Return the images that have actions; the signature covers all others."""
        self._remember_actions()
        return [node for node in self.attributes.crate_images.with_actions if node.is_under(self)]

    def _remember_actions(self) -> None:
        for name, node in self.entries.items():
            if isinstance(node, _ImageDirectory) and name not in (".", ".."):
                node._remember_actions()
            elif _has_actions(node):
                self.attributes.crate_images.with_actions[node] = None  # SCons drops the actions of made nodes

    def _glob1(self, pattern: str, ondisk: bool = True, source: bool = False, strings: bool = False) -> list[Any]:
        owner = self.attributes.crate_images
        for path in owner.expected.files or ():
            owner.env.fs.File(path)
        found = super()._glob1(pattern, ondisk, source, strings)
        return [item for item in found if not owner.is_obsolete(self._file(os.path.basename(str(item))))]

    def _file(self, name: str) -> str:
        return os.path.join(str(self.abspath), name)

    def _image_names(self) -> list[str]:
        start = self._file("")
        return sorted(path[len(start) :] for path in self.attributes.crate_images.files() if path.startswith(start))

    def _differs(self, directory: str) -> bool:
        return any(
            digest_file(self._file(name)) != digest_file(os.path.join(directory, name)) for name in self._image_names()
        )


class _Image(MadeFile):
    """An image in a directory, which the link makes."""

    __slots__ = ()

    def is_up_to_date(self) -> bool:
        """Return what SCons does for any file after the link; with actions, that the content has not changed."""
        self.clear()
        if _has_actions(self) and self.get_csig() != getattr(self.get_stored_info().ninfo, "csig", None):
            return False
        return bool(super().is_up_to_date())


class _CheckImage:
    """The action of an image's node: the link has made the image."""

    def __call__(self, target: list[Any], source: list[Any], env: Environment) -> None:
        for node in target:
            if not os.path.isfile(node.abspath):
                owner = node.attributes.crate_images
                root = os.path.join(env.fs.Top.abspath, "")
                made = [path.removeprefix(root) for path in owner.files()]
                error = GraphError(
                    f"{relative(node)} is not an image in {relative(owner.manifest)}",
                    context=(("images", "\n".join(made) or "none"),),
                    hint=near_miss(relative(node), made),
                )
                raise SCons.Errors.BuildError(node=node, errstr=str(error), status=2, exitstatus=2)

    def get_contents(self, target: list[Any], source: list[Any], env: Environment) -> bytes:
        return b"image of a crate"


_IMAGE = SCons.Builder.Builder(
    action=SCons.Action.Action(_CheckImage(), cmdstr=None),
    source_scanner=NO_SCANNER,
)


def _is_changed(node: Any, target: Any, previous: Any, repository: Any = None) -> bool:
    return bool(node.get_csig() != getattr(previous, "csig", None))
