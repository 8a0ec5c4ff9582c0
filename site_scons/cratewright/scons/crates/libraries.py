"""Libraries that crates link and that SCons itself makes.

Existing libraries are observed when they are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import SCons.Node.FS

from ..nodes.paths import literal_path
from .declared_crate import DeclaredCrate

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


def bundled_libraries(env: Environment, crate: DeclaredCrate) -> list[Any]:
    """Return the nodes that must be made before a crate's codegen, which includes their members."""
    return _made(env, crate, [crate], bundled=True)


def linked_libraries(env: Environment, crate: DeclaredCrate, below: Iterable[DeclaredCrate]) -> list[Any]:
    """Return the nodes that must be made before a crate is linked with its dependencies."""
    return _made(env, crate, [crate, *below], bundled=False)


def _made(env: Environment, crate: DeclaredCrate, asking: list[DeclaredCrate], *, bundled: bool) -> list[Any]:
    wanted = [library for other in asking for library in other.native_libraries if library.bundle == bundled]
    if not wanted:
        return []
    paths = dict.fromkeys(path for other in asking for path in other.lib_dirs)
    directories = tuple(env.fs.Dir(literal_path(path), env.fs.Top) for path in paths)
    names = dict.fromkeys(name for library in wanted for name in _file_names(env, library.name) if not library.path)
    found = [SCons.Node.FS.find_file(name, (directory,)) for name in names for directory in directories]
    found += [env.fs.File(literal_path(library.path), env.fs.Top) for library in wanted if library.path]
    # A crate may be called as a library of the system is.
    own = set(crate.target.results if crate.target is not None else ())
    return [node for node in found if node is not None and node.is_derived() and node not in own]


def _file_names(env: Environment, name: str) -> tuple[str, ...]:
    if name.startswith(":"):
        return (name[1:],)
    forms = (("lib", ".a"), ("lib", ".so"), ("$LIBPREFIX", "$LIBSUFFIX"), ("$SHLIBPREFIX", "$SHLIBSUFFIX"))
    return tuple(f"{env.subst(before)}{name}{env.subst(after)}" for before, after in forms)
