"""Names that begin with `CRATE_`: all known ones, and misspelt ones."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import SCons.Script

from ...base.errors import ConfigurationError, UnknownNameError, near_miss
from ...contract.backend import CodegenBackend
from ...pipeline.settings import CORE_SETTINGS
from ...plugins.loading import default_registry
from ...values.options import CORE_OPTIONS

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_PREFIX = "CRATE_"
_SIMILARITY = 0.85
_PROCESS_ONLY = ("CRATE_PLUGINS", "CRATE_TRACE_PLUGINS")
"""Settings that are read before there is an Environment."""
_DEFAULTS = ("CRATE_BACKEND", "CRATE_TARGET", "CRATE_PROFILE")
"""Variables that every crate reads; None means that they are not set."""
_CRATE_VARIABLES = frozenset({*_DEFAULTS, "CRATE_PROFILES"})


def with_command_line(env: Environment) -> Environment:
    """Return an Environment in which `CRATE_*=...` of the command line override its variables.

    Raises: ConfigurationError if a variable that every crate reads has the wrong type.
    """
    overrides = {name: "" for name in _DEFAULTS if env.get(name, "") is None} | {**_arguments()}
    env = env.Override(overrides) if overrides else env
    for name in _DEFAULTS:
        if not isinstance(env.get(name, ""), str):
            hint = "env.Crate takes a list: target=[...]" if name == "CRATE_TARGET" else "give it one name"
            raise ConfigurationError(f"{name} takes one string, not {env[name]!r}", hint=hint)
    profiles = env.get("CRATE_PROFILES", {})
    if not isinstance(profiles, Mapping) or not all(isinstance(item, Mapping) for item in profiles.values()):
        raise ConfigurationError(
            f"CRATE_PROFILES takes options by profile, not {profiles!r}",
            hint='env.CrateProfile("NAME", inherits="release", OPTION=...) adds one',
        )
    return env


def check_names(env: Environment, backend: type[CodegenBackend]) -> None:
    """Refuse unknown names: in an Environment, on the command line, and in the process environment.

    Shape: other programs use the process environment too, so names there are ignored if they resemble no known one.
    Raises: ConfigurationError for what only the process environment may set; UnknownNameError with the nearest known
    name.
    """
    for name in _PROCESS_ONLY:
        value = str(_arguments().get(name, env.get(name, "")))
        if value != os.environ.get(name, ""):
            raise ConfigurationError(
                f"{name} can only be set in the process environment: plugins are found once, for all Environments",
                context=(("said", value or "nothing"), ("counts", os.environ.get(name, "") or "nothing")),
                hint=f"{name}={value or '...'} scons",
            )
    names = own_names(env)
    known = _names_of(backend)
    if known.issuperset(names):
        return
    from difflib import get_close_matches  # noqa: PLC0415 - few Environments have names unknown to their backend

    registry = default_registry()
    known |= _names(registry.backend(name) for name in registry.names)
    for name in names:
        if name in known:
            continue
        near = get_close_matches(name, known, n=1, cutoff=_SIMILARITY)
        inherited = name in os.environ and env[name] == os.environ[name] and name not in _arguments()
        if inherited and not near:
            continue
        hint = f"did you mean '{near[0]}'?" if near else near_miss(name, known)
        place = "the process environment" if inherited else "the command line" if name in _arguments() else ""
        raise UnknownNameError(
            f"{name} is not a known variable", context=(("in", place or "an Environment"),), hint=hint
        )


def own_names(env: Environment) -> tuple[str, ...]:
    """Return the names of an Environment's variables that begin with `CRATE_`."""
    return _own_names(tuple(env.Dictionary()))


@lru_cache(maxsize=8)
def _own_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name.startswith(_PREFIX))


@lru_cache(maxsize=8)
def _names_of(backend: type[CodegenBackend]) -> frozenset[str]:
    return frozenset(_names([backend]))


def _arguments() -> Mapping[str, str]:
    return {name: value for name, value in SCons.Script.ARGUMENTS.items() if name.startswith(_PREFIX)}


def _names(backends: Iterable[type[CodegenBackend]]) -> set[str]:
    names = {*_CRATE_VARIABLES, *CORE_SETTINGS, *(f"{_PREFIX}{spec.name.upper()}" for spec in CORE_OPTIONS)}
    for backend in backends:
        names |= backend.SETTINGS
        names |= {f"{_PREFIX}{spec.name.upper()}" for spec in backend.OPTIONS}
    return names
