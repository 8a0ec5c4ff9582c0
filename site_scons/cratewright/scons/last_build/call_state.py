"""The state that a call of `env.Crate` reads beside its arguments, as a digest, and to restore it later.

It consists of the variables of the Environment and of the process, the command line, and the directories.
"""

from __future__ import annotations

import os
import sys
from collections import UserList
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import SCons
import SCons.Defaults
import SCons.Environment
import SCons.Script
import SCons.Script.Main
import SCons.Util

from ..graph.plain_graph import variant_directories, variant_row
from ..nodes.builders import STAGE_BUILDERS, StageBuilder
from ..options.tool_defaults import TOOL_DEFAULTS
from .stable_values import NotRecordable, copied, digest_of, exact, plain_variable

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_VOLATILE = frozenset({"_", "OLDPWD", "SHLVL"})
"""Variables that a shell changes with each command, and no compiler reads."""
_SEPARATE = frozenset({"BUILDERS", TOOL_DEFAULTS})
"""Variables that are compared separately: the stages among the builders; what tools have set is for people."""
_SIDE_EFFECTS = ("CRATE_EVENTS", "CRATE_TIME_PASSES", "CRATE_TRACE_PLUGINS", "CRATE_CACHE_VERIFY")
"""Variables with which a build prints or does more than it makes."""
_MISSING = object()
_IRRELEVANT_OPTIONS = frozenset({"num_jobs", "silent", "no_progress", "directory", "file", "keep_going", "site_dir"})
"""Options that decide how SCons works and where it finds Python code, not what it makes or prints."""
_NO_PROGRESS = (type(None), SCons.Util.Null)
"""SCons's default progress function, which shows nothing; None since SCons 4.11."""


class ProcessState:
    """Everything outside Environments that a call reads, at one moment."""

    def __init__(self) -> None:
        self.environ = dict(os.environ)
        self.arguments = dict(SCons.Script.ARGUMENTS)
        self.path = list(sys.path)
        self.directory = os.getcwd()
        self._raw_environ = _raw_environ()
        self._exact_arguments = exact(self.arguments)
        environ = sorted((name, text) for name, text in self.environ.items() if name not in _VOLATILE)
        arguments = {name: text for name, text in self.arguments.items() if str(name).startswith("CRATE_")}
        self.has_side_effects = any(self.environ.get(name) or arguments.get(name) for name in _SIDE_EFFECTS)
        rows = sorted([name, plain_variable(text)] for name, text in arguments.items())
        self.digest = digest_of([sys.version, SCons.__version__, self.directory, environ, rows, self.path])

    def is_current(self) -> bool:
        """Return whether nothing of it has changed."""
        return (
            self._raw_environ == _raw_environ()
            and self.path == sys.path
            and self._exact_arguments == SCons.Script.ARGUMENTS
            and self.directory == os.getcwd()
        )

    def restore(self) -> None:
        """Make it the state of the process again."""
        for name in os.environ.keys() - self.environ.keys():
            del os.environ[name]
        for name, text in self.environ.items():
            if os.environ.get(name) != text:
                os.environ[name] = text
        SCons.Script.ARGUMENTS.clear()
        SCons.Script.ARGUMENTS.update(self.arguments)
        sys.path[:] = self.path
        if os.getcwd() != self.directory:
            os.chdir(self.directory)


class _EnvironmentState:
    """The construction variables of one Environment, at one moment."""

    def __init__(self, env: Environment) -> None:
        values = {name: value for name, value in env._dict.items() if name not in _SEPARATE}
        if any(values.get(name) for name in _SIDE_EFFECTS):
            raise NotRecordable("a build that prints or does more")
        self.digest = digest_of([[name, plain_variable(value)] for name, value in sorted(values.items())])
        self.stages = _stages(env)
        self._values = copied(values)
        self._exact = exact(values)
        # Compared at each call, so without a copy; SCons's lists compare slowly, so the lists in them are compared.
        lists = {name: value for name, value in values.items() if isinstance(value, UserList)}
        self._lists = [(name, self._exact[name].data) for name in lists]
        self._comparable = self._exact | lists | dict.fromkeys(_SEPARATE & env._dict.keys(), _EQUALS_ALL)
        self._types = [*env._dict, *map(type, env._dict.values())]

    def is_current(self, env: Environment) -> bool:
        """Return whether an Environment has these variables now."""
        now = env._dict
        return (
            self._types == [*now, *map(type, now.values())]
            and bool(self._comparable == now)
            and all(now[name].data == items for name, items in self._lists)
            and self.stages == _stages(env)
        )

    def has_same(self, name: str, values: Mapping[str, Any]) -> bool:
        """Return whether a variable was set as it is among some values, or was not set either."""
        return name not in _SEPARATE and bool(self._exact.get(name, _MISSING) == values.get(name, _MISSING))

    def restored(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return copies of these variables, with those of some values that are compared separately."""
        separate = {name: values[name] for name in _SEPARATE if name in values}
        return separate | copied(self._values)  # type: ignore[no-any-return]


class StateTracker:
    """The state that calls read, recorded again only where it has changed since the previous call.

    Shape: `module_paths` are the directories, absolute, in which Python has looked for modules at any call; `variants`
    is the digest of all variant directories now.
    """

    def __init__(self, fs: Any) -> None:
        self._fs = fs
        self.variants = digest_of(variant_directories(fs))
        self._environments: dict[int, tuple[Environment, _EnvironmentState]] = {}
        self._process: ProcessState | None = None
        self.module_paths: dict[str, None] = {}

    def add_variant_dir(self, variant_dir: Any, *_: object, **__: object) -> None:
        """Record a variant directory that was declared."""
        directory = self._fs.Dir(variant_dir) if isinstance(variant_dir, str) else variant_dir
        self.variants = digest_of([self.variants, variant_row(directory)])

    def process(self) -> ProcessState:
        """Return everything outside Environments that a call reads now.

        Raises: NotRecordable.
        """
        if self._process is None or not self._process.is_current():
            self._process = ProcessState()
            self.module_paths |= dict.fromkeys(map(os.path.abspath, self._process.path))
        if self._process.has_side_effects:
            raise NotRecordable("a build that prints or does more")
        return self._process

    def variables(self, env: Environment) -> _EnvironmentState:
        """Return an Environment's variables.

        Raises: NotRecordable.
        """
        if type(env) is not SCons.Environment.Base and type(env) is not SCons.Environment.Environment:
            raise NotRecordable("an Environment of another kind")
        _, state = self._environments.get(id(env), (env, None))
        if state is not None:
            try:
                if state.is_current(env):
                    return state
            except Exception as error:  # comparing values may run any code
                raise NotRecordable("a value that cannot be compared") from error
        if not _has_default_decider(env):
            raise NotRecordable("a Decider or a CacheDir")
        state = _EnvironmentState(env)
        self._environments[id(env)] = (env, state)
        return state

    def final_digests(self) -> list[str]:
        """Return the digests of each Environment and of the rest, once all SConscripts have been read.

        Raises: NotRecordable.
        """
        envs = [env for env, _ in self._environments.values()]
        if not all(map(_has_default_decider, (*envs, SCons.Defaults.DefaultEnvironment()))):
            raise NotRecordable("a Decider or a CacheDir")
        return [*(self.variables(env).digest for env in envs), self.process().digest, self.variants]

    @property
    def search_paths(self) -> set[str]:
        """The directories in which SCons looks for commands."""
        paths = (env._dict.get("ENV", {}).get("PATH", "") for env, _ in self._environments.values())
        return {directory for path in paths for directory in str(path).split(os.pathsep)}


def _has_default_decider(env: Environment) -> bool:
    """Return whether an Environment has SCons's own Decider and no CacheDir."""
    default = SCons.Defaults._default_env  # not made for this question, since the SConstruct may yet choose its tools
    decider = env._changed_content if env is default else SCons.Environment.default_decide_source
    return bool(env.decide_source == decider) and getattr(env, "_CacheDir_path", None) is None


class _EqualsAll:
    """An object that equals everything."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True


_EQUALS_ALL = _EqualsAll()


def _raw_environ() -> object:
    """Return the mapping behind `os.environ`, for comparison; the fast one that some systems have."""
    data = getattr(os.environ, "_data", None)
    return dict(data) if data is not None else dict(os.environ)


def _stages(env: Environment) -> dict[str, object]:
    """Return the builders of an Environment's stages.

    Raises: NotRecordable if they are not those of this package.
    """
    builders = env._dict.get("BUILDERS", {})
    stages = {name: builders.get(name) for name in STAGE_BUILDERS}
    if not all(type(builder) is StageBuilder for builder in stages.values()):
        raise NotRecordable("a builder of the SConstruct's own instead of a stage's")
    return stages


def replace_variables(env: Environment, values: Mapping[str, Any], stages: Mapping[str, object]) -> dict[str, object]:
    """Give an Environment other variables and builders of stages; return its previous ones of stages."""
    env._dict.clear()
    env._dict.update(values)
    builders = env._dict["BUILDERS"].data
    previous = {name: builders[name] for name in STAGE_BUILDERS if name in builders}
    for name in STAGE_BUILDERS:
        if name not in stages:
            builders.pop(name, None)
        elif builders.get(name) is not stages[name]:
            builders[name] = stages[name]
    return previous


def options_are_default() -> bool:
    """Return whether all options of SCons but a few have their default values."""
    main = SCons.Script.Main
    values = main.OptionsParser.values
    if not isinstance(main.ProgressObject, _NO_PROGRESS) or set(values.__SConscript_settings__) - _IRRELEVANT_OPTIONS:
        return False
    defaults = vars(values.__defaults__)
    for name in {*defaults, *vars(values)} - _IRRELEVANT_OPTIONS:
        if name.startswith("__"):
            continue
        value = getattr(values, name)
        # optparse appends the values of a repeatable option to the default list itself.
        if value if isinstance(value, (list, set, dict)) else value != defaults.get(name, False):
            return False
    return True
