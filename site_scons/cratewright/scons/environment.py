"""The tool: what it adds to an Environment, and the construction variables it reads.

Source: the SCons user guide, "Tools"; the tool is a callable, so it needs no place in a tool path.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import SCons.Errors

from ..ending import end_on_signals
from ..errors import CratewrightError
from ..options import BUILTIN_PROFILES, resolve_profile
from ..registry import default_registry
from .builders import STAGES
from .by_hand import stage_builders
from .crates import CrateTarget, build_of
from .declaration import Declaration
from .foreign import add_emitters
from .links import install_links
from .reporting import offer_options
from .spelling import commanded
from .targets import declare_for_targets
from .untaken import AS_FOUND, as_found
from .variables import FOUND, found_programs

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["exists", "generate"]

_SETTINGS = (
    "CRATE_CACHE",
    "CRATE_CACHE_MODE",
    "CRATE_CACHE_VERIFY",
    "CRATE_EVENTS",
    "CRATE_MEMORY",
    "CRATE_TIMEOUT",
    "CRATE_TIME_PASSES",
    "CRATE_WORKERS",
)


_BUILDERS = stage_builders()


def exists(env: Environment) -> bool:
    """Say that the tool can always be used."""
    return True


def generate(env: Environment) -> None:
    """Add the methods `Crate...` to an Environment, and the construction variables they read."""
    # Made here, since SCons makes it in a worker thread otherwise and crashes with -j (SCons issue 4426).
    env.get_CacheDir()
    end_on_signals()
    offer_options()
    env.SetDefault(CRATE_BACKEND="", CRATE_TARGET="", CRATE_PROFILE="dev", CRATE_PROFILES={})
    env[FOUND] = found_programs(env)
    env[AS_FOUND] = as_found(env)
    add_emitters(env)
    install_links(env)
    for name in _SETTINGS:
        env.SetDefault(**{name: os.environ.get(name, "")})
    for name, value in os.environ.items():
        # Toolchain choices such as CRATE_SPIRV_SDK belong to backends, which read them through the session.
        if name.startswith("CRATE_") and name not in env:
            env[name] = value
    env.SetDefault(**{f"{name.upper()}COMSTR": text for name, text in STAGES.items()})
    # What an SConstruct has put in the place of a stage stays.
    env.Append(BUILDERS={name: builder for name, builder in _BUILDERS.items() if name not in env["BUILDERS"]})
    env.AddMethod(_crate, "Crate")
    env.AddMethod(_embed, "CrateEmbed")
    env.AddMethod(_profile, "CrateProfile")
    env.AddMethod(_workspace, "CrateWorkspace")
    env.AddMethod(_compile_commands, "CrateCompileCommands")


def _profile(env: Environment, name: str, inherits: str = "", **options: object) -> None:
    """Declare a profile: options by name, on top of those of the profile it inherits."""
    profiles = {**env["CRATE_PROFILES"], name: {"inherits": inherits, **options}}
    env["CRATE_PROFILES"] = profiles
    try:
        resolve_profile(name, {**BUILTIN_PROFILES, **default_registry().profiles, **profiles})
    except CratewrightError as error:
        raise SCons.Errors.UserError(str(error)) from error


def _crate(
    env: Environment,
    name: str,
    sources: object,
    deps: object = (),
    crate_type: object = "rlib",
    **options: object,
) -> CrateTarget:
    """Declare a crate and return its target."""
    try:
        # As for any builder, words in capitals are construction variables of this call alone.
        own = {word: value for word, value in options.items() if word.isupper()}
        rest = {word: value for word, value in options.items() if word not in own}
        env = commanded(env.Override(own) if own else env)
        return declare_for_targets(env, name, rest, sources, deps, crate_type)
    except CratewrightError as error:
        raise SCons.Errors.UserError(str(error)) from error


def _workspace(
    env: Environment, file: object, features: object = (), default_features: bool = True
) -> Mapping[str, CrateTarget]:
    """Declare the crates of a TOML file and return their targets by name."""
    from .workspace import declare_workspace  # noqa: PLC0415 - only builds that have a workspace pay for it

    try:
        return declare_workspace(
            commanded(env), file, Declaration, features=features, default_features=default_features
        )
    except CratewrightError as error:
        raise SCons.Errors.UserError(str(error)) from error


def _embed(env: Environment, name: str, crates: object, shared: bool = True) -> list[object]:
    """Declare an object file and a header for the images of crates, and return the object's node."""
    from .embed import embed  # noqa: PLC0415 - few builds ask for it

    try:
        return embed(env, name, crates, shared=shared)
    except CratewrightError as error:
        raise SCons.Errors.UserError(str(error)) from error


def _compile_commands(env: Environment, file: str = "compile_commands.json") -> list[object]:
    """Return the node of a file that tells editors how the sources of all crates are compiled."""
    from .compile_commands import compile_commands  # noqa: PLC0415 - few builds ask for it

    return compile_commands(env, build_of(env), file)


# SCons shows the deepest frame that is not its own as the place of a user's mistake. These frames of ours lie
# between the user's line and SCons: counting them as SCons's makes the message name the line of the SConstruct.
for _method in (_crate, _embed, _profile, _workspace):
    _method.__code__ = _method.__code__.replace(co_filename=SCons.Errors.__file__)
