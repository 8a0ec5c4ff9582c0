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

PROJECT = "cratewright"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def cratewright_register_backend() -> (  # type: ignore[empty-body]
    type[CodegenBackend] | Sequence[type[CodegenBackend]]
):
    """Return a backend class, or a list of several.

    Called: when the plugin is registered, and again if a wrapper of this hook is registered later. Every
    implementation is called; a wrapper gets a list with one plugin's answer and may return another.
    Guarantees: importing the plugin's module and calling this hook is cheap; no tool is loaded.
    Use in: a distribution's module named by an entry point of group `cratewright`, or a module passed to
    `cratewright.register`.
    """


@hookspec(firstresult=True)
def cratewright_open_store(url: str) -> CacheKvStore | None:
    """Return a store of cached results for a URL, or None for a URL of another plugin.

    Called: once per build, before its first lookup, if `CRATE_CACHE` holds a URL: `scheme://anything`.
    Guarantees: the store is used as `CacheKvStore` says; values are opaque, and checked when read back. A store
    that raises is not used again in this build.
    Use in: as `cratewright_register_backend`; a plugin may have both hooks, or this one alone.
    """


@hookspec
def cratewright_build_event(event: Event) -> None:
    """Receive an event of a build.

    Called: in the build's own process, in any thread, one event at a time, in the order of the file
    that `CRATE_EVENTS` names. The build waits, so do slow work in a thread of your own. The last
    event is a `BuildEnded`. A plugin that raises is named, and receives no more events of this build.
    Use in: a plugin that is registered before the first crate is declared.
    """


@hookspec
def cratewright_add_commands() -> Command | Sequence[Command]:  # type: ignore[empty-body]
    """Return a command of the command line, or a list of several.

    Called: when the plugin is registered. `cratewright --help` names the plugin of each command.
    Guarantees: cheap; import what the command needs when it runs.
    Use in: an installed distribution: the command line reads no SConstruct.
    """


@hookspec
def cratewright_add_profiles() -> Profile | Sequence[Profile]:  # type: ignore[empty-body]
    """Return a profile, or a list of several, which crates name like `dev` and `release`.

    Called: when the plugin is registered. A project's profile of the same name takes precedence.
    Use in: as `cratewright_register_backend`.
    """


@hookspec(firstresult=True)
def cratewright_describe(path: str, data: bytes) -> Mapping[str, object] | None:
    """Return the contents of a file as JSON values, or None for a file of another kind.

    Called: by `cratewright inspect`, for a file that is not cratewright's own.
    Raises: FormatError for a damaged file of the kind.
    Use in: as `cratewright_register_backend`.
    """
