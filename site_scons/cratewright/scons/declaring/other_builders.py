"""Where crates meet SCons's own builders: their outputs in crates, and crates in their sources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import SCons.Node.FS
import SCons.Util

from ...base.errors import ConfigurationError
from ...values.crate_type import CrateType
from ..crates.declared_crate import DeclaredCrate
from ..crates.linkable import linkable
from ..nodes.crate_nodes import has_crates
from ..nodes.crate_target import CrateTarget
from ..SCons import entrance
from .variables import library_word

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_LIBRARIES = (".a", ".so", ".lib", ".dll", ".dylib")
_OBJECTS = (".o", ".os", ".obj")


def _is_library(node: Any) -> bool:
    """Return whether a source of a crate is a library, which is linked rather than compiled."""
    return str(node).endswith(_LIBRARIES)


def split_libraries(sources: object) -> tuple[object, list[Any]]:
    """Return the sources of a crate without libraries, and the libraries."""
    items = [sources] if isinstance(sources, SCons.Node.FS.Base) else sources
    if not isinstance(items, (list, SCons.Util.UserList)) or isinstance(items, CrateTarget):
        return sources, []
    flat: list[Any] = []
    for item in items:
        spread = isinstance(item, SCons.Util.UserList) and not isinstance(item, CrateTarget)
        flat += list(item) if spread else [item]
    libraries = [item for item in flat if isinstance(item, SCons.Node.FS.Base) and _is_library(item)]
    return [item for item in flat if item not in libraries], libraries


def library_option(env: Environment, value: object, *, crate: str) -> object:
    """Return `libs` with nodes as words: a static library becomes part of the crate.

    Raises: ConfigurationError for a node that is not a library.
    """
    if not isinstance(value, (list, tuple, SCons.Util.UserList, SCons.Node.FS.Base)):
        return value
    words: list[object] = []
    for item in SCons.Util.flatten(value):
        if not isinstance(item, SCons.Node.FS.Base):
            words.append(item)
        elif _is_library(item):
            words.append(library_word(item, bundle=True))
        else:
            raise ConfigurationError(
                f"crate '{crate}': {item} is not a library",
                hint="pass what env.Crate returned as deps, objects as sources",
            )
    return words


def check_shared_objects(nodes: Iterable[Any], types: Iterable[CrateType], *, crate: str) -> None:
    """Refuse objects that cannot be part of a dynamic library.

    Raises: ConfigurationError naming the object.
    """
    if not {CrateType.DYLIB, CrateType.CDYLIB} & set(types):
        return
    for node in nodes:
        if node.is_derived() and str(node).endswith(_OBJECTS) and not getattr(node.attributes, "shared", False):
            raise ConfigurationError(
                f"crate '{crate}' becomes a dynamic library, and {node} is not a shared object",
                hint="make it with env.SharedObject",
            )


def with_linkable(target: list[Any], source: list[Any], env: Environment) -> tuple[list[Any], list[Any]]:
    """Return targets and sources of a builder, with files for the linker in place of each crate, also in `LIBS`."""
    if has_crates(env.get("LIBS")) and not _is_archive(env, target):
        # That of the call if it has its own variables, or else of the Environment.
        env["LIBS"] = [item for item, _ in linkable(env["LIBS"], user=target[0])]
    if has_crates(source):
        pairs = linkable(source, user=target[0])
        crates = [(item, crate) for item, crate in pairs if crate is not None]
        if _is_archive(env, target):
            crates = [(_as_object(env, crate, item), crate) for item, crate in crates]
        # A linker takes from an archive only what it needs so far: sources come first.
        source = [*(item for item, crate in pairs if crate is None), *(item for item, _ in crates)]
    return target, source


@entrance
def libraries_for_linker(items: object) -> list[Any]:
    """Return the value of `LIBS` when a linker is called, with a file for each crate."""
    return [item for item, _ in linkable(items, user="LIBS")]


def _is_archive(env: Environment, target: list[Any]) -> bool:
    return bool(target) and str(target[0]).endswith(str(env.subst("$LIBSUFFIX")))


def _as_object(env: Environment, crate: DeclaredCrate, library: Any) -> Any:
    """Return one object with everything in a crate's static library: an archive cannot hold archives."""
    if library is crate.made.get(CrateType.OBJECT):
        return library
    if not str(library).endswith(".a"):
        raise ConfigurationError(
            f"an archive cannot hold {library}", hint="declare the crate with crate_type='staticlib'"
        )
    node = library.dir.File(f"{crate.name}.whole.o")
    if not node.has_builder():
        command = "$CC -r -nostdlib -o $TARGET -Wl,--whole-archive $SOURCE -Wl,--no-whole-archive"
        env.Command(node, library, command)
        node.attributes.shared = getattr(library.attributes, "shared", False)
    return node
