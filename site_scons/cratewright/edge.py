"""A plugin's backend as the pipeline sees it: every answer is checked where it enters, every failure is told.

Knows nothing of who asks. What is checked is what the contract's own annotations say, and what its docstrings say
beyond types.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from types import FunctionType
from typing import Any

from .backend import CodegenBackend, Session
from .blame import foreign_error, is_fault, own_error, plugin_words
from .call import BackendCall
from .crate_type import CrateType
from .declared import METHODS
from .emitted import find_unpromised
from .errors import CratewrightError, OutputError, PluginError, printable
from .module import CanonicalForm, CompiledUnit, ModuleCodegen, ModuleKind, Observed
from .output_place import check_output_path
from .request import Artifact, LinkPart, LinkRequest, LinkResult, ThinModule
from .shape import Mismatch, find_mismatch
from .stencil import UnitStencil

__all__ = ["check_promised", "could_return", "guard", "implements", "opened", "plugin_class"]


def opened(kind: type[CodegenBackend], session: Session) -> CodegenBackend:
    """Return a backend object that has its session, guarded.

    Raises: PluginError if it cannot be made.
    """
    try:
        made = kind()
    except BaseException as error:
        if not is_fault(error):
            raise
        name = getattr(kind, "NAME", kind.__name__)
        raise foreign_error(
            error,
            f"backend '{name}': {kind.__name__}() failed",
            root=session.root,
            rows=(("plugin", plugin_words(kind.__module__)),),
        ) from error
    backend = guard(made)
    backend.init(session)
    return backend


def guard(backend: CodegenBackend) -> CodegenBackend:
    """Return a backend whose answers are checked; one that is guarded already as it is."""
    if isinstance(backend, _Edge):
        return backend
    guarded: CodegenBackend = _edge_of(type(backend))(backend)
    return guarded


def plugin_class(backend: CodegenBackend) -> type[CodegenBackend]:
    """Return the plugin's own class."""
    return type(backend.plugin if isinstance(backend, _Edge) else backend)


def implements(backend: CodegenBackend, method: Callable[..., object]) -> bool:
    """Say whether a backend has its own form of an optional method of the contract, as `CodegenBackend.codegen`."""
    return getattr(type(backend), method.__name__) is not method


def check_promised(backend: CodegenBackend, names: Sequence[str], result: LinkResult, crate: str) -> LinkResult:
    """Return the result of a link with the files first that `output_names` promised, in its order.

    Raises: PluginError naming those that are missing, and those that nobody promised.
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
                    ("plugin", plugin_words(plugin_class(backend).__module__)),
                    ("expected", f"what output_names() said: {' '.join(names)}"),
                    ("returned", " ".join(made) or "nothing"),
                ),
                hint="link() and output_names() must agree, or SCons would wait for files that nobody makes",
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
    """Say whether what a cache holds may pass for a call's answer: all that is checked of an answer, and by whom.

    Shape: the types of all fields are those of its class, as decoding leaves them.
    """
    arguments = call.arguments
    expected = _returned(call.method)
    if typing.get_origin(expected) is tuple:
        kind: type = typing.get_args(expected)[0]
        if type(value) is not tuple or not all(type(item) is kind for item in value):
            return False
    elif type(value) is not expected:
        return False
    rule = _RULES.get(call.method)
    if rule is not None and rule(value, arguments) is not None:
        return False
    # A terminal is told them as they are.
    if isinstance(value, (CompiledUnit, LinkResult)) and any(printable(line) != line for line in value.diagnostics):
        return False
    if isinstance(value, CompiledUnit) and find_unpromised(backend.EMITTED, value, arguments[0]):
        return False
    if isinstance(value, LinkResult) and not _promised(backend, value, arguments):
        return False
    try:
        return backend.could_return(call, value)
    except CratewrightError:  # what it was not prepared for is not its own
        return False


def _promised(backend: CodegenBackend, value: LinkResult, arguments: Sequence[object]) -> bool:
    """Say whether a part of a link has only files that the link promised, and programs only where one is made."""
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
    """Return the class that stands for a plugin's: it declares what that declares."""
    body: dict[str, object] = {"__module__": __name__, "__doc__": f"The edge of {plugin.__qualname__}."}
    for name in CodegenBackend.__annotations__:
        if name != "session":
            body[name] = getattr(plugin, name)
    for name, function in METHODS.items():
        if name != "init" and getattr(plugin, name) is not function:  # what the contract does itself needs no check
            body[name] = _forward(function)
    return type("Edge", (_Edge,), body)


class _Edge(CodegenBackend):
    """Asks the plugin's own object."""

    def __init__(self, plugin: CodegenBackend) -> None:
        self.plugin = plugin

    def init(self, session: Session) -> None:
        """Take the session."""
        self.session = session
        self.ask(METHODS["init"], (session,), {})
        if getattr(self.plugin, "session", None) is not session:
            raise self._fault("init", "does not keep the session", "a call of super().init(session)")

    def ask(self, function: FunctionType, arguments: tuple[object, ...], named: dict[str, object]) -> object:
        """Call the plugin's method and return its answer.

        Raises: an error of ours as the plugin raised it; PluginError for any other, and for an answer that is none.
        """
        name = function.__name__
        try:
            value = getattr(self.plugin, name)(*arguments, **named)
        except BaseException as error:
            if not is_fault(error):
                raise
            raise self._told(error, name, arguments) from error
        wrong = _find_fault(function, value, arguments)
        if wrong is None and isinstance(value, CompiledUnit):
            wrong = find_unpromised(self.EMITTED, value, arguments[0])
        if wrong is not None:
            whose = f" whose {wrong.where.lstrip('.')} is" if wrong.where else ""
            outer = f" {_article(type(value).__name__)}" if wrong.where else ""
            raise self._fault(name, f"returned{outer}{whose} {wrong.found}", wrong.expected, wrong.hint, arguments)
        return value

    def _told(self, error: BaseException, name: str, arguments: Sequence[object]) -> CratewrightError:
        if isinstance(error, CratewrightError):
            try:
                return own_error(error)
            except (AttributeError, TypeError, ValueError):
                pass
        return foreign_error(
            error,
            f"backend '{self.NAME}': {name}() failed",
            root=self.session.root,
            rows=(*_subject(arguments), ("plugin", plugin_words(type(self.plugin).__module__))),
        )

    def _fault(
        self, name: str, what: str, expected: str, hint: str = "", arguments: Sequence[object] = ()
    ) -> PluginError:
        return PluginError(
            f"backend '{self.NAME}': {name}() {what}",
            context=(
                *_subject(arguments),
                ("plugin", plugin_words(type(self.plugin).__module__)),
                ("expected", expected),
            ),
            hint=hint,
        )


def _article(name: str) -> str:
    return name if name == "bytes" else f"{'an' if name[:1] in 'aeiouAEIO' else 'a'} {name}"


def _subject(arguments: Sequence[object]) -> Iterable[tuple[str, str]]:
    """Return what a call was about."""
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
    if type(value) is LinkRequest:  # narrowed: its parts are those it was given, hundreds of times over
        return None
    rule = _RULES.get(function)
    wrong = find_mismatch(value, _returned(function))
    return wrong or (rule(value, arguments) if rule is not None and value is not None else None)


_Rule = Callable[[Any, "tuple[Any, ...]"], "Mismatch | None"]


def _unit(value: CompiledUnit, _: object) -> Mismatch | None:
    if not value.modules:
        return Mismatch(
            ".modules", "empty", "at least one module", "a unit with nothing in it is a module with no data"
        )
    return (
        _first_twice(".modules", [item.name for item in value.modules], "the module")
        or next(filter(None, (_module(item, None, f".modules[{n}]") for n, item in enumerate(value.modules))), None)
        or _observed(value.observed, ".observed")
    )


def _module(value: ModuleCodegen, _: object, where: str = "") -> Mismatch | None:
    if not value.name.isprintable():
        return Mismatch(f"{where}.name", repr(value.name), "a printable word")
    keys = [key for key, _ in value.attributes]
    if keys != sorted(keys):
        return Mismatch(f"{where}.attributes", f"a tuple in the order {' '.join(keys)}", "pairs sorted by name")
    return _first_twice(f"{where}.attributes", keys, "the attribute")


def _shim(value: ModuleCodegen, _: object) -> Mismatch | None:
    if value.kind is not ModuleKind.ALLOCATOR:
        return Mismatch(".kind", f"ModuleKind.{value.kind.name}", "ModuleKind.ALLOCATOR")
    return _module(value, _)


def _observed(value: Sequence[Observed], where: str) -> Mismatch | None:
    for number, item in enumerate(value):
        if item.digest is not None and (len(item.digest) != 64 or item.digest.strip("0123456789abcdef")):
            return Mismatch(
                f"{where}[{number}].digest", repr(item.digest[:80]), "content_digest(data), or None for a missing file"
            )
        if not item.path or "\0" in item.path:
            return Mismatch(f"{where}[{number}].path", repr(item.path), "a path")
    return _first_twice(where, [item.path for item in value], "the path")


def _form(value: CanonicalForm, _: object) -> Mismatch | None:
    return _observed(value.observed, ".observed")


def _linked(value: LinkResult, _: object) -> Mismatch | None:
    if value.report:
        try:
            json.loads(value.report)
        except (ValueError, RecursionError) as error:
            return Mismatch(".report", f"no JSON ({error})", "JSON text, or an empty string", "use json.dumps()")
    paths: list[str] = []
    for number, artifact in enumerate(value.artifacts):
        wrong = _artifact(artifact, f".artifacts[{number}].path")
        if wrong is not None:
            return wrong
        paths.append(artifact.path)
    return _first_twice(".artifacts", paths, "the file") or _observed(value.observed, ".observed")


def _artifact(value: Artifact, where: str) -> Mismatch | None:
    path = value.path
    if value.dump:
        return None if path and "\0" not in path else Mismatch(where, repr(path), "a path")
    return _place(path, where)


def _place(path: str, where: str) -> Mismatch | None:
    try:
        check_output_path(path, where="")
    except OutputError as error:
        found = f"{printable(repr(path))}: {error.context[0][1]}"
        return Mismatch(where, found, "a path below the crate's directory, '/'-separated")
    return None


def _names(value: tuple[str, ...], _: object) -> Mismatch | None:
    expected = "at least one file"
    if not value:
        return Mismatch("", "nothing", expected)
    for number, name in enumerate(value):
        wrong = _place(name.removesuffix("/"), f"[{number}]")
        if wrong is not None:
            return wrong
    if value[0].endswith("/"):
        return Mismatch("[0]", f"the directory {value[0]!r}", "a file, which stands for the link; directories follow")
    return _first_twice("", value, "the file")


def _parts(value: tuple[LinkPart, ...], arguments: tuple[LinkRequest]) -> Mismatch | None:
    count = len(arguments[0].modules)
    for number, part in enumerate(value):
        beyond = [index for index in part.modules if not 0 <= index < count]
        if beyond:
            return Mismatch(
                f"[{number}].modules", f"a tuple with position {beyond[0]}", f"positions of {count} modules"
            )
        if len(set(part.modules)) < len(part.modules):
            return Mismatch(f"[{number}].modules", "a tuple with a position twice", "each module once")
    return _first_twice("", [part.name for part in value], "the part")


def _line(value: str, _: object) -> Mismatch | None:
    if not value or len(value.splitlines()) != 1:
        return Mismatch("", repr(value), "one line of text: the versions of all that can alter a result")
    return None


def _size(value: int, _: object) -> Mismatch | None:
    return Mismatch("", str(value), "a number of bytes, 0 or more") if value < 0 else None


def _thin(value: tuple[ThinModule, ...], _: object) -> Mismatch | None:
    return _first_twice("", [f"{item.crate}: {item.name}" for item in value], "the module")


def _first_twice(where: str, words: Sequence[str], what: str) -> Mismatch | None:
    if len(set(words)) == len(words):
        return None
    twice = next(word for word in words if words.count(word) > 1)
    return Mismatch(where, f"a tuple with {what} '{twice}' twice", "each of them once")


_RULES: dict[Callable[..., object], _Rule] = {
    CodegenBackend.fingerprint: _line,
    CodegenBackend.compile_codegen_unit: _unit,
    CodegenBackend.bundle_library: _unit,
    CodegenBackend.relative_unit: _unit,
    CodegenBackend.place_unit: _unit,
    CodegenBackend.canonical_form: _form,
    CodegenBackend.codegen_allocator: _shim,
    CodegenBackend.optimize: _module,
    CodegenBackend.codegen: _module,
    CodegenBackend.optimize_fat: _module,
    CodegenBackend.optimize_thin: _module,
    CodegenBackend.run_link: _module,
    CodegenBackend.run_fat_lto: _module,
    CodegenBackend.split_lto: _parts,
    CodegenBackend.split_link: _parts,
    CodegenBackend.run_thin_lto: _thin,
    CodegenBackend.lto_memory: _size,
    CodegenBackend.output_names: _names,
    CodegenBackend.link: _linked,
    CodegenBackend.finish_link: _linked,
}
