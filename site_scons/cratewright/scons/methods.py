"""The methods that an Environment gets: `Crate`, `CrateProfile`, `CrateWorkspace` and others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..plugins.registry import default_registry
from ..values.options import BUILTIN_PROFILES, resolve_profile
from .crates import CrateTarget, build_of
from .declaration import Declaration
from .own_variables import with_own_variables
from .promised import reads_any
from .settling import Settling, settling_of
from .spelling import commanded
from .targets import declare_for_targets
from .vouching import watch_build

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["commands_file", "crate", "embed_images", "profile", "workspace"]


def profile(env: Environment, name: str, inherits: str, options: Mapping[str, object]) -> None:
    """Declare a profile."""
    profiles = {**env["CRATE_PROFILES"], name: {"inherits": inherits, **options}}
    env["CRATE_PROFILES"] = profiles
    resolve_profile(name, {**BUILTIN_PROFILES, **default_registry().profiles, **profiles})


def crate(
    env: Environment, name: str, sources: object, deps: object, crate_type: object, options: Mapping[str, object]
) -> CrateTarget:
    """Declare a crate and return its target."""
    settling = settling_of(env)
    if settling.watch is None:
        settling.watch, settling.reads = _watch(env)
    env, rest = with_own_variables(env, options, where=f"crate '{name}'")
    return declare_for_targets(env, name, rest, sources, deps, crate_type)


def _watch(env: Environment) -> tuple[Callable[[Settling], None], Callable[[Settling, set[str]], bool]]:
    """Return what `Settling` calls once all SConscripts have been read."""
    build, fs = build_of(env), env.fs

    def watch(settling: Settling) -> None:
        build.links.known = settling.known_links
        watch_build(build, settling, fs)

    def reads(settling: Settling, paths: set[str]) -> bool:
        build.links.known = settling.known_links
        return reads_any(build, paths)

    return watch, reads


def workspace(env: Environment, file: object, features: object, *, default_features: bool) -> Mapping[str, CrateTarget]:
    """Declare the crates of a TOML file and return their targets by name."""
    from .workspace import declare_workspace  # noqa: PLC0415 - only builds that have a workspace pay for it

    return declare_workspace(commanded(env), file, Declaration, features=features, default_features=default_features)


def embed_images(env: Environment, name: str, crates: object, *, shared: bool) -> list[object]:
    """Declare an object file and a header for the images of crates, and return the object's node."""
    from .embed import embed  # noqa: PLC0415 - few builds ask for it

    return embed(env, name, crates, shared=shared)


def commands_file(env: Environment, file: str) -> list[object]:
    """Return the node of a file that tells editors how the sources of all crates are compiled."""
    from .compile_commands import compile_commands  # noqa: PLC0415 - few builds ask for it

    return compile_commands(env, build_of(env), file)
