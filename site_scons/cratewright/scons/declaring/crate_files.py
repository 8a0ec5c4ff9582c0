"""The files of a crate: their nodes, the directories of images, and the states of the stages that make them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import SCons.Node.FS

from ...base.errors import ConfigurationError
from ...contract.backend import CodegenBackend
from ...values.crate import Crate
from ..crates.declared_crate import DeclaredCrate
from ..nodes.crate_target import CrateTarget
from ..nodes.expected_images import ExpectedImages, ImageNodes
from ..nodes.images import image_directory_node
from ..nodes.paths import file_node
from ..nodes.state import StageState
from ..SCons import entrance

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


class CrateFiles:
    """Gives the nodes of a crate's files and of its directories of images, and the states of its stages."""

    def __init__(self, env: Environment, declared: DeclaredCrate, backend: CodegenBackend, planned: Crate) -> None:
        self._env = env
        self._declared = declared
        self._backend = backend
        self._planned = planned
        self._expected: list[ExpectedImages] = []

    def node(self, name: str) -> Any:
        """Return the node of a file.

        Raises: ConfigurationError if a directory has that name.
        """
        try:
            node = file_node(self._env, name)
            is_directory = os.path.isdir(node.abspath)
        except ConfigurationError:
            is_directory = True
        if is_directory:
            raise ConfigurationError(
                f"crate '{self._declared.name}' makes the file '{name}', and there is a directory of that name",
                context=(("declared at", self._declared.declared_at),),
                hint="rename the crate or the directory, or build elsewhere: variant_dir of SConscript()",
            )
        return node

    def state(self, what: str, target: Any, request: Callable[[], str]) -> StageState:
        """Return the state of the stage that makes a target; `what` is "inputs of" or the like."""
        name = f"{what} {target}"
        digests = self._declared.engine.digests
        return StageState(name, digests=digests, target=target.abspath, request=entrance(request))

    def versions(self) -> str:
        """Return the digests of the code and of the programs that make the crate."""
        engine, name, target = self._declared.engine, self._backend.NAME, self._backend.session.target
        return engine.code_digest(name, target) + engine.fingerprint(name, target)

    def image_directories(self, names: Sequence[str], manifest: Any, files: Callable[[], Iterable[str]]) -> list[Any]:
        """Return the nodes of directories that are made with a manifest; `files` gives their present files."""
        if not names:
            return []
        expected = ExpectedImages(self._env, self._image_paths)
        nodes = [image_directory_node(self._env, name, manifest, files, expected) for name in names]
        for node in nodes:
            self._env.Clean(manifest, node)
        self._expected.append(expected)
        return nodes

    def images(self, target: CrateTarget) -> ImageNodes:
        """Return the images of all links so far."""
        return ImageNodes(self._env, self._planned.name, self._expected, self._hint_for_image(target))

    @entrance
    def _image_paths(self) -> Mapping[str, str] | None:
        return self._backend.expected_images(self._planned)

    def _hint_for_image(self, target: CrateTarget) -> str:
        if target.image is None or not isinstance(target.image, SCons.Node.FS.Dir):
            return "the crate has no image for each entry point: multimodule=True makes them"
        if any(source.variant for source in self._planned.sources):
            return f"'variants' in {target.manifest} says which image a variant has: equal ones share one"
        return f'File("{target.image}/...") is one that only the compiler knows of'
