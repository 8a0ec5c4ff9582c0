"""The pipeline's view of a plugin's backend: every result is checked, every failure attributed to the plugin.

The checks follow the contract's annotations and, beyond types, its docstrings.
"""

from __future__ import annotations

import time
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import FunctionType
from typing import Any

from ..base.errors import CratewrightError, PluginError
from ..base.mismatch import Mismatch, find_mismatch, value_words
from ..values.call import BackendCall
from ..values.crate_type import CrateType
from ..values.module import CompiledUnit, ModuleCodegen
from ..values.option_spec import OptionKind
from ..values.request import LinkRequest, LinkResult, ThinModule
from ..values.stencil import UnitStencil
from .answers import RULES, find_unreported
from .backend import CodegenBackend, Session
from .blame import foreign_error, is_fault, own_error, plugin_row
from .emitted import find_unpromised
from .methods import METHODS

__all__ = ["check_promised", "could_return", "guard", "implements", "open_backend", "plugin_class"]


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


def check_promised(backend: CodegenBackend, names: Sequence[str], result: LinkResult, crate: str) -> LinkResult:
    """Return the result of a link with the files that `output_names` promised first, in that order.

    Raises: PluginError naming missing and unexpected files.
    """
    files, directories = _split(names)
    made = [artifact.path for artifact in result.artifacts if not artifact.dump]
    missing = [name for name in files if name not in made]
    extra = [path for path in made if path not in files and not path.startswith(tuple(directories))]
    for what, paths in (("without", missing), ("with more than output_names() said:", extra)):
        if paths:
            raise PluginError(
                f"backend '{backend.NAME}': finish_link() returned a LinkResult {what} {', '.join(paths)}",
                context=(
                    ("crate", crate),
                    plugin_row(plugin_class(backend).__module__),
                    ("expected", f"what output_names() said: {' '.join(names)}"),
                    ("returned", " ".join(made) or "nothing"),
                ),
                hint="link() and output_names() must agree, or SCons would wait for files that are never made",
            )
    order = {name: position for position, name in enumerate(files)}
    artifacts = sorted(result.artifacts, key=lambda item: len(order) if item.dump else order.get(item.path, len(order)))
    return LinkResult(
        artifacts=tuple(artifacts),
        report=result.report,
        diagnostics=result.diagnostics,
        observed=result.observed,
    )


def could_return(backend: CodegenBackend, call: BackendCall[Any], value: object) -> bool:
    """Say whether a cached value may serve as the answer to a call: it passes every check that an answer passes.

    Shape: its fields have the types of their class, since it was decoded.
    """
    arguments = call.arguments
    expected = _returned(call.method)
    if typing.get_origin(expected) is tuple:
        kind: type = typing.get_args(expected)[0]
        if type(value) is not tuple or not all(type(item) is kind for item in value):
            return False
    elif type(value) is not expected:
        return False
    rule = RULES.get(call.method)
    if rule is not None and rule(value, arguments) is not None:
        return False
    # Not everything that prints diagnostics removes what controls a terminal.
    if isinstance(value, (CompiledUnit, LinkResult)) and not all(item.is_printable for item in value.diagnostics):
        return False
    if isinstance(value, CompiledUnit) and find_unpromised(backend.EMITTED, value, arguments[0]):
        return False
    if call.method in _READERS and find_unreported(_path_options(type(backend)), value, arguments[0]):
        return False
    if isinstance(value, LinkResult) and not _promised(backend, value, arguments):
        return False
    try:
        return backend.could_return(call, value)
    except CratewrightError:  # the backend did not make a value it cannot handle
        return False


def _promised(backend: CodegenBackend, value: LinkResult, arguments: Sequence[object]) -> bool:
    """Say whether a part of a link has only promised files, and programs only where the crate type is a program."""
    request = arguments[0]
    assert isinstance(request, LinkRequest)
    files, directories = _split(backend.output_names(request.crate, request.crate_type, request.options))
    return all(
        artifact.dump
        or (
            (artifact.path in files or artifact.path.startswith(tuple(directories)))
            and (not artifact.executable or request.crate_type in _PROGRAMS)
        )
        for artifact in value.artifacts
    )


_PROGRAMS = (CrateType.BIN, CrateType.DYLIB, CrateType.CDYLIB)


def _split(names: Sequence[str]) -> tuple[list[str], list[str]]:
    return [name for name in names if not name.endswith("/")], [name for name in names if name.endswith("/")]


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
            raise self._told(error, "session", ()) from error
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
            raise self._told(error, name, arguments) from error
        try:
            wrong = self._wrong(function, value, arguments)
        except BaseException as error:  # a value of a plugin's class may run any code when inspected
            if not is_fault(error):
                raise
            raise self._told(error, name, arguments) from error
        if wrong is not None:
            whose = f" whose {wrong.where.lstrip('.')} is" if wrong.where else ""
            outer = f" {_article(type(value).__name__)}" if wrong.where else ""
            raise self._fault(name, f"returned{outer}{whose} {wrong.found}", wrong.expected, wrong.hint, arguments)
        return value

    def _wrong(self, function: FunctionType, value: object, arguments: tuple[object, ...]) -> Mismatch | None:
        wrong = _find_fault(function, value, arguments)
        if wrong is None and isinstance(value, CompiledUnit):
            wrong = find_unpromised(self.EMITTED, value, arguments[0])
        if wrong is None and function in _READERS:
            wrong = find_unreported(_path_options(type(self)), value, arguments[0])
        return wrong

    def _call(self, name: str, arguments: tuple[object, ...], named: dict[str, object]) -> object:
        if self.timed is None or name == "print_pass_timings":
            return getattr(self.plugin, name)(*arguments, **named)
        started = time.perf_counter()
        value = getattr(self.plugin, name)(*arguments, **named)
        self.timed(name, time.perf_counter() - started, dict(self.print_pass_timings()))
        return value

    def _told(self, error: BaseException, name: str, arguments: Sequence[object]) -> CratewrightError:
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


_READERS = (CodegenBackend.compile_codegen_unit, CodegenBackend.canonical_form, CodegenBackend.link)
"""Methods that report the files they read."""


@cache
def _path_options(backend: type[CodegenBackend]) -> tuple[str, ...]:
    return tuple(spec.name for spec in backend.OPTIONS if spec.kind is OptionKind.PATH)


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


@cache
def _returned(function: Callable[..., object]) -> Any:
    return typing.get_type_hints(function)["return"]


def _find_fault(function: FunctionType, value: Any, arguments: tuple[object, ...]) -> Mismatch | None:
    if type(value) is LinkRequest:  # a reduced request: its many parts are those it was given
        return None
    rule = RULES.get(function)
    wrong = find_mismatch(value, _returned(function))
    return wrong or (rule(value, arguments) if rule is not None and value is not None else None)
