"""The registry of plugins: checks what each offers, and looks it up by name.

A broken plugin is named and set aside; that is an error only for a build that needs something no other plugin offers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from ..base.errors import CratewrightError, PluginError, UnknownNameError, near_miss
from ..cache.store import CacheKvStore
from ..contract.backend import CodegenBackend
from ..contract.blame import foreign_error, is_fault, plugin_row, plugin_words
from ..contract.declared import checked_backend
from ..contract.offered import Command, Profile, check_profile, checked_command, checked_profile
from ..values.option_spec import OptionSpec
from ..values.options import CORE_OPTIONS
from .hooks import BACKENDS, COMMANDS, EVENTS, PROFILES, Hooks, say
from .listener import PluginListener
from .plugin import BY_HAND, Plugin, plugin_module, plugin_name, plugin_target

_Named = TypeVar("_Named", Command, Profile)


class Registry:
    """The plugins of one process, and what they offer."""

    def __init__(self) -> None:
        self._hooks = Hooks()
        self._backends: dict[str, type[CodegenBackend]] = {}
        self._plugins: dict[str, Plugin] = {}
        self._commands: dict[str, Command] = {}
        self._profiles: dict[str, Profile] = {}
        self._is_heard = self._is_loading = False

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
        plugin = name or plugin_name(module)
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
            self._plugins[plugin] = Plugin(plugin, target or plugin_target(module), origin, hooks, offered)
            if not offered and set(hooks) <= {BACKENDS} and not self._hooks.wraps(module, BACKENDS):
                raise PluginError(
                    f"plugin '{plugin}' registers no backend",
                    context=(plugin_row(plugin_module(module)),),
                    hint="mark a function cratewright_register_backend() with cratewright.hookimpl",
                )
            if self._hooks.wraps(module, BACKENDS):
                self._collect_again()
            self._add_more(module, plugin)
            if not self._is_loading:
                self._check_profiles(plugin)
        except BaseException as error:
            self._restore(before)
            self._hooks.remove(module, plugin)
            if isinstance(error, CratewrightError) or not is_fault(error):
                raise
            rows = (plugin_row(plugin_module(module)),)
            raise foreign_error(error, f"plugin '{plugin}' cannot be registered", rows=rows) from error

    def _kept(self) -> tuple[dict[str, Any], ...]:
        return dict(self._backends), dict(self._plugins), dict(self._commands), dict(self._profiles)

    def _restore(self, before: tuple[dict[str, Any], ...]) -> None:
        self._backends, self._plugins, self._commands, self._profiles = before

    def _add_more(self, module: object, plugin: str) -> None:
        """Add the commands and profiles of a plugin."""
        commands: list[str] = []
        for found in self._hooks.offers(COMMANDS, module, plugin):
            command = checked_command(found, (plugin, plugin_words(plugin_module(module))))
            self._add_named("command", command, self._commands, plugin, commands)
        profiles: list[str] = []
        for found in self._hooks.offers(PROFILES, module, plugin):
            profile = checked_profile(found, (plugin, plugin_words(plugin_module(module))))
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
        words = plugin_words(plugin_module(self._hooks.plugin(plugin))) if names else ""
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
            from ..remote import open_remote_store  # noqa: PLC0415 - few builds have a cache on a server

            store = open_remote_store(url, environ or {})
        if store is None:
            raise UnknownNameError(
                f"no plugin opens the cache '{url}'",
                context=self._reasons(),
                hint="CRATE_CACHE takes 'off', directories, and URLs of http(s), grpc(s), s3, gs, az or a plugin",
            )
        if not isinstance(store, CacheKvStore):
            raise PluginError(f"the cache '{url}' was opened as {store!r}, which is not a CacheKvStore")
        return store

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Check profiles only at the end: they may have options of a plugin that is added later."""
        self._is_loading = True
        yield
        self._is_loading = False
        for plugin in self.plugins:
            try:
                self._check_profiles(plugin.name)
            except PluginError as error:
                self._set_aside(plugin, str(error))

    def has(self, name: str) -> bool:
        """Return whether a plugin is listed under a name, usable or not."""
        return name in self._plugins

    def add_broken(self, plugin: Plugin) -> None:
        """List a plugin that cannot be used."""
        self._plugins[plugin.name] = plugin

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
            kind = checked_backend(found, plugin, plugin_module(module))
            other = self._backends.get(kind.NAME)
            if other is not None:
                twice = kind.NAME in offered
                raise PluginError(
                    f"plugin '{plugin}' offers two backends '{kind.NAME}'"
                    if twice
                    else f"two plugins offer a backend '{kind.NAME}'",
                    context=[
                        (plugin_words(each.__module__), f"{each.__module__}:{each.__qualname__}")
                        for each in (other, kind)
                    ],
                    hint="" if twice else "uninstall one of them, or block one: CRATE_PLUGINS=-NAME",
                )
            self._backends[kind.NAME] = kind
            offered.append(kind.NAME)
        return tuple(offered)
