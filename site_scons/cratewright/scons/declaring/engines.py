"""The engines of crates: one for all crates with the same settings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import SCons.Node.FS

from ...base.errors import ConfigurationError
from ...contract.backend import CodegenBackend
from ...pipeline.cache_settings import cache_places, is_url, one_a_line, read_modes
from ...pipeline.engine import Engine
from ...pipeline.settings import CORE_SETTINGS, FLAGS, NUMBER_SETTINGS, SECRETS, read_remote, read_workers
from ...plugins.loading import default_registry
from ...values.option_spec import OptionSpec
from ..crates.build import Build
from ..options.spelling import own_names
from .variables import chosen_programs, is_chosen

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


def engine_of(
    build: Build, env: Environment, table: Iterable[OptionSpec], backend: type[CodegenBackend], *, where: str
) -> Engine:
    """Return the engine for an Environment's settings.

    Raises: ConfigurationError for an invalid choice of programs.
    """
    # Options differ by crate; all other settings are the same for crates that share workers and cache.
    options = {f"CRATE_{spec.name.upper()}" for spec in table}
    settings = {
        name: text
        for name in own_names(env)
        if name not in options and _is_setting(name) and (text := _setting(name, env[name]))
    }
    read_remote(settings)
    read_modes(settings)
    read_workers(settings)
    places = cache_places(settings["CRATE_CACHE"]) if settings.get("CRATE_CACHE") else ("off",)
    if places != ("off",):
        settings["CRATE_CACHE"] = one_a_line(
            place if is_url(place) or os.path.isabs(place) else env.Entry(place).abspath for place in places
        )
    settings = {**chosen_programs(env, backend, where=where), **settings}
    key = tuple(sorted(settings.items()))
    reporting = build.reporting
    if settings.get("CRATE_REMOTE"):
        has_place = backend.RUNS_PROGRAMS or bool(settings.get("CRATE_REMOTE_PYTHON"))
        reporting.remote = reporting.remote or (has_place and backend.is_portable is not CodegenBackend.is_portable)
    if key not in build.engines:
        reporting.begin(settings.get("CRATE_EVENTS", ""), env.GetOption("num_jobs"), default_registry().listeners)
        build.engines[key] = Engine(build.root, default_registry(), settings, listeners=[reporting.hear])
    return build.engines[key]


def check_programs(engine: Engine, env: Environment, backend: type[CodegenBackend], *, where: str) -> None:
    """Refuse programs that an Environment names now but did not name when a crate was declared.

    Raises: ConfigurationError naming the variable.
    """
    chosen = chosen_programs(env, backend, where=where)
    # A setting takes precedence over the variable.
    named = [item for item in backend.VARIABLES if item.setting and not _setting(item.setting, env.get(item.setting))]
    for variable in sorted(named, key=lambda item: not is_chosen(env, item.name)):
        if engine.environ.get(variable.setting) != chosen.get(variable.setting):
            raise ConfigurationError(
                f"{variable.name} was set after the crate was declared",
                context=(("where", where), (variable.name, str(env.subst(f"${variable.name}")))),
                hint=f"set it before env.Crate, since options depend on it, or set {variable.setting}",
            )


def _is_setting(name: str) -> bool:
    return name not in ("CRATE_BACKEND", "CRATE_TARGET", "CRATE_PROFILE", "CRATE_PROFILES")


def _setting(name: str, value: object) -> str:
    """Return a setting as a process environment would hold it; an empty text for None.

    Raises: ConfigurationError for a value of an unsuitable type.
    """
    is_flag = name in FLAGS or name not in CORE_SETTINGS
    if isinstance(value, bool):
        text = ("1" if value else "") if is_flag else None
    elif isinstance(value, (int, float)):
        text = str(value) if is_flag or name in NUMBER_SETTINGS else None
    elif isinstance(value, SCons.Node.FS.Base):
        text = one_a_line([str(value.abspath)]) if name == "CRATE_CACHE" else str(value.abspath)
    else:
        text = value if isinstance(value, str) else "" if value is None else None
    if text is None:
        kind = "a number" if name in NUMBER_SETTINGS else "True or False" if name in FLAGS else "one string"
        shown = type(value).__name__ if name in SECRETS else repr(value)
        raise ConfigurationError(f"{name} takes {kind}, not {shown}", hint=CORE_SETTINGS.get(name, ""))
    return text
