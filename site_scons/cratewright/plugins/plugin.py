"""A plugin as listed: its name, where it was found, what it offers, and any reason why it cannot be used."""

from __future__ import annotations

from ..base.values import dataclass

BLOCKED = "blocked by CRATE_PLUGINS"
"""Why a working plugin is not used."""
BY_HAND = "registered by the build"
"""The origin of a plugin that the build itself added."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that was found, or registered.

    Shape: `target` is `module` or `module:attribute`; `origin` says with its version where it was found; `hooks` are
    the names of those it implements, `backends`, `commands` and `profiles` the names of what it offers; `broken` says
    why it cannot be used, if it cannot.
    """

    name: str
    target: str
    origin: str
    hooks: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    broken: str = ""


def plugin_name(plugin: object) -> str:
    """Return the name of a plugin, which is a module or any other object."""
    return _own_name(plugin) or type(plugin).__name__


def plugin_module(plugin: object) -> str:
    """Return the name of the module that a plugin comes from."""
    return _own_name(plugin) or type(plugin).__module__


def plugin_target(plugin: object) -> str:
    """Return where a plugin comes from, as listed."""
    return _own_name(plugin) or f"an object of {type(plugin).__module__}:{type(plugin).__qualname__}"


def _own_name(plugin: object) -> str:
    try:
        return str(getattr(plugin, "__name__", ""))
    except Exception:  # an object may answer anything
        return ""
