"""The images of a crate, as its target has them by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import SCons.Node.FS

from ...contract.backend import CodegenBackend
from ...values.crate import Crate
from ..nodes.crate_target import CrateTarget
from ..nodes.expected_images import ExpectedImages, ImageNodes
from ..nodes.images import image_directory_node
from ..SCons import entrance

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


class CrateImages:
    """Makes the directories of images that the links of one crate write."""

    def __init__(self, env: Environment, planned: Crate, backend: CodegenBackend) -> None:
        self._env = env
        self._planned = planned
        self._backend = backend
        self._expected: list[ExpectedImages] = []

    def directories(self, names: Sequence[str], manifest: Any, files: Callable[[], Iterable[str]]) -> list[Any]:
        """Return the nodes of directories that are made with a manifest; `files` gives their present files."""
        if not names:
            return []
        expected = ExpectedImages(self._env, self._paths)
        nodes = [image_directory_node(self._env, name, manifest, files, expected) for name in names]
        for node in nodes:
            self._env.Clean(manifest, node)
        self._expected.append(expected)
        return nodes

    def of_target(self, target: CrateTarget) -> ImageNodes:
        """Return the images of all links so far."""
        return ImageNodes(self._env, self._planned.name, self._expected, self._hint(target))

    @entrance
    def _paths(self) -> Mapping[str, str] | None:
        return self._backend.expected_images(self._planned)

    def _hint(self, target: CrateTarget) -> str:
        if target.image is None or not isinstance(target.image, SCons.Node.FS.Dir):
            return "the crate has no image for each entry point: multimodule=True makes them"
        if any(source.variant for source in self._planned.sources):
            return f"'variants' in {target.manifest} says which image a variant has: equal ones share one"
        return f'File("{target.image}/...") is one that only the compiler knows of'
