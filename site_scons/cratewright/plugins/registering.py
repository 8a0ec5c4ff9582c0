"""Adds plugins from within a build, after calling back those who wait for that.

Environments with crates import this even if a build has nothing to do, so it imports the registry only when called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

_callbacks: list[Callable[[], None]] = []


def before_registering(callback: Callable[[], None]) -> Callable[[], None]:
    """Call `callback` before each plugin is added, until the returned function is called.

    Postponed work must be done before, without the plugin.
    """
    _callbacks.append(callback)
    return partial(_callbacks.remove, callback)


def register(module: object) -> None:
    """Add the backends of a module to this process, with no packaging.

    Raises: PluginError as `Registry.register`.
    """
    from .loading import default_registry  # noqa: PLC0415

    for callback in list(_callbacks):
        callback()
    default_registry().register(module)
