"""A call of `env.Crate`: a digest that is the same in the next run, and all that it takes to execute it later."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any

from ..caller import calling_frame
from ..nodes.crate_target import CrateTarget, become, refer_crate_to
from ..nodes.node import Node
from .call_state import ProcessState, StateTracker, replace_variables
from .stable_values import NotRecordable, copied, digest_of, plain_argument

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_CALL, _RESULT = "call", "result"


class Call:
    """One call of `env.Crate`, executed or only recorded.

    Shape: `digest` is empty if the call cannot be recorded; `refers_to` are the numbers of the calls whose targets are
    among its arguments. `target` is what it returned, and `nodes` what that held, since an SConstruct may change the
    list; empty until the call is executed.
    """

    __slots__ = (
        *("_args", "_directory", "_env", "_line", "_process", "_variables"),
        *("digest", "is_executed", "nodes", "refers_to", "target"),
    )

    target: CrateTarget

    def __init__(
        self, env: Environment, args: tuple[Any, ...], state: StateTracker, number_of: Callable[[object], int]
    ) -> None:
        frame = calling_frame()
        self._env = env
        self._directory = env.fs.getcwd()
        self._line = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
        self.digest = ""
        self.refers_to: set[int] = set()
        self.nodes: tuple[Node, ...] = ()
        self.is_executed = False

        def referred(target: object) -> int:
            number = number_of(target)
            if number >= 0:
                self.refers_to.add(number)
            return number

        try:
            self._variables, self._process = state.variables(env), state.process()
            directory = str(self._directory.get_internal_path())
            plain = plain_argument(args, referred)
            self._args = copied(args)
            self.digest = digest_of([directory, self._variables.digest, self._process.digest, plain, state.variants])
        except NotRecordable:
            pass

    def return_executed(self, target: CrateTarget) -> None:
        """Set what the call returned when it was executed at once."""
        self.target, self.nodes, self.is_executed = target, tuple(target), True

    def execute(self, declare: Callable[..., CrateTarget]) -> None:
        """Execute the call in its original state and, for tracebacks, in its line of the SConscript."""
        env, fs = self._env, self._env.fs
        variables, directory, process = dict(env._dict), fs.getcwd(), ProcessState()
        recorded = self._variables.restored(variables)
        stages = replace_variables(env, recorded, self._variables.stages)
        self._process.restore()
        fs.chdir(self._directory)
        scope: dict[str, Any] = {_CALL: partial(declare, env, *self._args)}
        # Not context managers: SCons would report one of their lines as the place of a mistake.
        try:
            exec(_code_at(*self._line), scope)
        finally:
            changed = {
                name: value for name, value in env._dict.items() if name not in recorded or recorded[name] is not value
            }
            fs.chdir(directory)
            process.restore()
            replace_variables(env, variables, stages)
            # What the call itself sets stays, unless it was set again after the call.
            for name, value in changed.items():
                if self._variables.has_same(name, variables):
                    env._dict[name] = value
        declared: CrateTarget = scope[_RESULT]
        self.nodes = tuple(declared)
        become(self.target, declared)
        refer_crate_to(self.target)
        self.is_executed = True


def _code_at(file: str, line: int, function: str) -> CodeType:
    """Return code that makes a call as if it stood in a line of a file."""
    code = compile(f"{_RESULT} = {_CALL}()", file, "exec")
    return code.replace(co_firstlineno=line, co_name=function)
