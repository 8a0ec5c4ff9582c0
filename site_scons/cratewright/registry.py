"""Which backends and stores there are: finds plugins, checks them, looks them up by name.

Knows nothing of what a backend does. A broken plugin is named and set aside; it is an error only for a build
that wants something no other plugin offers.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pluggy

from . import hookspecs
from .backend import API_VERSION, CodegenBackend
from .cache.store import CacheKvStore
from .errors import CratewrightError, PluginError, UnknownNameError, near_miss
from .values import dataclass

__all__ = ["Registry", "default_registry", "register"]


@dataclass(frozen=True, slots=True)
class _Found:
    """A plugin that is not loaded yet: its name, its module, where it was found and how it may be reached."""

    name: str
    module: str
    origin: str
    path: str = ""


class Registry:
    """The backends of one process.

    Shape: `broken` maps a plugin's name to why it cannot be used.
    """

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._backends: dict[str, type[CodegenBackend]] = {}
        self._origins: dict[str, str] = {}
        self.broken: dict[str, str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the usable backends, sorted."""
        return tuple(sorted(self._backends))

    def origin(self, name: str) -> str:
        """Return where a backend was found, for people."""
        return self._origins[name]

    def register(self, module: ModuleType, *, name: str = "", origin: str = "registered by the build") -> None:
        """Add the backends of a module.

        Raises: PluginError naming the plugin for a misspelt hook, a class that is no backend, another contract
        version, an incomplete class, or a name that is taken.
        """
        plugin = name or module.__name__
        if self._manager.is_registered(module):
            return
        if self._manager.has_plugin(plugin):
            raise PluginError(f"two plugins are called '{plugin}'", hint="give one of the modules another name")
        try:
            self._check_hooks(module, plugin)
            for found in self._classes(module, plugin):
                self._add(found, plugin, origin)
        except PluginError:
            if self._manager.is_registered(module):
                self._manager.unregister(module)
            raise

    def backend(self, name: str) -> type[CodegenBackend]:
        """Return a backend class by name.

        Raises: UnknownNameError with the near miss, and with the reasons of broken plugins.
        """
        if name not in self._backends:
            raise UnknownNameError(
                f"unknown backend '{name}'",
                context=[(f"plugin {plugin}", reason) for plugin, reason in sorted(self.broken.items())],
                hint=near_miss(name, self._backends)
                if self._backends
                else f"no backend is installed; try: pip install cratewright-{name}",
            )
        return self._backends[name]

    def open_store(self, url: str) -> CacheKvStore:
        """Return the store that a plugin opens for a URL.

        Raises: UnknownNameError if none does; PluginError if one fails to.
        """
        try:
            store = self._manager.hook.cratewright_open_store(url=url)
        except CratewrightError:
            raise
        except Exception as error:  # a plugin may fail in any way
            raise PluginError(f"the cache '{url}' cannot be opened", context=(("reason", repr(error)),)) from error
        if store is None:
            raise UnknownNameError(
                f"no plugin opens the cache '{url}'",
                context=[(f"plugin {plugin}", reason) for plugin, reason in sorted(self.broken.items())],
                hint="CRATE_CACHE takes a directory, 'off', or a URL that an installed plugin knows",
            )
        if not isinstance(store, CacheKvStore):
            raise PluginError(f"the cache '{url}' was opened as {store!r}, which is no CacheKvStore")
        return store

    def discover(self) -> None:
        """Load every plugin that is installed or lies beside this package in a checkout."""
        for found in _find_plugins():
            if found.name in self.broken or self._manager.has_plugin(found.name):
                continue
            try:
                if found.path and found.path not in sys.path:
                    sys.path.append(found.path)
                self.register(importlib.import_module(found.module), name=found.name, origin=found.origin)
            except PluginError as error:
                self.broken[found.name] = str(error)
            except Exception as error:  # a plugin may fail in any way while it is imported
                self.broken[found.name] = f"{type(error).__name__}: {error}"

    def _check_hooks(self, module: ModuleType, plugin: str) -> None:
        # Hooks are matched by name only when called: a misspelt one would otherwise be silently unused.
        try:
            self._manager.register(module, plugin)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(
                f"plugin '{plugin}' implements a hook that does not exist, or with arguments it does not have",
                context=(("reason", error),),
                hint="the hooks are cratewright_register_backend() and cratewright_open_store(url)",
            ) from error

    def _classes(self, module: ModuleType, plugin: str) -> Iterator[object]:
        caller = self._manager.subset_hook_caller(
            "cratewright_register_backend",
            [other for _, other in self._manager.list_name_plugin() if other is not module],
        )
        try:
            found = caller()
        except Exception as error:  # a plugin may fail in any way
            raise PluginError(
                f"plugin '{plugin}' does not register its backend", context=(("reason", repr(error)),)
            ) from error
        if not found and not self._opens_stores(module):
            raise PluginError(
                f"plugin '{plugin}' registers no backend",
                hint="mark a function cratewright_register_backend() with cratewright.hookimpl",
            )
        yield from found

    def _opens_stores(self, module: ModuleType) -> bool:
        hooks = self._manager.hook.cratewright_open_store.get_hookimpls()
        return any(item.plugin is module for item in hooks)

    def _add(self, found: object, plugin: str, origin: str) -> None:
        if not (isinstance(found, type) and issubclass(found, CodegenBackend)):
            raise PluginError(f"plugin '{plugin}' registers {found!r}, which is no CodegenBackend")
        if found.API_VERSION != API_VERSION:
            raise PluginError(
                f"plugin '{plugin}' speaks contract version {found.API_VERSION}, this cratewright {API_VERSION}",
                hint=f"install versions of cratewright and {plugin} that belong together",
            )
        missing = [
            word for word in ("NAME", "TARGETS", "SUFFIXES", "supported_crate_types") if not hasattr(found, word)
        ]
        if inspect.isabstract(found):
            missing += sorted(found.__abstractmethods__)
        if missing:
            raise PluginError(f"plugin '{plugin}': {found.__name__} lacks {', '.join(missing)}")
        other = self._backends.get(found.NAME)
        if other is not None:
            raise PluginError(
                f"two plugins offer a backend '{found.NAME}'",
                context=((self._origins[found.NAME], other.__module__), (origin, found.__module__)),
                hint="uninstall one of them",
            )
        self._backends[found.NAME] = found
        self._origins[found.NAME] = origin


def _find_plugins() -> Iterator[_Found]:
    """Yield installed plugins, then those of a checkout: `plugins/*/pyproject.toml` beside `site_scons`."""
    installed = sorted(metadata.entry_points(group=hookspecs.PROJECT), key=lambda entry: entry.name)
    for entry in installed:
        version = f" {entry.dist.version}" if entry.dist else ""
        yield _Found(entry.name, entry.module, f"{entry.dist.name if entry.dist else 'installed'}{version}")
    names = {entry.name for entry in installed}
    plugins = Path(__file__).resolve().parents[2] / "plugins"
    for project in sorted(plugins.glob("*/pyproject.toml")):
        table = _entry_point_table(project)
        for name, module in table.items():
            if name not in names:
                yield _Found(name, module, f"plugins/{project.parent.name}", str(project.parent / "src"))


def _entry_point_table(project: Path) -> Mapping[str, str]:
    import tomli  # noqa: PLC0415 - only a checkout needs it

    try:
        table = tomli.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"][hookspecs.PROJECT]
    except (OSError, KeyError, tomli.TOMLDecodeError):
        return {}
    return {str(name): str(module) for name, module in table.items()}


@lru_cache(maxsize=1)
def default_registry() -> Registry:
    """Return the process's registry, with all plugins that can be found."""
    registry = Registry()
    registry.discover()
    return registry


def register(module: ModuleType) -> None:
    """Add the backends of a module to this process, with no packaging.

    Raises: PluginError as `Registry.register`.
    """
    default_registry().register(module)
