"""What `deps` of a crate means: targets, names and rlibs, each for the crate's own target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import SCons.Node
import SCons.Util

from ...base.errors import GraphError
from ...pipeline.engine import Engine
from ...values.crate_type import CrateType
from ...values.whole_crate import WholeCrate
from ..crates.build import Build
from ..crates.prebuilt import SUFFIX, as_rlib, prebuilt_crate
from ..nodes.crate_target import CrateTarget
from ..nodes.paths import relative
from .crate_of_node import crate_stages_of
from .stages import CrateStages

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


class Declaring(Protocol):
    """A crate that is being declared."""

    env: Environment
    build: Build
    here: Any
    engine: Engine
    name: str
    target: str
    backend_name: str
    whole: set[str]
    instead: dict[str, Any]


def dependency_keys(crate: Declaring, deps: object) -> tuple[str, ...]:
    """Return the keys and names of the crates in `deps`; note those that are linked whole.

    Raises: GraphError for anything but a crate, and for a crate of another target.
    """
    names: list[str] = []
    for dependency in _dependency_items(deps):
        item = dependency.dependency if isinstance(dependency, WholeCrate) else dependency
        stages, rlib = crate_stages_of(item), as_rlib(crate.env, item)
        if stages is not None:
            names.append(_made_key(crate, stages, item))
        elif rlib is not None:
            names.append(prebuilt_crate(crate.build, crate.engine, rlib, user=crate.name))
        elif isinstance(item, CrateTarget) and item.is_crate:
            names.append(_key_of(crate, item))
        elif isinstance(item, str):
            names.append(item)
            crate.build.retargeting.request(
                item,
                crate.build.crates_named(item),
                directory=relative(crate.here),
                backend=crate.backend_name,
                machine=crate.target,
            )
        else:
            raise GraphError(
                f"crate '{crate.name}' cannot depend on {item if isinstance(item, SCons.Node.Node) else repr(item)}",
                hint="pass what env.Crate returned, the name of a crate or an .rlib file",
            )
        if item is not dependency:
            crate.whole.add(names[-1])
    return tuple(dict.fromkeys(names))


def _made_key(crate: Declaring, stages: CrateStages, node: Any) -> str:
    """Return the key of the crate that a node was made from; note an rlib that replaces that crate's own."""
    other = stages.declared
    if node.name.endswith(SUFFIX) and node is not other.libraries.setdefault(CrateType.RLIB, node):
        crate.instead[other.key] = node
    return _key_of(crate, stages.target)


def _key_of(crate: Declaring, item: CrateTarget) -> str:
    """Return the key of a dependency for this crate's target: libraries are built for it too.

    Raises: GraphError if it is only for other targets.
    """
    item = item.targets.get(crate.target, item)
    found = crate.build.of_target(item)
    if item.targets or (found is not None and not found.fits(crate.backend_name, crate.target)):
        has = list(item.targets) or [found.machine] if found is not None else list(item.targets)
        if found is None or found.for_target is None:
            raise GraphError(
                f"crate '{crate.name}' is for target '{crate.target}', but '{item.name}' is not",
                context=((item.name, " ".join(has)),),
                hint=f"declare '{item.name}' without a target of its own, or for this one as well",
            )
        return _key_of(crate, found.for_target(crate.target))
    return found.key if found is not None else item.name


def _dependency_items(deps: object) -> list[object]:
    """Yield the items of `deps`; lists of nodes, such as builders return, are flattened."""
    if isinstance(deps, CrateTarget) and deps.is_crate:
        return [deps]
    if isinstance(deps, str) or not isinstance(deps, Sequence):
        return [deps]
    spread = (_dependency_items(item) if isinstance(item, SCons.Util.UserList) else [item] for item in deps)
    return [item for items in spread for item in items]
