"""Calls the hooks of all plugins, and attributes failures to them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pluggy

from ..base.errors import CratewrightError, PluginError
from ..contract import hookspecs
from ..contract.blame import foreign_error, is_fault

BACKENDS = hookspecs.cratewright_register_backend.__name__
COMMANDS = hookspecs.cratewright_add_commands.__name__
EVENTS = hookspecs.cratewright_build_event.__name__
PROFILES = hookspecs.cratewright_add_profiles.__name__


class Hooks:
    """The hooks that plugins implement; a plugin is a module, or any other object."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    def has(self, plugin: object, name: str) -> bool:
        """Return whether a plugin is registered, under any name.

        Raises: PluginError if another has its name.
        """
        if self._manager.is_registered(plugin):
            return True
        if self._manager.has_plugin(name):
            raise PluginError(f"two plugins are called '{name}'", hint="give one of the modules another name")
        return False

    def plugin(self, name: str) -> object:
        """Return a plugin by its name, None if there is none."""
        return self._manager.get_plugin(name)

    def add(self, plugin: object, name: str) -> tuple[str, ...]:
        """Add a plugin, and return the names of the hooks that it implements.

        Raises: PluginError for a hook that does not exist, or with arguments that it does not have.
        """
        _ = plugin == object()  # pluggy compares plugins: refuse one that cannot be compared
        # Hooks are matched by name only when called: a misspelt one would otherwise be silently unused.
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, TypeError) as error:
            raise PluginError(
                f"plugin '{name}' implements a hook that does not exist, or with arguments it does not have",
                context=(("reason", error),),
                hint=f"the hooks are {', '.join(_words())}",
            ) from error
        return tuple(sorted(caller.name for caller in self._manager.get_hookcallers(plugin) or ()))

    def remove(self, plugin: object, name: str) -> None:
        """Remove a plugin, if it is registered under a name."""
        if self._manager.get_plugin(name) is plugin and plugin is not None:
            self._manager.unregister(plugin, name)

    def wraps(self, plugin: object, hook: str) -> bool:
        """Return whether a plugin wraps a hook, in either of pluggy's ways."""
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        return any(item.plugin is plugin and (item.wrapper or item.hookwrapper) for item in implementations)

    def caller(self, hook: str, plugin: object) -> Callable[..., Any]:
        """Return the caller of a hook of one plugin, within the wrappers of all plugins."""
        others = [other for _, other in self._manager.list_name_plugin() if other is not plugin]
        return self._manager.subset_hook_caller(hook, [other for other in others if not self.wraps(other, hook)])

    def offers(self, hook: str, plugin: object, name: str) -> Iterator[object]:
        """Yield what a plugin returns from a hook: one item, or those of a list or tuple.

        Raises: PluginError naming the plugin if it fails.
        """
        answers = self._asked(self.caller(hook, plugin), f"plugin '{name}' fails in {hook}()")
        if not isinstance(answers, list):
            wrappers = [each for each, other in self._manager.list_name_plugin() if self.wraps(other, hook)]
            raise PluginError(
                f"a wrapper of {hook}() returns {answers!r}",
                context=(("wrappers", " ".join(wrappers)),),
                hint="return the list that `yield` gave",
            )
        for answer in answers:
            yield from answer if isinstance(answer, (list, tuple)) else [answer]

    def first(self, hook: str, what: str, **arguments: object) -> Any:
        """Return the first answer to a hook that is not None, or None; `what` begins the error if it fails.

        Raises: PluginError; an error of ours as the plugin raised it.
        """
        return self._asked(getattr(self._manager.hook, hook), what, **arguments)

    def trace(self, say: Callable[[str], None]) -> None:
        """Report each call of a hook from now on."""
        self._manager.trace.root.setwriter(say)
        self._manager.enable_tracing()

    @staticmethod
    def _asked(hook: Callable[..., Any], what: str, **arguments: object) -> Any:
        try:
            return hook(**arguments)
        except CratewrightError:
            raise
        except BaseException as error:
            if not is_fault(error):
                raise
            raise foreign_error(error, what) from error


def _words() -> Iterator[str]:
    for name, function in vars(hookspecs).items():
        if name.startswith("cratewright_"):
            yield f"{name}({', '.join(function.__code__.co_varnames[: function.__code__.co_argcount])})"


def say(text: str) -> None:
    """Print a message to standard error."""
    sys.stderr.write(f"cratewright: {text.rstrip()}\n")
