"""Construction variables as options of a crate, expanded as SCons does for its own builders.

A backend's table says which variables it uses, and for which option.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections import UserString
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import SCons.Defaults
import SCons.Environment
import SCons.Errors
import SCons.Node.FS
import SCons.PathList
import SCons.Subst
import SCons.Util

from ...base.errors import ConfigurationError
from ...base.patterns import pattern
from ...contract.backend import CodegenBackend
from ...values.construction import ConstructionVariable
from ...values.option_spec import OptionKind, OptionSpec
from ...values.options import SEARCH_PATHS
from ..crates.linkable import linkable
from ..nodes.crate_nodes import has_crates
from ..nodes.paths import relative
from ..options.expansion import SINGLE_PATHS, check_text, without_files
from ..options.tool_defaults import TOOL_PROGRAMS, has_value

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_ORIGIN = pattern(r"\\*\$+ORIGIN\b")


def chosen_programs(env: Environment, backend: type[CodegenBackend], *, where: str) -> dict[str, str]:
    """Return the settings for the programs that the user has chosen.

    Raises: ConfigurationError if variables differ, or contain more than a program.
    """
    chosen: dict[str, tuple[str, str]] = {}
    for variable in backend.VARIABLES:
        if not variable.setting or not is_chosen(env, variable.name):
            continue
        text = str(env.subst(f"${variable.name}")).strip()
        if len(text.split()) != 1:
            raise ConfigurationError(
                f"{variable.name}={text!r} is not the name of one program",
                context=(("where", where),),
                hint=f"leave out the launcher, since results are cached without one, or set {variable.setting}",
            )
        place, name = os.path.split(text)
        for old, new in variable.renamed:
            name = name.replace(old, new)
        program = os.path.join(place, name) if place else _program_path(env, name)
        before = chosen.setdefault(variable.setting, (variable.name, program))
        if before[1] != program:
            raise ConfigurationError(
                f"{before[0]} and {variable.name} are of different toolchains",
                context=(("where", where), (before[0], before[1]), (variable.name, text)),
                hint=f"choose one with {variable.setting}",
            )
    return {setting: program for setting, (_, program) in chosen.items()}


def _program_path(env: Environment, name: str) -> str:
    """Return the path of the program that SCons would run by a name; the name if the process finds the same program."""
    path, own_path = env.WhereIs(name), shutil.which(name)
    return path if path and (own_path is None or not os.path.samefile(path, own_path)) else name


def is_chosen(env: Environment, name: str) -> bool:
    """Return whether a variable names a program that the user has chosen, not one that SCons's tools have found."""
    value = env.get(name)
    return bool(value) and value != env.get(TOOL_PROGRAMS, {}).get(name)


def variable_options(
    env: Environment,
    backend: CodegenBackend,
    table: Iterable[OptionSpec],
    directory: Any,
    located: Callable[[Any], list[str]],
    *,
    where: str,
) -> Mapping[str, object]:
    """Return the values of an Environment's variables now, by option, as a backend reads them.

    Shape: relative paths are below `directory`, a node; `located` gives the root-relative paths of a directory.
    Raises: ConfigurationError for a value of an unsuitable type.
    """
    kinds = {spec.name: spec.kind for spec in table}
    values: dict[str, list[str]] = {}
    for variable in backend.VARIABLES:
        if not variable.option or not has_value(env.get(variable.name)):
            continue
        try:
            words = _words(env, variable, kinds[variable.option], directory, located, where)
        except (SCons.Errors.UserError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"{variable.name} cannot be {env.get(variable.name)!r}",
                context=(("where", where), ("reason", str(error))),
            ) from error
        for option, word in words:
            values.setdefault(option, []).append(word)
    return backend.read_variables({name: tuple(words) for name, words in values.items()}) if values else {}


def _words(
    env: Environment,
    variable: ConstructionVariable,
    kind: OptionKind,
    directory: Any,
    located: Callable[[Any], list[str]],
    where: str,
) -> list[tuple[str, str]]:
    name, option = variable.name, variable.option
    if option in SEARCH_PATHS:
        flat = _flat(env[name])
        for item in flat:
            if isinstance(item, str) and "$" in item:
                check_text(env, item)
        paths = SCons.PathList.PathList(_directories(env[name])).subst_path(env, directory, None)
        nodes = [path if isinstance(path, SCons.Node.FS.Base) else env.fs.Dir(str(path), directory) for path in paths]
        return [(option, path) for node in nodes for path in located(node)]
    if option == "libs":
        items = [item for item, _ in linkable(env[name], user=where)] if has_crates(env[name]) else env[name]
        return [word for item in _flat(items) for word in _libraries(env, item)]
    if kind is OptionKind.DEFINES:
        # SCons expands the result of its function for macros again.
        lines = without_files(lambda files: env.subst_list(SCons.Defaults.processDefines(env[name]), overrides=files))
        flags = [f"-D{word}" for line in lines for word in line]
        return [(option, word.removeprefix("-D")) for word in _shell_words(env, flags)]
    _flat(env[name])
    text = _directories(env[name]) if option in SINGLE_PATHS else f"${name}"
    return [(option, _ORIGIN.sub("$ORIGIN", word)) for word in _shell_words(env, text)]


def _directories(value: object) -> list[Any]:
    """Return the directories of a variable: several in one string, as in `PATH`, or one for each item of a list."""
    return value.split(os.pathsep) if isinstance(value, str) else SCons.Util.flatten(value)


def _flat(value: object) -> list[Any]:
    items = SCons.Util.flatten(value)
    for item in items:
        if not isinstance(item, (str, SCons.Node.Node, SCons.Subst.Literal, UserString)):
            raise TypeError(f"{item!r} is neither text nor a node")
    return list(items)


def _shell_words(env: Environment, text: str | list[str]) -> list[str]:
    """Return the arguments that a shell would make of SCons's command line."""
    lines = without_files(lambda files: env.subst_list(text, overrides=files)) or [[]]
    if len(lines) > 1:
        raise ValueError("it stands for several lines")
    (line,) = lines
    quote = SCons.Subst.quote_spaces
    return shlex.split(" ".join(str(word.escape(_escape, quote)) for word in line))


def _escape(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _libraries(env: Environment, item: Any) -> list[tuple[str, str]]:
    if isinstance(item, SCons.Node.FS.Base):
        return [("libs", library_word(item, bundle=False))]
    words: list[tuple[str, str]] = []
    for word in str(env.subst(item)).split():
        if word.startswith("-l"):
            words.append(("libs", word[2:]))
        elif word.startswith("-"):
            words.append(("ldflags", word))
        elif "/" in word:
            words.append(("libs", library_word(env.fs.File(word), bundle=False)))
        else:
            ends = (env.get("LIBPREFIXES", []), env.get("LIBSUFFIXES", []))
            # After a colon comes a file's own name.
            (bare,) = SCons.Defaults._stripixes("", [word], "", *ends, env, ":")
            words.append(("libs", bare))
    return words


def library_word(node: Any, *, bundle: bool) -> str:
    """Return the word by which a crate links a library file.

    Shape: with `bundle`, a static library becomes part of the crate.
    """
    path = relative(node)
    path = path if "/" in path else f"./{path}"
    if path.endswith((".a", ".lib")):
        return f"static={path}" if bundle else f"static:-bundle={path}"
    return path
