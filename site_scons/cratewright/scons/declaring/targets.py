"""One declaration for several targets: a directory of outputs for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import SCons.Util

from ...base.errors import ConfigurationError
from ..nodes.crate_target import CrateTarget
from ..nodes.paths import calling_line, reading_in
from ..options.expansion import Expansion
from .declaration import Declaration

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


def declare_for_targets(
    env: Environment, name: str, options: Mapping[str, object], sources: object, deps: object, crate_type: object
) -> CrateTarget:
    """Declare a crate for its target, or for each of several in a directory with the target's name.

    Raises: ConfigurationError for an empty list or a target given twice; as `Declaration`.
    """
    here, others = env.fs.getcwd(), {}
    requested = options.get("target")

    def for_one(target: str) -> CrateTarget:
        if target not in others:
            with reading_in(env, here):
                declaration = Declaration(env, name, {**options, "target": target}, below=target)
                others[target] = declaration.declare(sources, deps, crate_type)
        return others[target]

    if not isinstance(requested, (list, tuple, SCons.Util.UserList)):
        for_target = for_one if not requested else None
        return Declaration(env, name, options, for_target=for_target).declare(sources, deps, crate_type)
    expansion = Expansion(env, where=f"crate '{name}'")
    targets = [expansion.text("a target", target) for target in requested]
    if not targets or len(set(targets)) < len(targets):
        raise ConfigurationError(
            f"crate '{name}' is for {'no target' if not targets else 'one target twice'}",
            context=(("declared in", calling_line(env.fs.Top.abspath)),),
            hint='target=["vulkan1.1", "vulkan1.3"]',
        )
    return together(name, {target: for_one(target) for target in targets})


def together(name: str, made: Mapping[str, CrateTarget]) -> CrateTarget:
    """Return the crate target that stands for those of several targets."""
    target = CrateTarget([node for one in made.values() for node in one], name=name)
    target.targets = made
    return target
