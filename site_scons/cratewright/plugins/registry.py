"""The registry of backends and stores: finds plugins, checks them, looks them up by name.

A broken plugin is named and set aside; that is an error only for a build that needs something no other plugin offers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

from ..base.errors import ConfigurationError, CratewrightError, PluginError, UnknownNameError, near_miss
from ..cache.store import CacheKvStore
from ..contract.backend import CodegenBackend
from ..contract.blame import foreign_error, is_fault, plugin_row, plugin_words
from ..contract.declared import find_class_fault
from ..contract.offered import Command, Profile, check_profile, checked_command, checked_profile
from ..values.option_spec import OptionSpec
from ..values.options import CORE_OPTIONS
from .discovery import FoundPlugin, find_plugins
from .hearing import PluginListener
from .hooks import BACKENDS, COMMANDS, EVENTS, PROFILES, Hooks, say
from .plugin import BLOCKED, BY_HAND, Plugin

__all__ = ["Registry", "default_registry"]

_Named = TypeVar("_Named", Command, Profile)


class Registry:
    """The plugins of one process, and their backends.

    Shape: `broken` maps a plugin's name to why it cannot be used; `blocked` are the names that no plugin may have.
    """

    def __init__(self, blocked: Sequence[str] = ()) -> None:
        self._hooks = Hooks()
        self._backends: dict[str, type[CodegenBackend]] = {}
        self._plugins: dict[str, Plugin] = {}
        self._commands: dict[str, Command] = {}
        self._profiles: dict[str, Profile] = {}
        self._blocked = tuple(blocked)
        self._is_heard = self._is_discovering = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the usable backends, sorted."""
        return tuple(sorted(self._backends))

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All plugins, those that cannot be used as well, by name."""
        return tuple(plugin for _, plugin in sorted(self._plugins.items()))

    @property
    def broken(self) -> dict[str, str]:
        """Why plugins cannot be used, by their names."""
        return {name: plugin.broken for name, plugin in self._plugins.items() if plugin.broken}

    def origin(self, name: str) -> str:
        """Return where a backend was found, for people."""
        return next(plugin.origin for plugin in self._plugins.values() if name in plugin.backends)

    @property
    def commands(self) -> tuple[tuple[Command, Plugin], ...]:
        """The commands of all plugins, by name, each with its plugin."""
        owners = {name: plugin for plugin in self._plugins.values() for name in plugin.commands}
        return tuple((command, owners[name]) for name, command in sorted(self._commands.items()))

    @property
    def profiles(self) -> dict[str, dict[str, object]]:
        """The profiles of all plugins as tables, by name."""
        return {name: profile.table for name, profile in self._profiles.items()}

    def profiles_for(self, kind: type[CodegenBackend]) -> dict[str, dict[str, object]]:
        """Return the profiles of all plugins with the options that one backend has."""
        known = {"inherits", *(spec.name for spec in (*CORE_OPTIONS, *kind.OPTIONS))}
        return {
            name: {word: value for word, value in table.items() if word in known}
            for name, table in self.profiles.items()
        }

    def listeners(self) -> list[PluginListener]:
        """Return the listeners of the build that is about to begin."""
        self._is_heard = True
        return [
            PluginListener(name, self._hooks.caller(EVENTS, self._hooks.plugin(name)))
            for name, plugin in sorted(self._plugins.items())
            if EVENTS in plugin.hooks and not plugin.broken
        ]

    def register(self, module: object, *, name: str = "", origin: str = BY_HAND, target: str = "") -> None:
        """Add the backends of a module, or of any object that has hook implementations.

        Shape: `name`, `origin` and `target` as in `Plugin`; those of a module are its own.
        Raises: PluginError naming the plugin for a misspelt hook, a class that is no backend or declares itself
        wrongly, another contract version, or a name that is taken.
        """
        plugin = name or _name_of(module, type(module).__name__)
        before = self._kept()
        try:
            if self._hooks.has(module, plugin):
                return
            hooks = self._hooks.add(module, plugin)
            if EVENTS in hooks and self._is_heard:
                raise PluginError(
                    f"plugin '{plugin}' listens to build events, but the build has begun",
                    hint="register it before the first crate is declared",
                )
            offered = self._add_backends(module, plugin)
            self._plugins[plugin] = Plugin(plugin, target or _target(module), origin, hooks, offered)
            if not offered and set(hooks) <= {BACKENDS} and not self._hooks.wraps(module, BACKENDS):
                raise PluginError(
                    f"plugin '{plugin}' registers no backend",
                    context=(plugin_row(_module_of(module)),),
                    hint="mark a function cratewright_register_backend() with cratewright.hookimpl",
                )
            if self._hooks.wraps(module, BACKENDS):
                self._collect_again()
            self._add_more(module, plugin)
            if not self._is_discovering:
                self._check_profiles(plugin)
        except BaseException as error:
            self._restore(before)
            self._hooks.remove(module, plugin)
            if isinstance(error, CratewrightError) or not is_fault(error):
                raise
            rows = (plugin_row(_module_of(module)),)
            raise foreign_error(error, f"plugin '{plugin}' cannot be registered", rows=rows) from error

    def _kept(self) -> tuple[dict[str, Any], ...]:
        return dict(self._backends), dict(self._plugins), dict(self._commands), dict(self._profiles)

    def _restore(self, before: tuple[dict[str, Any], ...]) -> None:
        self._backends, self._plugins, self._commands, self._profiles = before

    def _add_more(self, module: object, plugin: str) -> None:
        """Add the commands and profiles of a plugin."""
        commands: list[str] = []
        for found in self._hooks.offers(COMMANDS, module, plugin):
            command = checked_command(found, (plugin, plugin_words(_module_of(module))))
            self._add_named("command", command, self._commands, plugin, commands)
        profiles: list[str] = []
        for found in self._hooks.offers(PROFILES, module, plugin):
            profile = checked_profile(found, (plugin, plugin_words(_module_of(module))))
            self._add_named("profile", profile, self._profiles, plugin, profiles)
        own = self._plugins[plugin]
        self._plugins[plugin] = replace(own, commands=tuple(commands), profiles=tuple(profiles))

    def _add_named(self, what: str, item: _Named, known: dict[str, _Named], plugin: str, own: list[str]) -> None:
        if item.name in known:
            other = next((p for p in self._plugins.values() if item.name in getattr(p, f"{what}s")), None)
            raise PluginError(
                f"two plugins offer a {what} '{item.name}'"
                if other
                else f"plugin '{plugin}' offers the {what} '{item.name}' twice",
                context=((other.name, other.origin), (plugin, self._plugins[plugin].origin)) if other else (),
                hint="uninstall one of them, or block one: CRATE_PLUGINS=-NAME" if other else "",
            )
        known[item.name] = item
        own.append(item.name)

    def _check_profiles(self, plugin: str) -> None:
        """Refuse profiles with options that no backend has."""
        names = self._plugins[plugin].profiles
        rows: dict[str, list[OptionSpec]] = {spec.name: [spec] for spec in CORE_OPTIONS} if names else {}
        for kind in self._backends.values() if names else ():
            for spec in kind.OPTIONS:
                rows.setdefault(spec.name, []).append(spec)
        words = plugin_words(_module_of(self._hooks.plugin(plugin))) if names else ""
        for name in names:
            check_profile(self._profiles[name], (plugin, words), names, rows)

    def backend(self, name: str) -> type[CodegenBackend]:
        """Return a backend class by name.

        Raises: UnknownNameError with the near miss, and with the reasons of broken plugins.
        """
        if name not in self._backends:
            raise UnknownNameError(
                f"unknown backend '{name}'",
                context=self._reasons(),
                hint=near_miss(name, self._backends)
                if self._backends
                else f"no backend is installed; try: pip install cratewright-{name}",
            )
        return self._backends[name]

    def open_store(self, url: str, environ: Mapping[str, str] | None = None) -> CacheKvStore:
        """Return the store that a plugin opens for a URL, or else this package itself.

        Shape: `environ` has the settings with the credentials.
        Raises: UnknownNameError if none opens it; PluginError if one fails to.
        """
        store = self._hooks.first("cratewright_open_store", f"the cache '{url}' cannot be opened", url=url)
        if store is None:
            from ..remote import open_store  # noqa: PLC0415 - few builds have a cache on a server

            store = open_store(url, environ or {})
        if store is None:
            raise UnknownNameError(
                f"no plugin opens the cache '{url}'",
                context=self._reasons(),
                hint="CRATE_CACHE takes 'off', directories, and URLs of http(s), grpc(s), s3, gs, az or a plugin",
            )
        if not isinstance(store, CacheKvStore):
            raise PluginError(f"the cache '{url}' was opened as {store!r}, which is not a CacheKvStore")
        return store

    def discover(self) -> None:
        """Load every plugin that is installed or lies beside this package in a checkout.

        Raises: ConfigurationError for a blocked name that no plugin has.
        """
        plugins = list(find_plugins())
        for name in self._blocked:
            names = [found.entry.name for found in plugins]
            if name not in names:
                raise ConfigurationError(
                    f"CRATE_PLUGINS blocks '{name}', which is not a plugin", hint=near_miss(name, names)
                )
        self._is_discovering = True
        for found in plugins:
            name = found.entry.name
            if name in self._plugins:
                continue
            reason = BLOCKED if name in self._blocked else self._loaded(found)
            if reason:
                self._plugins[name] = Plugin(name, found.entry.value, found.origin, broken=reason)
        self._is_discovering = False
        # A profile may have options of another plugin, so all plugins are loaded first.
        for plugin in self.plugins:
            try:
                self._check_profiles(plugin.name)
            except PluginError as error:
                self._set_aside(plugin, str(error))

    def _set_aside(self, plugin: Plugin, reason: str) -> None:
        for names, offered in (
            (plugin.backends, self._backends),
            (plugin.commands, self._commands),
            (plugin.profiles, self._profiles),
        ):
            for name in names:
                del offered[name]
        self._hooks.remove(self._hooks.plugin(plugin.name), plugin.name)
        self._plugins[plugin.name] = Plugin(plugin.name, plugin.target, plugin.origin, broken=reason)

    def trace(self) -> None:
        """Print the plugins to standard error, and from now on each call of a hook."""
        for plugin in self.plugins:
            state = plugin.broken or f"backends: {' '.join(plugin.backends) or 'none'}; hooks: {' '.join(plugin.hooks)}"
            say(f"plugin {plugin.name} ({plugin.origin}, {plugin.target}): {state}")
        self._hooks.trace(say)

    def _reasons(self) -> list[tuple[str, str]]:
        return [(f"plugin {plugin}", reason) for plugin, reason in sorted(self.broken.items())]

    def _loaded(self, found: FoundPlugin) -> str:
        """Load a plugin and return why it cannot be used, if it cannot."""
        try:
            if found.path and found.path not in sys.path:
                sys.path.append(found.path)
            entry = found.entry
            # The output of a command must not contain what a module prints.
            with redirect_stdout(sys.stderr):
                self.register(entry.load(), name=entry.name, origin=found.origin, target=entry.value)
        except PluginError as error:
            return str(error)
        except BaseException as error:
            if not is_fault(error):
                raise
            return str(foreign_error(error, "it cannot be imported"))
        return ""

    def describe(self, path: str, data: bytes) -> Mapping[str, object] | None:
        """Return what a plugin knows of a file, None if none does.

        Raises: PluginError if one fails.
        """
        what = f"a plugin cannot describe {path}"
        found: Mapping[str, object] | None = self._hooks.first("cratewright_describe", what, path=path, data=data)
        return found

    def _collect_again(self) -> None:
        """Ask all plugins once more: a wrapper also applies to plugins registered before it."""
        self._backends = {}
        for name, plugin in list(self._plugins.items()):
            module = self._hooks.plugin(name)
            if module is not None:
                self._plugins[name] = replace(plugin, backends=self._add_backends(module, name))

    def _add_backends(self, module: object, plugin: str) -> tuple[str, ...]:
        offered: list[str] = []
        for found in self._hooks.offers(BACKENDS, module, plugin):
            self._add(found, plugin, offered)
        return tuple(offered)

    def _add(self, found: object, plugin: str, offered: list[str]) -> None:
        if not (isinstance(found, type) and issubclass(found, CodegenBackend)):
            raise PluginError(
                f"plugin '{plugin}' registers {found!r}, which is not a CodegenBackend",
                context=(plugin_row(_module_of(self._hooks.plugin(plugin))),),
                hint="return a class, or a list of classes",
            )
        fault = find_class_fault(found)
        if fault is not None:
            raise PluginError(
                f"plugin '{plugin}', class {found.__name__}: {fault.message}",
                context=(
                    plugin_row(found.__module__),
                    *([("expected", fault.expected)] if fault.expected else []),
                ),
                hint=fault.hint,
            )
        other = self._backends.get(found.NAME)
        if other is not None:
            raise PluginError(
                f"plugin '{plugin}' offers two backends '{found.NAME}'"
                if found.NAME in offered
                else f"two plugins offer a backend '{found.NAME}'",
                context=(
                    (plugin_words(other.__module__), _path(other)),
                    (plugin_words(found.__module__), _path(found)),
                ),
                hint="" if found.NAME in offered else "uninstall one of them, or block one: CRATE_PLUGINS=-NAME",
            )
        self._backends[found.NAME] = found
        offered.append(found.NAME)


def _path(kind: type[CodegenBackend]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _module_of(plugin: object) -> str:
    return _name_of(plugin, type(plugin).__module__)


def _name_of(plugin: object, otherwise: str) -> str:
    try:
        return str(getattr(plugin, "__name__", otherwise))
    except Exception:  # an object may answer anything
        return otherwise


def _target(module: object) -> str:
    return _name_of(module, f"an object of {type(module).__module__}:{type(module).__qualname__}")


@lru_cache(maxsize=1)
def default_registry() -> Registry:
    """Return the process's registry, with all plugins that can be found.

    Raises: ConfigurationError for an invalid word in `CRATE_PLUGINS`.
    """
    registry = Registry(_blocked(os.environ.get("CRATE_PLUGINS", "")))
    registry.discover()
    if _flag(os.environ.get("CRATE_TRACE_PLUGINS", "")):
        registry.trace()
    return registry


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
