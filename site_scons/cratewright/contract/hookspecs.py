"""The hooks that plugins implement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

from ..cache.store import CacheKvStore
from .backend import CodegenBackend
from .offered import Command, Profile

if TYPE_CHECKING:
    from ..system.events import Event

__all__ = ["PROJECT", "hookimpl", "hookspec"]

PROJECT = "cratewright"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def cratewright_register_backend() -> (  # type: ignore[empty-body]
    type[CodegenBackend] | Sequence[type[CodegenBackend]]
):
    """Return a backend class, or a list of several.

    Called: when the plugin is registered, and again if a wrapper of this hook is registered later. Every
    implementation is asked; a wrapper is given a list with one answer of a plugin and may return another.
    Guarantees: importing the plugin's module and calling this hook is cheap: no tool is loaded.
    Use in: a distribution's module named by an entry point of group `cratewright`, or a module passed to
    `cratewright.register`.
    """


@hookspec(firstresult=True)
def cratewright_open_store(url: str) -> CacheKvStore | None:
    """Return a store of cached results for a URL, or None for a URL of another plugin.

    Called: once a build, before its first lookup, if `CRATE_CACHE` holds a URL: `scheme://anything`.
    Guarantees: the store is used as `CacheKvStore` says; values are opaque, and checked when they come back. A
    store that raises is done without for the rest of the build.
    Use in: as `cratewright_register_backend`; a plugin may have both hooks, or this one alone.
    """


@hookspec
def cratewright_build_event(event: Event) -> None:
    """Hear of something that happened in a build.

    Called: in the build's own process, in whatever thread it happened, one event at a time, in the order of the file
    that `CRATE_EVENTS` names; the build waits, so what takes long belongs in a thread of the plugin's own. The last
    event is a `BuildEnded`. A plugin that raises is named, and hears no more of this build.
    Use in: a plugin that is registered before the first crate is declared.
    """


@hookspec
def cratewright_add_commands() -> Command | Sequence[Command]:  # type: ignore[empty-body]
    """Return a command of the command line, or a list of several.

    Called: when the plugin is registered. `cratewright --help` says whose a command is.
    Guarantees: cheap; what a command needs is imported when it runs.
    Use in: an installed distribution: the command line reads no SConstruct.
    """


@hookspec
def cratewright_add_profiles() -> Profile | Sequence[Profile]:  # type: ignore[empty-body]
    """Return a profile, or a list of several, which crates then name as they name `dev` and `release`.

    Called: when the plugin is registered. What a project calls by the same name goes before it.
    Use in: as `cratewright_register_backend`.
    """


@hookspec(firstresult=True)
def cratewright_describe(path: str, data: bytes) -> Mapping[str, object] | None:
    """Return what is in a file, as JSON holds it, or None for a file of another kind.

    Called: by `cratewright inspect`, for a file that is none of cratewright's own.
    Raises: FormatError for a file of the kind that is damaged.
    Use in: as `cratewright_register_backend`.
    """
