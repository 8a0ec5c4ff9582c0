"""Construction variables for one call: its arguments in capitals, and `parse_flags`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import SCons.Util

from ...base.errors import ConfigurationError
from ...plugins.loading import default_registry
from .spelling import with_command_line

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_FLAGS = "parse_flags"


def with_own_variables(
    env: Environment, words: Mapping[str, object], *, where: str
) -> tuple[Environment, dict[str, object]]:
    """Return an Environment with the variables of a call and of the command line, and the call's other arguments.

    Raises: ConfigurationError for flags that the backend does not use.
    """
    own = {word: value for word, value in words.items() if word.isupper()}
    rest = {word: value for word, value in words.items() if word not in own}
    env = with_command_line(env.Override(own) if own else env)
    flags = rest.pop(_FLAGS, None)
    if not flags:
        return env, rest
    name = str(env.subst(rest.get("backend") or env["CRATE_BACKEND"]))
    merged = _variables(env, flags, name, where) if name in default_registry().names else {}
    return (env.Override({_FLAGS: merged}) if merged else env), rest


def _variables(env: Environment, flags: object, backend: str, where: str) -> dict[str, object]:
    """Return the values in flags of a compiler, by the construction variables that the backend uses for them."""
    texts = [str(text) for text in SCons.Util.flatten([flags]) if SCons.Util.is_String(text)]
    if any(text.startswith("!") for text in texts):
        raise ConfigurationError(
            f"{_FLAGS} cannot run a command: in a build with nothing to do it would not be run",
            context=(("where", where),),
            hint=f"{_FLAGS}=env.ParseFlags(...) runs it in each build",
        )
    variables = default_registry().backend(backend).VARIABLES
    by_option = {variable.option: variable.name for variable in reversed(variables)}
    used = {variable.name: variable.name for variable in variables if not variable.setting}
    # Macros and include directories mean the same in any language with a preprocessor.
    variables_for = {"CPPDEFINES": by_option.get("defines"), "CPPPATH": by_option.get("include_dirs"), **used}
    try:
        parsed = flags if isinstance(flags, Mapping) else env.ParseFlags(flags)
    except TypeError:
        raise ConfigurationError(
            f"{_FLAGS} takes text, a list of texts or what ParseFlags returns, not {flags!r}",
            context=(("where", where),),
        ) from None
    found = {}
    for name, value in parsed.items():
        if not value:
            continue
        variable = variables_for.get(name)
        if variable is None:
            shown = " ".join(map(str, value)) if isinstance(value, list) else value
            raise ConfigurationError(
                f"{_FLAGS} has {shown}, which backend '{backend}' does not use",
                context=(("where", where), ("variable", name)),
                hint=f"it uses {' '.join(sorted(key for key, used in variables_for.items() if used)) or 'none'}",
            )
        found[variable] = value
    return found
