"""Variables of an Environment that a backend does not take: noted beside a crate, for `cratewright explain`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..backend import CodegenBackend
from ..errors import CratewrightError
from ..fs import write_if_changed
from ..output_name import variables_path
from ..registry import default_registry
from ..stage_record import StageRecord, encode_record
from .variables import given_words, says_something

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["AS_FOUND", "as_found", "note_untaken"]

AS_FOUND = "_CRATE_AS_FOUND"
"""The construction variable that holds what others were before anybody set them."""

_EMPTY = frozenset(
    [
        "CPPPATH",
        "CPPDEFINES",
        "CPPFLAGS",
        "CCFLAGS",
        "CFLAGS",
        "CXXFLAGS",
        "ASFLAGS",
        "LINKFLAGS",
        "LIBS",
        "LIBPATH",
        "RPATH",
        "FRAMEWORKS",
        "FRAMEWORKPATH",
        "SHLIBVERSION",
        "SOVERSION",
    ]
)
"""What SCons leaves empty."""
_WITH_DEFAULT = frozenset(
    [
        "CC",
        "CXX",
        "SHCC",
        "SHCXX",
        "AS",
        "AR",
        "RANLIB",
        "LINK",
        "SHLINK",
        "LDMODULE",
        "ASPPFLAGS",
        "ARFLAGS",
        "RANLIBFLAGS",
        "SHCCFLAGS",
        "SHCFLAGS",
        "SHCXXFLAGS",
        "SHLINKFLAGS",
        "LDMODULEFLAGS",
        "CCCOM",
        "CXXCOM",
        "SHCCCOM",
        "SHCXXCOM",
        "ASCOM",
        "ASPPCOM",
        "ARCOM",
        "LINKCOM",
        "SHLINKCOM",
        "LDMODULECOM",
        "OBJPREFIX",
        "OBJSUFFIX",
        "SHOBJPREFIX",
        "SHOBJSUFFIX",
        "PROGPREFIX",
        "PROGSUFFIX",
        "LIBPREFIX",
        "LIBSUFFIX",
        "SHLIBPREFIX",
        "SHLIBSUFFIX",
        "LDMODULEPREFIX",
        "LDMODULESUFFIX",
        "LDMODULEVERSION",
    ]
)
"""What SCons's tools set."""
_LIKE_OURS = ("PATH", "DEFINES", "FLAGS")


def as_found(env: Environment) -> Mapping[str, str | None]:
    """Return what SCons's tools have set in an Environment that is being made; None for what its maker has passed."""
    given = given_words(env)
    values = env.Dictionary()
    names = (name for name in values if name in _WITH_DEFAULT or (name.endswith(_LIKE_OURS) and name not in _EMPTY))
    return {name: None if name in given else str(values[name]) for name in names}


def note_untaken(env: Environment, backend: CodegenBackend, rlink: Any) -> None:
    """Note beside an `.rlink` which variables say something, mean something to others, and are not taken."""
    if env.GetOption("no_exec") or env.GetOption("clean"):
        return
    path = variables_path(rlink.abspath)
    # It is for people: a build goes on without it.
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
        if says_something(value) and (found[name] != str(value) if name in found else name not in _WITH_DEFAULT):
            yield name


@lru_cache(maxsize=8)
def _asked(backend: type[CodegenBackend], known: tuple[type[CodegenBackend], ...]) -> tuple[str, ...]:
    """Return the names that mean something to SCons or to another backend, and nothing to this one."""
    names = _EMPTY | _WITH_DEFAULT | {variable.name for other in known for variable in other.VARIABLES}
    return tuple(sorted(names - {variable.name for variable in backend.VARIABLES}))
