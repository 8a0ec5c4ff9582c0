"""The commands that plugins add to the command line.

Plugins are loaded only for commands that are not cratewright's own, and for the list of all commands.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from ..base.errors import CratewrightError, PluginError
from ..contract.blame import foreign_error, is_fault
from ..contract.offered import OWN_COMMANDS, Command
from ..plugins.loading import default_registry
from ..plugins.plugin import Plugin

_OURS = frozenset({"run", "passed", "passes", "words"})
"""Names that the command line itself uses in a command's namespace."""


def add_plugin_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser], words: Sequence[str]) -> None:
    """Add the commands of plugins to a command line, if `words` may name one or ask for a list of all.

    Raises: PluginError if the named command cannot declare its arguments.
    """
    chosen = next((word for word in words if not word.startswith("-")), "")
    if chosen in OWN_COMMANDS - {"completion"}:
        return
    for command, plugin in default_registry().commands:
        added = commands.add_parser(command.name, help=f"{command.help} ({plugin.origin})", description=command.help)
        if command.arguments is not None and chosen in (command.name, "completion"):
            _guarded(command.arguments, added, f"'{command.name}' cannot declare its arguments", plugin)
        taken = sorted({action.dest for action in added._actions} & _OURS)
        if taken:
            raise PluginError(
                f"plugin '{plugin.name}', command '{command.name}': an argument cannot be called '{taken[0]}'",
                hint=f"give it a dest other than {' '.join(sorted(_OURS))}",
            )
        added.set_defaults(run=_runner(command, plugin))


def _runner(command: Command, plugin: Plugin) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        status = _guarded(command.run, arguments, f"'{command.name}' failed", plugin)
        if status is not None and (type(status) is not int or not 0 <= status < 256):
            raise PluginError(
                f"plugin '{plugin.name}', command '{command.name}': run() returned {status!r}",
                context=(("plugin", plugin.origin), ("expected", "an exit status from 0 to 255, or None for 0")),
            )
        return int(status or 0)

    return run


def _guarded(function: Callable[..., object], argument: object, what: str, plugin: Plugin) -> object:
    try:
        return function(argument)
    except (CratewrightError, BrokenPipeError):
        raise
    except BaseException as error:
        if not is_fault(error):
            raise
        message = f"plugin '{plugin.name}', command {what}"
        raise foreign_error(error, message, rows=(("plugin", plugin.origin),)) from error
