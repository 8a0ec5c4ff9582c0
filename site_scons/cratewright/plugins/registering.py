"""How a build adds a plugin itself, and who is told before.

Every Environment with crates may ask to be told, also where nothing is to do: the registry is imported by a call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

__all__ = ["before_registering", "register"]

_told: list[Callable[[], None]] = []


def before_registering(tell: Callable[[], None]) -> Callable[[], None]:
    """Have `tell` called before each plugin that is added, until what is returned is called.

    What was put off knows nothing of the plugin.
    """
    _told.append(tell)
    return partial(_told.remove, tell)


def register(module: object) -> None:
    """Add the backends of a module to this process, with no packaging.

    Raises: PluginError as `Registry.register`.
    """
    from .loading import default_registry  # noqa: PLC0415

    for tell in list(_told):
        tell()
    default_registry().register(module)
