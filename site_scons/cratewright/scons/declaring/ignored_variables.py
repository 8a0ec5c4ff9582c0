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
from ..options.tool_defaults import AS_FOUND, EMPTY, WITH_DEFAULT, says_something

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["note_untaken"]


def note_untaken(env: Environment, backend: CodegenBackend, rlink: Any) -> None:
    """Write beside an `.rlink` which variables are set and mean something elsewhere, but not to this backend."""
    if env.GetOption("no_exec") or env.GetOption("clean"):
        return
    path = variables_path(rlink.abspath)
    # Only people read it: a build goes on without it.
    with suppress(CratewrightError, OSError):
        if names := list(_untaken(env, backend)):
            report = json.dumps({"backend": backend.NAME, "variables": names})
            write_if_changed(path, encode_record(StageRecord(report=report)))
        elif os.path.lexists(path):
            os.unlink(path)


def _untaken(env: Environment, backend: CodegenBackend) -> Iterable[str]:
    found: Mapping[str, str | None] = env.get(AS_FOUND, {})
    values = env.Dictionary()
    registry = default_registry()
    for name in _asked(type(backend), tuple(registry.backend(name) for name in registry.names)):
        value = values.get(name)
        if says_something(value) and (found[name] != str(value) if name in found else name not in WITH_DEFAULT):
            yield name


@lru_cache(maxsize=8)
def _asked(backend: type[CodegenBackend], known: tuple[type[CodegenBackend], ...]) -> tuple[str, ...]:
    """Return the names that mean something to SCons or to another backend, but not to this one."""
    names = EMPTY | WITH_DEFAULT | {variable.name for other in known for variable in other.VARIABLES}
    return tuple(sorted(names - {variable.name for variable in backend.VARIABLES}))
