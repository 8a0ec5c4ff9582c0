"""A call of `env.Crate` as a value that is the same in the next run, and that can be executed later.

Everything that a declaration reads is recorded at the call: the variables of the Environment and of the process,
the command line, and the directories.
"""

from __future__ import annotations

import os
import sys
from collections import UserList
from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any

import SCons
import SCons.Defaults
import SCons.Environment
import SCons.Script

from ..caller import calling_frame
from ..graph.usual import variant_directories, variant_row
from ..nodes.builders import STAGE_BUILDERS, StageBuilder
from ..nodes.crate_target import CrateTarget
from ..options.tool_defaults import AS_FOUND
from .stable_values import Unlike, copied, digest_of, exact, plain_variable, plain_word

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["Call", "Moments"]

_VOLATILE = frozenset({"_", "OLDPWD", "SHLVL"})
"""Variables that a shell changes with each command, and no compiler reads."""
_APART = frozenset({"BUILDERS", AS_FOUND})
"""Variables that are compared separately: the stages among the builders; those that tools set are for people."""
_TELLING = ("CRATE_EVENTS", "CRATE_TIME_PASSES", "CRATE_TRACE_PLUGINS", "CRATE_CACHE_VERIFY")
"""Variables with which a build prints or does more than it makes."""


class _World:
    """Everything outside Environments that a call reads, at one moment."""

    def __init__(self) -> None:
        self.environ = dict(os.environ)
        self.arguments = dict(SCons.Script.ARGUMENTS)
        self.path = list(sys.path)
        self.directory = os.getcwd()
        self._as_found = _environ()
        self._exact = exact(self.arguments)
        environ = sorted((name, text) for name, text in self.environ.items() if name not in _VOLATILE)
        arguments = {name: text for name, text in self.arguments.items() if str(name).startswith("CRATE_")}
        self.is_silent = not any(self.environ.get(name) or arguments.get(name) for name in _TELLING)
        rows = sorted([name, plain_variable(text)] for name, text in arguments.items())
        self.digest = digest_of([sys.version, SCons.__version__, self.directory, environ, rows, self.path])

    def is_now(self) -> bool:
        """Return whether nothing of it has changed."""
        return (
            self._as_found == _environ()
            and self.path == sys.path
            and self._exact == SCons.Script.ARGUMENTS
            and self.directory == os.getcwd()
        )

    def put(self) -> None:
        """Restore it."""
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


class _Variables:
    """The construction variables of one Environment, at one moment."""

    def __init__(self, env: Environment, values: Mapping[str, Any]) -> None:
        if any(values.get(name) for name in _TELLING):
            raise Unlike("a build that tells of itself")
        self.digest = digest_of([[name, plain_variable(value)] for name, value in sorted(values.items())])
        self.values = copied(dict(values))
        self.stages = _stages(env)
        self._exact = exact(dict(values))
        # Compared at each call, so without a copy; SCons's lists compare slowly, so the lists in them are compared.
        lists = {name: value for name, value in values.items() if isinstance(value, UserList)}
        self._lists = [(name, self._exact[name].data) for name in lists]
        self._others = self._exact | lists | dict.fromkeys(_APART & env._dict.keys(), _ANYTHING)
        self._kinds = [*env._dict, *map(type, env._dict.values())]

    def has(self, name: str, value: object) -> bool:
        """Return whether a variable had this value, or `_NOTHING` if it was not set."""
        return name not in _APART and bool(self._exact.get(name, _NOTHING) == value)

    def are(self, env: Environment) -> bool:
        """Return whether an Environment has these variables now."""
        now = env._dict
        return (
            self._kinds == [*now, *map(type, now.values())]
            and bool(self._others == now)
            and all(now[name].data == items for name, items in self._lists)
            and self.stages == _stages(env)
        )


class Moments:
    """What calls read, recorded again only where it has changed since the last call.

    Shape: `module_paths` are the directories, absolute, in which Python has looked for modules at any call; `variants`
    is the digest of all variant directories now.
    """

    def __init__(self, fs: Any) -> None:
        self._fs = fs
        self.variants = digest_of(variant_directories(fs))
        self._known: dict[int, tuple[Environment, _Variables]] = {}
        self._world: _World | None = None
        self.module_paths: dict[str, None] = {}

    def vary(self, variant_dir: Any, *_: object, **__: object) -> None:
        """Record a variant directory that was declared."""
        directory = self._fs.Dir(variant_dir) if isinstance(variant_dir, str) else variant_dir
        self.variants = digest_of([self.variants, variant_row(directory)])

    def world(self) -> _World:
        """Return everything outside Environments that a call reads now.

        Raises: Unlike.
        """
        if self._world is None or not self._world.is_now():
            self._world = _World()
            self.module_paths |= dict.fromkeys(map(os.path.abspath, self._world.path))
        if not self._world.is_silent:
            raise Unlike("a build that tells of itself")
        return self._world

    def variables(self, env: Environment) -> _Variables:
        """Return an Environment's variables.

        Raises: Unlike.
        """
        if type(env) is not SCons.Environment.Base and type(env) is not SCons.Environment.Environment:
            raise Unlike("an Environment of another kind")
        known = self._known.get(id(env))
        if known is not None:
            try:
                if known[1].are(env):
                    return known[1]
            except Exception as error:  # comparing values may run any code
                raise Unlike("a value that cannot be compared") from error
        if not is_usual(env):
            raise Unlike("a Decider or a CacheDir")
        found = _Variables(env, {name: value for name, value in env._dict.items() if name not in _APART})
        self._known[id(env)] = (env, found)
        return found

    def late(self) -> list[str]:
        """Return the digests of each Environment and of the rest, once all SConscripts have been read.

        Raises: Unlike.
        """
        envs = [env for env, _ in self._known.values()]
        if not all(map(is_usual, (*envs, SCons.Defaults.DefaultEnvironment()))):
            raise Unlike("a Decider or a CacheDir")
        return [*(self.variables(env).digest for env in envs), self.world().digest, self.variants]

    @property
    def search_paths(self) -> set[str]:
        """The directories in which SCons looks for commands."""
        places = (env._dict.get("ENV", {}).get("PATH", "") for env, _ in self._known.values())
        return {part for place in places for part in str(place).split(os.pathsep)}


class Call:
    """One call of `env.Crate`.

    Shape: `digest` is empty if the call cannot be recorded; `refers_to` are the numbers of the calls whose targets are
    among its arguments.
    """

    __slots__ = ("_at", "_env", "_here", "_variables", "_words", "_world", "digest", "refers_to")

    def __init__(
        self, env: Environment, words: tuple[Any, ...], moments: Moments, number: Callable[[object], int]
    ) -> None:
        self._env = env
        self._here = env.fs.getcwd()
        self._at = _place()
        self.digest = ""
        self.refers_to: set[int] = set()

        def noted(target: object) -> int:
            found = number(target)
            if found >= 0:
                self.refers_to.add(found)
            return found

        try:
            self._variables, self._world = moments.variables(env), moments.world()
            place = str(self._here.get_internal_path())
            rows = [place, self._variables.digest, self._world.digest, plain_word(words, noted), moments.variants]
            self._words = copied(words)
            self.digest = digest_of(rows)
        except Unlike:
            pass

    def again(self, crate: Callable[..., CrateTarget]) -> CrateTarget:
        """Execute the call in its original state and, for tracebacks, in its line of the SConscript."""
        env, fs = self._env, self._env.fs
        now, here, around = dict(env._dict), fs.getcwd(), _World()
        then = {name: now[name] for name in _APART if name in now} | copied(self._variables.values)
        stages = _put(env, then, self._variables.stages)
        self._world.put()
        fs.chdir(self._here)
        said: dict[str, Any] = {_CALL: partial(crate, env, *self._words)}
        # Not context managers: SCons would report one of their lines as the place of a mistake.
        try:
            exec(_line(*self._at), said)
            result: CrateTarget = said[_RESULT]
            return result
        finally:
            set_since = {name: value for name, value in env._dict.items() if then.get(name, _NOTHING) is not value}
            fs.chdir(here)
            around.put()
            _put(env, now, stages)
            # What the call itself sets stays, unless it was set again after the call.
            for name, value in set_since.items():
                if self._variables.has(name, now.get(name, _NOTHING)):
                    env._dict[name] = value


def is_usual(env: Environment) -> bool:
    """Return whether an Environment has SCons's own Decider and no CacheDir."""
    default = SCons.Defaults._default_env  # not made for this question, since the SConstruct may yet choose its tools
    usual = env._changed_content if env is default else SCons.Environment.default_decide_source
    return bool(env.decide_source == usual) and getattr(env, "_CacheDir_path", None) is None


_NOTHING = object()


class _Anything:
    """An object that equals everything."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True


_ANYTHING = _Anything()
_CALL, _RESULT = "call", "result"


def _environ() -> object:
    """Return the mapping behind `os.environ`, for comparison; the fast one that some systems have."""
    data = getattr(os.environ, "_data", None)
    return dict(data) if data is not None else dict(os.environ)


def _stages(env: Environment) -> dict[str, object]:
    """Return the builders of an Environment's stages.

    Raises: Unlike if they are not those of this package.
    """
    builders = env._dict.get("BUILDERS", {})
    stages = {name: builders.get(name) for name in STAGE_BUILDERS}
    if not all(type(builder) is StageBuilder for builder in stages.values()):
        raise Unlike("a stage of the SConstruct's own")
    return stages


def _put(env: Environment, values: Mapping[str, Any], stages: Mapping[str, object]) -> dict[str, object]:
    """Give an Environment other variables and stages; return its previous stages."""
    env._dict.clear()
    env._dict.update(values)
    builders = env._dict["BUILDERS"].data
    before = {name: builders[name] for name in STAGE_BUILDERS if name in builders}
    for name in STAGE_BUILDERS:
        if name not in stages:
            builders.pop(name, None)
        elif builders.get(name) is not stages[name]:
            builders[name] = stages[name]
    return before


def _place() -> tuple[str, int, str]:
    """Return the file, the line and the function of the SConscript that is calling."""
    frame = calling_frame()
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


def _line(file: str, line: int, function: str) -> CodeType:
    """Return code that makes a call as if it stood in a line of a file."""
    code = compile(f"{_RESULT} = {_CALL}()", file, "exec")
    return code.replace(co_firstlineno=line, co_name=function)
