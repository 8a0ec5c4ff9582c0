"""Which backends and stores there are: finds plugins, checks them, looks them up by name.

Knows nothing of what a backend does. A broken plugin is named and set aside; it is an error only for a build
that wants something no other plugin offers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import pluggy

from . import hookspecs
from .backend import CodegenBackend
from .blame import distribution_words, foreign_error, is_fault, plugin_words
from .cache.store import CacheKvStore
from .declared import find_class_fault
from .errors import ConfigurationError, CratewrightError, PluginError, UnknownNameError, near_miss
from .values import dataclass

__all__ = ["BLOCKED", "Plugin", "Registry", "default_registry", "register"]

BLOCKED = "blocked by CRATE_PLUGINS"
_BACKENDS = "cratewright_register_backend"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that was found, or registered.

    Shape: `target` is `module` or `module:attribute`; `origin` says with its version where it was found; `hooks` are
    the names of those it implements, `backends` the names of what it offers; `broken` says why it cannot be used, if
    it cannot.
    """

    name: str
    target: str
    origin: str
    hooks: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    broken: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A plugin that is not loaded yet, and the directory to import it from, if there is a special one."""

    entry: metadata.EntryPoint
    origin: str
    path: str = ""


class Registry:
    """The plugins of one process, and their backends.

    Shape: `broken` maps a plugin's name to why it cannot be used; `blocked` are the names that no plugin may have.
    """

    def __init__(self, blocked: Sequence[str] = ()) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._backends: dict[str, type[CodegenBackend]] = {}
        self._plugins: dict[str, Plugin] = {}
        self._blocked = tuple(blocked)

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

    def register(
        self, module: object, *, name: str = "", origin: str = "registered by the build", target: str = ""
    ) -> None:
        """Add the backends of a module, or of any object that has hook implementations.

        Shape: `name`, `origin` and `target` as in `Plugin`; those of a module are its own.
        Raises: PluginError naming the plugin for a misspelt hook, a class that is no backend or declares itself
        wrongly, another contract version, or a name that is taken.
        """
        plugin = name or str(getattr(module, "__name__", type(module).__name__))
        if self._manager.is_registered(module):
            return
        if self._manager.has_plugin(plugin):
            raise PluginError(f"two plugins are called '{plugin}'", hint="give one of the modules another name")
        known = dict(self._backends)
        try:
            self._check_hooks(module, plugin)
            hooks = self._hooks(module)
            offered = [self._add(found, plugin) for found in self._classes(module, plugin)]
            self._plugins[plugin] = Plugin(plugin, target or _target(module), origin, hooks, tuple(offered))
            if not offered and set(hooks) <= {_BACKENDS} and not self._wraps(module):
                raise PluginError(
                    f"plugin '{plugin}' registers no backend",
                    hint="mark a function cratewright_register_backend() with cratewright.hookimpl",
                )
            if self._wraps(module):
                self._collect_again()
        except CratewrightError:
            self._backends = known
            self._plugins.pop(plugin, None)
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
                context=self._reasons(),
                hint=near_miss(name, self._backends)
                if self._backends
                else f"no backend is installed; try: pip install cratewright-{name}",
            )
        return self._backends[name]

    def open_store(self, url: str, environ: Mapping[str, str] | None = None) -> CacheKvStore:
        """Return the store that a plugin opens for a URL, or else this package itself.

        Shape: `environ` has the settings that say how to be let in.

        Raises: UnknownNameError if none does; PluginError if one fails to.
        """
        try:
            store = self._manager.hook.cratewright_open_store(url=url)
        except CratewrightError:
            raise
        except BaseException as error:
            if not is_fault(error):
                raise
            raise foreign_error(error, f"the cache '{url}' cannot be opened") from error
        if store is None:
            from .remote import open_store  # noqa: PLC0415 - few builds have a cache on a server

            store = open_store(url, environ or {})
        if store is None:
            raise UnknownNameError(
                f"no plugin opens the cache '{url}'",
                context=self._reasons(),
                hint="CRATE_CACHE takes 'off', directories, and URLs of http(s), grpc(s), grpc+unix or a plugin",
            )
        if not isinstance(store, CacheKvStore):
            raise PluginError(f"the cache '{url}' was opened as {store!r}, which is no CacheKvStore")
        return store

    def discover(self) -> None:
        """Load every plugin that is installed or lies beside this package in a checkout.

        Raises: ConfigurationError if none is called what is blocked.
        """
        plugins = list(_find_plugins())
        for name in self._blocked:
            names = [found.entry.name for found in plugins]
            if name not in names:
                raise ConfigurationError(
                    f"CRATE_PLUGINS blocks '{name}', which is no plugin", hint=near_miss(name, names)
                )
        for found in plugins:
            name = found.entry.name
            if name in self._plugins:
                continue
            reason = BLOCKED if name in self._blocked else self._loaded(found)
            if reason:
                self._plugins[name] = Plugin(name, found.entry.value, found.origin, broken=reason)

    def trace(self) -> None:
        """Say on standard error which plugins there are, and from now on which hooks are called."""

        def say(text: str) -> None:
            sys.stderr.write(f"cratewright: {text.rstrip()}\n")

        for plugin in self.plugins:
            state = plugin.broken or f"backends: {' '.join(plugin.backends) or 'none'}; hooks: {' '.join(plugin.hooks)}"
            say(f"plugin {plugin.name} ({plugin.origin}, {plugin.target}): {state}")
        self._manager.trace.root.setwriter(say)
        self._manager.enable_tracing()

    def _reasons(self) -> list[tuple[str, str]]:
        return [(f"plugin {plugin}", reason) for plugin, reason in sorted(self.broken.items())]

    def _loaded(self, found: _Found) -> str:
        """Load a plugin and return why it cannot be used, if it cannot."""
        try:
            if found.path and found.path not in sys.path:
                sys.path.append(found.path)
            entry = found.entry
            self.register(entry.load(), name=entry.name, origin=found.origin, target=entry.value)
        except PluginError as error:
            return str(error)
        except BaseException as error:
            if not is_fault(error):
                raise
            return str(foreign_error(error, "it cannot be imported"))
        return ""

    def _check_hooks(self, module: object, plugin: str) -> None:
        # Hooks are matched by name only when called: a misspelt one would otherwise be silently unused.
        try:
            self._manager.register(module, plugin)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, TypeError) as error:
            raise PluginError(
                f"plugin '{plugin}' implements a hook that does not exist, or with arguments it does not have",
                context=(("reason", error),),
                hint="the hooks are cratewright_register_backend(), cratewright_open_store(url) and "
                "cratewright_describe(path, data)",
            ) from error

    def describe(self, path: str, data: bytes) -> Mapping[str, object] | None:
        """Return what a plugin knows of a file, None if none does.

        Raises: PluginError if one fails.
        """
        try:
            found: Mapping[str, object] | None = self._manager.hook.cratewright_describe(path=path, data=data)
        except CratewrightError:
            raise
        except BaseException as error:
            if not is_fault(error):
                raise
            raise foreign_error(error, f"a plugin cannot describe {path}") from error
        return found

    def _hooks(self, module: object) -> tuple[str, ...]:
        return tuple(sorted(caller.name for caller in self._manager.get_hookcallers(module) or ()))

    def _wraps(self, module: object) -> bool:
        implementations = self._manager.hook.cratewright_register_backend.get_hookimpls()
        return any(item.plugin is module and (item.wrapper or item.hookwrapper) for item in implementations)

    def _classes(self, module: object, plugin: str) -> Iterator[object]:
        """Yield what a plugin registers, as the wrappers of all plugins leave it."""
        others = [
            other for _, other in self._manager.list_name_plugin() if other is not module and not self._wraps(other)
        ]
        try:
            answers = self._manager.subset_hook_caller(_BACKENDS, others)()
        except CratewrightError:
            raise
        except BaseException as error:
            if not is_fault(error):
                raise
            raise foreign_error(error, f"plugin '{plugin}' does not register its backend") from error
        for answer in answers:
            yield from answer if isinstance(answer, (list, tuple)) else [answer]

    def _collect_again(self) -> None:
        """Ask all plugins once more: a wrapper that came late has its say about those that came before."""
        self._backends = {}
        for name, plugin in list(self._plugins.items()):
            module = self._manager.get_plugin(name)
            if module is not None:
                offered = [self._add(found, name) for found in self._classes(module, name)]
                self._plugins[name] = Plugin(name, plugin.target, plugin.origin, plugin.hooks, tuple(offered))

    def _add(self, found: object, plugin: str) -> str:
        if not (isinstance(found, type) and issubclass(found, CodegenBackend)):
            raise PluginError(
                f"plugin '{plugin}' registers {found!r}, which is no CodegenBackend",
                hint="return a class, or a list of classes",
            )
        fault = find_class_fault(found)
        if fault is not None:
            raise PluginError(
                f"plugin '{plugin}', class {found.__name__}: {fault.message}",
                context=(
                    ("plugin", plugin_words(found.__module__)),
                    *([("expected", fault.expected)] if fault.expected else []),
                ),
                hint=fault.hint,
            )
        other = self._backends.get(found.NAME)
        if other is not None:
            raise PluginError(
                f"two plugins offer a backend '{found.NAME}'",
                context=(
                    (plugin_words(other.__module__), _path(other)),
                    (plugin_words(found.__module__), _path(found)),
                ),
                hint="uninstall one of them, or block one: CRATE_PLUGINS=-NAME",
            )
        self._backends[found.NAME] = found
        return found.NAME


def _path(kind: type[CodegenBackend]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _target(module: object) -> str:
    return str(getattr(module, "__name__", f"an object of {type(module).__module__}:{type(module).__qualname__}"))


def _find_plugins() -> Iterator[_Found]:
    """Yield installed plugins, then those of a checkout: `plugins/*/pyproject.toml` beside `site_scons`."""
    installed = sorted(metadata.entry_points(group=hookspecs.PROJECT), key=lambda entry: entry.name)
    for entry in installed:
        yield _Found(entry, distribution_words(entry.dist) if entry.dist else "installed")
    names = {entry.name for entry in installed}
    plugins = Path(__file__).resolve().parents[2] / "plugins"
    for project in sorted(plugins.glob("*/pyproject.toml")):
        table = _entry_point_table(project)
        for name, target in table.items():
            if name not in names:
                entry = metadata.EntryPoint(name, target, hookspecs.PROJECT)
                yield _Found(entry, f"plugins/{project.parent.name}", str(project.parent / "src"))


def _entry_point_table(project: Path) -> Mapping[str, str]:
    import tomli  # noqa: PLC0415 - only a checkout needs it

    try:
        table = tomli.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"][hookspecs.PROJECT]
    except (OSError, KeyError, tomli.TOMLDecodeError):
        return {}
    return {str(name): str(module) for name, module in table.items()}


@lru_cache(maxsize=1)
def default_registry() -> Registry:
    """Return the process's registry, with all plugins that can be found.

    Raises: ConfigurationError for a word of `CRATE_PLUGINS` that is none.
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


def register(module: object) -> None:
    """Add the backends of a module to this process, with no packaging.

    Raises: PluginError as `Registry.register`.
    """
    default_registry().register(module)
