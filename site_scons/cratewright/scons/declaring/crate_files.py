"""The files of a crate: their nodes, and the states of the stages that make them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...base.errors import ConfigurationError
from ...contract.backend import CodegenBackend
from ..crates.declared_crate import DeclaredCrate
from ..nodes.paths import file_node
from ..nodes.state import StageState
from ..SCons import entrance

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


class CrateFiles:
    """Gives the nodes of a crate's files, and the states of its stages."""

    def __init__(self, env: Environment, declared: DeclaredCrate, backend: CodegenBackend) -> None:
        self._env = env
        self._declared = declared
        self._backend = backend

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
