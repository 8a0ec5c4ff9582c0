"""Loads the plugins that are installed or beside this package in a checkout, except those that the user blocks."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import lru_cache

from ..base.errors import ConfigurationError, PluginError, near_miss
from ..contract.blame import foreign_error, is_fault
from .discovery import FoundPlugin, find_plugins
from .plugin import BLOCKED, Plugin
from .registry import Registry


@lru_cache(maxsize=1)
def default_registry() -> Registry:
    """Return the process's registry, with all plugins that can be found.

    Raises: ConfigurationError for an invalid word in `CRATE_PLUGINS`.
    """
    registry = Registry()
    load_plugins(registry, _blocked(os.environ.get("CRATE_PLUGINS", "")))
    if _flag(os.environ.get("CRATE_TRACE_PLUGINS", "")):
        registry.trace()
    return registry


def load_plugins(registry: Registry, blocked: Sequence[str] = ()) -> None:
    """Add to a registry every plugin that can be found; `blocked` ones and those that fail to load are broken.

    Raises: ConfigurationError for a blocked name that no plugin has.
    """
    plugins = list(find_plugins())
    names = [found.entry.name for found in plugins]
    for name in blocked:
        if name not in names:
            raise ConfigurationError(
                f"CRATE_PLUGINS blocks '{name}', which is not a plugin", hint=near_miss(name, names)
            )
    with registry.loading():
        for found in plugins:
            name = found.entry.name
            if registry.has(name):
                continue
            reason = BLOCKED if name in blocked else _load(registry, found)
            if reason:
                registry.add_broken(Plugin(name, found.entry.value, found.origin, broken=reason))


def _load(registry: Registry, found: FoundPlugin) -> str:
    """Load a plugin; return why it cannot be used, if it cannot."""
    try:
        if found.path and found.path not in sys.path:
            sys.path.append(found.path)
        entry = found.entry
        # The output of a command must not contain what a module prints.
        with redirect_stdout(sys.stderr):
            registry.register(entry.load(), name=entry.name, origin=found.origin, target=entry.value)
    except PluginError as error:
        return str(error)
    except BaseException as error:
        if not is_fault(error):
            raise
        return str(foreign_error(error, "it cannot be imported"))
    return ""


def _blocked(text: str) -> list[str]:
    words = text.replace(",", " ").split()
    for word in words:
        if not word.startswith("-") or len(word) == 1:
            raise ConfigurationError(
                f"CRATE_PLUGINS takes names of plugins with '-' in front, not '{word}'",
                hint=f"CRATE_PLUGINS=-{word} leaves it out; cratewright.register(module) adds one",
            )
    return [word[1:] for word in words]


def _flag(text: str) -> bool:
    if text not in ("", "0", "1"):
        raise ConfigurationError(f"CRATE_TRACE_PLUGINS takes 0 or 1, not '{text}'")
    return text == "1"
