"""The tool: what it adds to an Environment, and the construction variables it reads.

Source: the SCons user guide, "Tools"; the tool is a callable, so it needs no tool path. If there is nothing to do,
SCons runs nothing else of this package: the methods import what declares crates.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .declaring.emitters import add_emitters
from .graph.duplicates import keep_hard_links
from .last_build.call_recorder import recorder_of
from .nodes.builders import STAGE_BUILDERS, StageBuilder
from .nodes.installing import install_links
from .options.tool_defaults import TOOL_DEFAULTS, TOOL_PROGRAMS, initial_values, tool_programs
from .reporting.switches import offer_options
from .SCons import entrance, method

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

    from .nodes.crate_target import CrateTarget

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


def exists(env: Environment) -> bool:
    """Return that the tool can always be used."""
    return True


def generate(env: Environment) -> None:
    """Add the methods `Crate...` to an Environment, and the construction variables they read."""
    offer_options()
    keep_hard_links()
    env.SetDefault(CRATE_BACKEND="", CRATE_TARGET="", CRATE_PROFILE="dev", CRATE_PROFILES={})
    env[TOOL_PROGRAMS] = tool_programs(env)
    env[TOOL_DEFAULTS] = initial_values(env)
    add_emitters(env)
    install_links(env)
    for name in _SETTINGS:
        env.SetDefault(**{name: os.environ.get(name, "")})
    for name, value in os.environ.items():
        # Toolchain choices such as CRATE_SPIRV_SDK belong to backends, which read them through the session.
        if name.startswith("CRATE_") and name not in env:
            env[name] = value
    env.SetDefault(**{f"{name.upper()}COMSTR": text for name, text in STAGE_BUILDERS.items()})
    # Keep builders with which an SConstruct has replaced stages.
    env.Append(BUILDERS={name: builder for name, builder in _BUILDERS.items() if name not in env["BUILDERS"]})
    env.AddMethod(_crate, "Crate")
    env.AddMethod(_embed, "CrateEmbed")
    env.AddMethod(_profile, "CrateProfile")
    env.AddMethod(_workspace, "CrateWorkspace")
    env.AddMethod(_compile_commands, "CrateCompileCommands")


@method("CrateProfile")
def _profile(env: Environment, name: str, inherits: str = "", **options: object) -> None:
    """Declare a profile: options by name, on top of those of the profile it inherits."""
    from .methods import profile  # noqa: PLC0415

    profile(env, name, inherits, options)


@method("Crate")
def _crate(
    env: Environment,
    name: str,
    sources: object,
    deps: object = (),
    crate_type: object = "rlib",
    **options: object,
) -> CrateTarget:
    """Declare a crate and return its target."""
    return recorder_of(env).crate(_declared, env, name, sources, deps, crate_type, options)


@entrance
def _declared(env: Environment, *words: Any) -> CrateTarget:
    from .methods import crate  # noqa: PLC0415

    return crate(env, *words)


@method("CrateWorkspace")
def _workspace(
    env: Environment, file: object, features: object = (), default_features: bool = True
) -> Mapping[str, CrateTarget]:
    """Declare the crates of a TOML file and return their targets by name."""
    from .declaring.workspace import declare_workspace  # noqa: PLC0415

    return declare_workspace(env, file, features, default_features=default_features)


@method("CrateEmbed")
def _embed(env: Environment, name: str, crates: object, shared: bool = True) -> list[object]:
    """Declare an object file and a header for the images of crates, and return the object's node."""
    from .crates.embed import embed  # noqa: PLC0415

    return embed(env, name, crates, shared=shared)


@method("CrateCompileCommands")
def _compile_commands(env: Environment, file: str = "compile_commands.json") -> list[object]:
    """Return the node of a file that tells editors how the sources of all crates are compiled."""
    from .declaring.compile_commands import compile_commands  # noqa: PLC0415

    return compile_commands(env, file)


def _stage(name: str) -> StageBuilder:
    def compose(env: Environment, target: Any, source: Any, words: Mapping[str, object]) -> list[Any]:
        from .declaring.by_hand import call_stage  # noqa: PLC0415

        return call_stage(name, env, target, source, words)

    return StageBuilder(name, f"${name.upper()}COMSTR", compose)


_BUILDERS = {name: _stage(name) for name in STAGE_BUILDERS}
