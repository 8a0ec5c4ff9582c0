"""The pipeline's view of a plugin's backend: every result is checked, every failure attributed to the plugin.

The checks follow the contract's annotations and, beyond types, its docstrings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import FunctionType
from typing import Any

from ..base.errors import CratewrightError, PluginError
from ..base.mismatch import Mismatch, find_mismatch, value_words
from ..values.module import ModuleCodegen
from ..values.request import LinkRequest, ThinModule
from ..values.stencil import UnitStencil
from .answers import find_fault, returned_type
from .backend import CodegenBackend
from .blame import foreign_error, is_fault, own_error, plugin_row
from .methods import METHODS
from .session import Session


def open_backend(
    kind: type[CodegenBackend], session: Session, timed: Callable[[str, float, Mapping[str, float]], None] | None = None
) -> CodegenBackend:
    """Return a guarded backend object that has its session.

    `timed` is called with the time each call and its passes took.
    Raises: PluginError if the object cannot be made.
    """
    try:
        made = kind()
    except BaseException as error:
        if not is_fault(error):
            raise
        name = getattr(kind, "NAME", kind.__name__)
        message = f"backend '{name}': {kind.__name__}() failed"
        rows = (plugin_row(kind.__module__),)
        raise foreign_error(error, message, root=session.root, rows=rows) from error
    if not issubclass(type(made), CodegenBackend):
        raise PluginError(
            f"backend '{kind.NAME}': {kind.__name__}() made {value_words(made)}",
            context=(
                plugin_row(kind.__module__),
                ("expected", f"an object of {kind.__name__}: __new__() returns what super().__new__ does"),
            ),
        )
    backend = guard(made)
    backend.init(session)
    if timed is not None and isinstance(backend, _Edge):
        backend.timed = timed
    return backend


def guard(backend: CodegenBackend) -> CodegenBackend:
    """Return a backend whose answers are checked; a guarded one is returned as it is."""
    if issubclass(type(backend), _Edge):  # not isinstance: that asks the plugin's object, which may answer anything
        return backend
    guarded: CodegenBackend = _edge_of(type(backend))(backend)
    return guarded


def plugin_class(backend: CodegenBackend) -> type[CodegenBackend]:
    """Return the plugin's own class."""
    return type(backend.plugin if isinstance(backend, _Edge) else backend)


def implements(backend: CodegenBackend, method: Callable[..., object]) -> bool:
    """Say whether a backend overrides an optional method of the contract, such as `CodegenBackend.codegen`."""
    return getattr(type(backend), method.__name__) is not method


def _forward(function: FunctionType) -> Callable[..., object]:
    def forward(self: _Edge, *arguments: object, **named: object) -> object:
        return self.ask(function, arguments, named)

    forward.__name__, forward.__doc__ = function.__name__, function.__doc__
    return forward


@cache
def _edge_of(plugin: type[CodegenBackend]) -> Any:
    """Return the guard class for a plugin's class; it has the same declarations."""
    body: dict[str, object] = {"__module__": __name__, "__doc__": f"The edge of {plugin.__qualname__}."}
    for name in CodegenBackend.__annotations__:
        if name != "session":
            body[name] = getattr(plugin, name)
    for name, function in METHODS.items():
        if name != "init" and getattr(plugin, name) is not function:  # the contract's own methods need no check
            body[name] = _forward(function)
    return type("Edge", (_Edge,), body)


class _Edge(CodegenBackend):
    """Forwards calls to the plugin's object."""

    timed: Callable[[str, float, Mapping[str, float]], None] | None = None

    def __init__(self, plugin: CodegenBackend) -> None:
        self.plugin = plugin

    def init(self, session: Session) -> None:
        """Take the session."""
        self.session = session
        self.ask(METHODS["init"], (session,), {})
        try:
            kept = getattr(self.plugin, "session", None)
        except BaseException as error:
            if not is_fault(error):
                raise
            raise self._attributed(error, "session", ()) from error
        if kept is not session:
            raise self._fault("init", "does not keep the session", "a call of super().init(session)")

    def ask(self, function: FunctionType, arguments: tuple[object, ...], named: dict[str, object]) -> object:
        """Call the plugin's method and return its answer.

        Raises: our errors as the plugin raised them; PluginError for any other, and for an invalid answer.
        """
        name = function.__name__
        try:
            value = self._call(name, arguments, named)
        except BaseException as error:
            if not is_fault(error):
                raise
            raise self._attributed(error, name, arguments) from error
        try:
            wrong = self._wrong(function, value, arguments)
        except BaseException as error:  # a value of a plugin's class may run any code when inspected
            if not is_fault(error):
                raise
            raise self._attributed(error, name, arguments) from error
        if wrong is not None:
            whose = f" whose {wrong.where.lstrip('.')} is" if wrong.where else ""
            outer = f" {_article(type(value).__name__)}" if wrong.where else ""
            raise self._fault(name, f"returned{outer}{whose} {wrong.found}", wrong.expected, wrong.hint, arguments)
        return value

    def _wrong(self, function: FunctionType, value: object, arguments: tuple[object, ...]) -> Mismatch | None:
        expected = returned_type(function)
        if expected is LinkRequest and type(value) is LinkRequest:  # its many parts are those that the plugin was given
            return None
        return find_mismatch(value, expected) or find_fault(type(self), function, value, arguments)

    def _call(self, name: str, arguments: tuple[object, ...], named: dict[str, object]) -> object:
        if self.timed is None or name == "print_pass_timings":
            return getattr(self.plugin, name)(*arguments, **named)
        started = time.perf_counter()
        value = getattr(self.plugin, name)(*arguments, **named)
        self.timed(name, time.perf_counter() - started, dict(self.print_pass_timings()))
        return value

    def _attributed(self, error: BaseException, name: str, arguments: Sequence[object]) -> CratewrightError:
        if isinstance(error, CratewrightError):
            try:
                return own_error(error)
            except Exception:  # a plugin's subclass may lack attributes or fail at any access
                pass
        return foreign_error(
            error,
            f"backend '{self.NAME}': {name}() failed",
            root=self.session.root,
            rows=(*_subject(arguments), plugin_row(type(self.plugin).__module__)),
        )

    def _fault(
        self, name: str, what: str, expected: str, hint: str = "", arguments: Sequence[object] = ()
    ) -> PluginError:
        return PluginError(
            f"backend '{self.NAME}': {name}() {what}",
            context=(
                *_subject(arguments),
                plugin_row(type(self.plugin).__module__),
                ("expected", expected),
            ),
            hint=hint,
        )


def _article(name: str) -> str:
    return name if name == "bytes" else f"{'an' if name[:1] in 'aeiouAEIO' else 'a'} {name}"


def _subject(arguments: Sequence[object]) -> Iterable[tuple[str, str]]:
    """Return what a call is about, as rows of an error."""
    for value in arguments[:1]:
        if isinstance(value, UnitStencil):
            yield "source", value.path
        elif isinstance(value, LinkRequest):
            yield "crate", value.crate
        elif isinstance(value, (ModuleCodegen, ThinModule)) and value.name:
            yield "module", value.name
