"""Where crates meet SCons's own builders: what those have built goes into crates, and crates into what they build.

Knows nothing of what is in an object or a library.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import SCons.Errors
import SCons.Node.FS
import SCons.Util

from ..crate import CrateType
from ..errors import ConfigurationError
from .crates import Build, CrateTarget, DeclaredCrate, planning_errors
from .variables import library_word

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["add_emitters", "check_shared_objects", "is_library", "library_words", "parted_libraries"]

_LIBRARIES = (".a", ".so", ".lib", ".dll", ".dylib")
_OBJECTS = (".o", ".os", ".obj")
_EMITTERS = ("PROGEMITTER", "SHLIBEMITTER", "LIBEMITTER", "LDMODULEEMITTER")


def is_library(node: Any) -> bool:
    """Return whether a source of a crate is a library, which is linked rather than compiled."""
    return str(node).endswith(_LIBRARIES)


def parted_libraries(sources: object) -> tuple[object, list[Any]]:
    """Return the sources of a crate without libraries, and the libraries."""
    items = [sources] if isinstance(sources, SCons.Node.FS.Base) else sources
    if not isinstance(items, (list, SCons.Util.UserList)) or isinstance(items, CrateTarget):
        return sources, []
    flat: list[Any] = []
    for item in items:
        spread = isinstance(item, SCons.Util.UserList) and not isinstance(item, CrateTarget)
        flat += item if spread else [item]
    libraries = [item for item in flat if isinstance(item, SCons.Node.FS.Base) and is_library(item)]
    return [item for item in flat if item not in libraries], libraries


def library_words(env: Environment, value: object, *, crate: str) -> object:
    """Return `libs` with nodes as words: a static library becomes part of the crate.

    Raises: ConfigurationError for a node that is no library.
    """
    if not isinstance(value, (list, tuple, SCons.Util.UserList, SCons.Node.FS.Base)):
        return value
    words: list[object] = []
    for item in SCons.Util.flatten(value):
        if not isinstance(item, SCons.Node.FS.Base):
            words.append(item)
        elif is_library(item):
            words.append(library_word(item, bundle=True))
        else:
            raise ConfigurationError(
                f"crate '{crate}': {item} is no library",
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
                f"crate '{crate}' becomes a dynamic library, and {node} is no shared object",
                hint="make it with env.SharedObject",
            )


def add_emitters(env: Environment) -> None:
    """Let SCons's builders of programs and libraries take crates among their sources."""
    for name in _EMITTERS:
        before = env.get(name)
        emitters = before if isinstance(before, list) else [before] if before else []
        if _emit not in emitters:
            env[name] = [*emitters, _emit]


def _emit(target: list[Any], source: list[Any], env: Environment) -> tuple[list[Any], list[Any]]:
    builds: dict[str, Build] = env.fs.__dict__.get("cratewright_builds", {})
    owners = {
        node: crate for build in builds.values() for crate in build.crates.values() for node in crate.target or ()
    }
    if not any(node in owners for node in source):
        return target, source
    own = [node for node in source if node not in owners]
    with planning_errors():
        crates = list({id(owners[node]): owners[node] for node in source if node in owners}.values())
        # A linker takes from an archive what it needs by then: sources come first.
        return target, [*own, *(_linkable(env, crate, source, target) for crate in crates)]


def _linkable(env: Environment, crate: DeclaredCrate, source: list[Any], target: list[Any]) -> Any:
    given = [node for node in source if node in (crate.target or ())]
    for kind in (CrateType.STATICLIB, CrateType.OBJECT, CrateType.CDYLIB, CrateType.DYLIB):
        node = crate.made.get(kind)
        if node is not None and node in given:
            if kind is CrateType.OBJECT or not _is_archive(env, target):
                return node
            return _as_object(env, crate, node)
    has = [kind.value for kind in crate.crate_types]
    raise ConfigurationError(
        f"{target[0]} is given crate '{crate.name}', which has nothing that a linker takes",
        context=(("crate types", " ".join(has)), ("declared in", crate.declared_at)),
        hint="an rlib is for crates alone: declare it with crate_type=['rlib', 'staticlib'], or 'cdylib'",
    )


def _is_archive(env: Environment, target: list[Any]) -> bool:
    return bool(target) and str(target[0]).endswith(str(env.subst("$LIBSUFFIX")))


def _as_object(env: Environment, crate: DeclaredCrate, library: Any) -> Any:
    """Return one object with all that is in a crate's static library: an archive holds no archives."""
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


for _function in (_emit, _linkable):
    _function.__code__ = _function.__code__.replace(co_filename=SCons.Errors.__file__)
