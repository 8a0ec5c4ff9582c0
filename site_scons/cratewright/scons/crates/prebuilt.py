"""Rlibs that no crate of the build makes; each contains the crate's name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import SCons.Node.FS

from ...base.errors import ConfigurationError, GraphError
from ...formats.crate_metadata import CrateMetadata
from ...formats.metadata import decode_rlib
from ...pipeline.engine import Engine
from ...system.fs import read_bytes
from ...values.crate import Crate
from ...values.crate_type import CrateType
from ..nodes.crate_target import CrateTarget
from ..nodes.made_file import compare_by_content
from ..nodes.paths import located_source, nearest_name, relative
from .build import Build
from .declared_crate import DeclaredCrate

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

SUFFIX = ".rlib"


def as_rlib(env: Environment, item: object) -> Any:
    """Return the node of an rlib that a dependency names by its file, None if it names something else."""
    if isinstance(item, str):
        return _named(env, item) if item.endswith(SUFFIX) else None
    return item if isinstance(item, (SCons.Node.FS.File, SCons.Node.FS.Entry)) and str(item).endswith(SUFFIX) else None


def _named(env: Environment, path: str) -> Any:
    try:
        return env.File(path)
    except TypeError as error:
        raise ConfigurationError(f"{path} is a directory, not an rlib") from error


def prebuilt_crate(build: Build, engine: Engine, node: Any, *, user: str) -> str:
    """Return the key of the crate in an rlib.

    If it is not declared yet, declare it, with those crates that it needs whose rlibs are beside it.

    Raises: ConfigurationError if there is no such rlib; FormatError for an invalid one.
    """
    for crate in build.crates.values():
        if node in crate.libraries.values():
            return crate.key
    return _declared(build, engine, check_rlib(node, user=user)).key


def check_rlib(node: Any, *, user: str) -> Any:
    """Return the node at the path of an rlib.

    Raises: ConfigurationError if it is missing, or yet to be built.
    """
    if node.is_derived():
        raise ConfigurationError(
            f"crate '{user}' depends on {node}, which is not built yet",
            hint="depend on the crate it is made from; the output of another builder cannot be a dependency",
        )
    located = located_source(node)
    if not located.exists():
        raise ConfigurationError(
            f"{relative(located)}: no such rlib",
            context=(("needed by", f"crate '{user}'"),),
            hint=nearest_name(located.abspath),
        )
    return located


def _declared(build: Build, engine: Engine, rlib: Any) -> DeclaredCrate:
    pending, first = [rlib], None
    while pending:
        node = pending.pop()
        path = relative(node)
        metadata = decode_rlib(read_bytes(str(node.abspath), role="rlib"), path=path)
        key = _key(path, metadata.name)
        if key not in build.crates:
            names = [reference.name for reference in metadata.dependencies]
            beside = {name: node.dir.File(f"lib{name}{SUFFIX}") for name in names}
            there = {name: other for name, other in beside.items() if not other.is_derived() and other.exists()}
            dependencies = tuple(_key(relative(there[name]), name) if name in there else name for name in names)
            _add(build, engine, node, metadata, dependencies)
            pending += there.values()
        first = first or build.crates[key]
    assert first is not None
    return first


def _key(path: str, name: str) -> str:
    # As for crates that are built, what follows the colon is the name.
    return f"{path}:{name}"


def _add(build: Build, engine: Engine, node: Any, metadata: CrateMetadata, dependencies: tuple[str, ...]) -> None:
    path = relative(node)
    compare_by_content(node)
    crate = Crate(
        name=metadata.name,
        version=metadata.version,
        backend=metadata.backend,
        target=metadata.target,
        profile="",
        crate_types=(CrateType.RLIB,),
        sources=(),
        dependencies=metadata.dependencies,
        options=metadata.options,
    )
    try:
        build.declare(
            DeclaredCrate(
                name=metadata.name,
                key=_key(path, metadata.name),
                directory=os.path.dirname(path),
                dependencies=dependencies,
                resolve=lambda: crate,
                sources=(),
                engine=engine,
                version=metadata.version,
                metadata=metadata.metadata,
                target=CrateTarget([node], name=metadata.name, key=_key(path, metadata.name), rlib=node),
                libraries={CrateType.RLIB: node},
            )
        )
    except GraphError as error:
        raise GraphError(
            error.message, context=(*error.context, ("one is", path)), hint="give only one of them"
        ) from error
