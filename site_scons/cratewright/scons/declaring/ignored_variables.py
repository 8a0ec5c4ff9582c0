"""Variables of an Environment that a backend ignores, recorded beside a crate for `cratewright explain`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...base.errors import CratewrightError
from ...contract.backend import CodegenBackend
from ...formats.stage_record import StageRecord, encode_record
from ...plugins.loading import default_registry
from ...rules.output_name import variables_path
from ...system.fs import write_if_changed
from ..options.tool_defaults import EMPTY, TOOL_DEFAULTS, WITH_DEFAULT, has_value

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


def record_ignored(env: Environment, backend: CodegenBackend, rlink: Any) -> None:
    """Write beside an `.rlink` which variables are set that mean something elsewhere, but nothing to this backend."""
    if env.GetOption("no_exec") or env.GetOption("clean"):
        return
    path = variables_path(rlink.abspath)
    # Only people read it: a build goes on without it.
    with suppress(CratewrightError, OSError):
        if names := list(_ignored(env, backend)):
            report = json.dumps({"backend": backend.NAME, "variables": names})
            write_if_changed(path, encode_record(StageRecord(report=report)))
        elif os.path.lexists(path):
            os.unlink(path)


def _ignored(env: Environment, backend: CodegenBackend) -> Iterable[str]:
    defaults: Mapping[str, str | None] = env.get(TOOL_DEFAULTS, {})
    values = env.Dictionary()
    registry = default_registry()
    for name in _ignorable(type(backend), tuple(registry.backend(name) for name in registry.names)):
        value = values.get(name)
        if has_value(value) and (defaults[name] != str(value) if name in defaults else name not in WITH_DEFAULT):
            yield name


@lru_cache(maxsize=8)
def _ignorable(backend: type[CodegenBackend], backends: tuple[type[CodegenBackend], ...]) -> tuple[str, ...]:
    """Return the names that mean something to SCons or to another backend, but not to this one."""
    names = EMPTY | WITH_DEFAULT | {variable.name for other in backends for variable in other.VARIABLES}
    return tuple(sorted(names - {variable.name for variable in backend.VARIABLES}))
