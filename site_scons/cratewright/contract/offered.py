"""What a plugin offers besides backends: commands and profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ..base.errors import CratewrightError, PluginError, near_miss
from ..base.patterns import pattern
from ..base.values import dataclass
from ..values.option_spec import OptionKind, OptionSpec
from ..values.options import BUILTIN_PROFILES, SEARCH_PATHS

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

OWN_COMMANDS = frozenset(
    {"backends", "build", "cache", "completion", "explain", "graph", "init", "inspect", "link", "new-backend", "report"}
    | {"diff", "schema", "verify-reproducible", "watch"}
)
"""Commands that a plugin cannot replace."""

_COMMAND = pattern(r"[a-z][a-z0-9-]*\Z")
_PROFILE = pattern(r"[A-Za-z][A-Za-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command `cratewright NAME`.

    Shape: `help` is one line; `arguments` adds the command's arguments to its parser; `run` does the work and returns
    the exit status, or None for 0. A `cratewright.CratewrightError` is printed, and the status is 2.
    """

    name: str
    help: str
    run: Callable[[Namespace], int | None]
    arguments: Callable[[ArgumentParser], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named set of options, chosen by `CRATE_PROFILE`; a backend ignores options that it does not have.

    Shape: `options` by their names in an SConstruct; `inherits` is a profile of cratewright or of the same plugin.
    """

    name: str
    options: Mapping[str, object]
    inherits: str = ""

    @property
    def table(self) -> dict[str, object]:
        """The profile as an SConstruct would write it."""
        return {"inherits": self.inherits, **self.options}


def checked_command(command: object, plugin: tuple[str, str]) -> Command:
    """Return a plugin's command, checked; `plugin` is its name, and where it comes from with its version.

    Raises: PluginError if it is not one.
    """
    if type(command) is not Command:
        raise _fault(plugin, f"offers {command!r} as a command", "a cratewright.Command")
    if type(command.name) is not str or not _COMMAND.match(command.name):
        raise _fault(plugin, f"offers a command {command.name!r}", "a name of lower-case letters, digits and '-'")
    where = f"offers the command '{command.name}'"
    if command.name in OWN_COMMANDS:
        raise _fault(plugin, where, "a name other than those of cratewright's own commands")
    if type(command.help) is not str or len(command.help.splitlines()) != 1:
        raise _fault(plugin, f"{where} with the help {command.help!r}", "one line of text")
    if not callable(command.run) or not (command.arguments is None or callable(command.arguments)):
        raise _fault(plugin, where, "functions for `run` and `arguments`")
    return command


def checked_profile(profile: object, plugin: tuple[str, str]) -> Profile:
    """Return a plugin's profile, its form checked; `check_profile` checks its options.

    Raises: PluginError if it is not one.
    """
    if type(profile) is not Profile:
        raise _fault(plugin, f"offers {profile!r} as a profile", "a cratewright.Profile")
    if type(profile.name) is not str or not _PROFILE.match(profile.name):
        raise _fault(plugin, f"offers a profile {profile.name!r}", "a name of letters, digits, '-' and '_'")
    if profile.name in BUILTIN_PROFILES:
        raise _fault(
            plugin, f"offers the profile '{profile.name}'", "a name other than those of cratewright's own profiles"
        )
    if not isinstance(profile.options, Mapping) or not all(type(name) is str for name in profile.options):
        raise _fault(plugin, f"offers the profile '{profile.name}'", "options as a mapping from names to values")
    return profile


def check_profile(
    profile: Profile, plugin: tuple[str, str], others: Iterable[str], options: Mapping[str, Iterable[OptionSpec]]
) -> None:
    """Refuse a profile with unknown options or invalid values.

    Shape: `others` are the plugin's profiles; `options` are the rows of all backends by the option's name.
    Raises: PluginError.
    """
    where = f"offers the profile '{profile.name}'"
    known = {*BUILTIN_PROFILES, *others} - {profile.name}
    if profile.inherits and profile.inherits not in known:
        raise _fault(
            plugin,
            f"{where}, which inherits {profile.inherits!r}",
            "a profile of cratewright or of the same plugin",
            near_miss(str(profile.inherits), known),
        )
    for name, value in profile.options.items():
        if name not in options:
            raise _fault(plugin, f"{where} with '{name}'", "options of a backend", near_miss(name, options))
        for spec in options[name]:
            if name in SEARCH_PATHS or spec.kind in (OptionKind.PATH, OptionKind.DIRECTORY):
                raise _fault(plugin, f"{where} with '{name}'", "options that name no files: those are a project's")
            try:
                spec.parse(value, where=f"profile '{profile.name}'")
            except CratewrightError as error:
                raise _fault(plugin, f"{where}: {error.message}", "values that the options take", error.hint) from error


def _fault(plugin: tuple[str, str], what: str, expected: str, hint: str = "") -> PluginError:
    name, origin = plugin
    return PluginError(f"plugin '{name}' {what}", context=(("plugin", origin), ("expected", expected)), hint=hint)
