"""What a backend's result must be beyond its type: rules for each method."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from ..base.digest import WORDS
from ..base.errors import OutputError
from ..base.mismatch import Mismatch
from ..base.printable import printable
from ..rules.output_place import check_output_path
from ..values.module import CanonicalForm, CompiledUnit, ModuleCodegen, ModuleKind, Observed
from ..values.option_spec import OptionKind
from ..values.request import Artifact, LinkPart, LinkRequest, LinkResult, ThinModule
from ..values.stencil import UnitStencil
from .backend import CodegenBackend
from .emitted import find_unpromised

_Rule = Callable[[Any, "tuple[Any, ...]"], "Mismatch | None"]


@cache
def returned_type(method: Callable[..., object]) -> Any:
    """Return the annotation of what a method of the contract returns."""
    return typing.get_type_hints(method)["return"]


def find_fault(
    backend: type[CodegenBackend], method: Callable[..., object], value: Any, arguments: tuple[Any, ...]
) -> Mismatch | None:
    """Return what is wrong with a value of the right type as a backend's answer, None if nothing."""
    rule = RULES.get(method)
    wrong = rule(value, arguments) if rule is not None and value is not None else None
    if wrong is None and isinstance(value, CompiledUnit):
        wrong = find_unpromised(backend.EMITTED, value, arguments[0])
    if wrong is None and method in _READERS:
        wrong = _unreported(_path_options(backend), value, arguments[0])
    return wrong


_READERS = (CodegenBackend.compile_codegen_unit, CodegenBackend.canonical_form, CodegenBackend.link)
"""Methods that report the files they read."""


@cache
def _path_options(backend: type[CodegenBackend]) -> tuple[str, ...]:
    return tuple(spec.name for spec in backend.OPTIONS if spec.kind is OptionKind.PATH)


def _unreported(paths: Sequence[str], value: object, asked: object) -> Mismatch | None:
    """Return a file that an option of kind PATH names and the answer does not report; `asked` is the request."""
    if not isinstance(asked, (UnitStencil, LinkRequest)) or not isinstance(
        value, (CompiledUnit, LinkResult, CanonicalForm)
    ):
        return None
    seen = {item.path for item in value.observed}
    for name, path in asked.options.values:
        if name in paths and path and path not in seen:
            return Mismatch(
                ".observed",
                f"a tuple without {path}",
                f"every file read, and the one that option '{name}' names among them",
                "Observed(path, content_digest(data)), also where what it says makes no difference",
            )
    return None


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


def _is_digest(text: str) -> bool:
    return text in WORDS or (len(text) == 64 and not text.strip("0123456789abcdef"))


def _observed(value: Sequence[Observed], where: str) -> Mismatch | None:
    for number, item in enumerate(value):
        if item.digest is not None and not _is_digest(item.digest):
            return Mismatch(
                f"{where}[{number}].digest",
                repr(item.digest[:80]),
                "content_digest(data), or what digest_file(path) gives",
            )
        if not item.path or "\0" in item.path:
            return Mismatch(f"{where}[{number}].path", repr(item.path), "a path")
    if len({(item.path, item.digest) for item in value}) == len(value):
        return None
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
    if value.link:
        return Mismatch(where.replace(".path", ".link"), repr(value.link), "nothing: output_links() tells of links")
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


def _links(value: Mapping[str, str], _: object) -> Mismatch | None:
    for name, to in value.items():
        wrong = _place(name, f"[{name!r}]") or _place(to, f"[{name!r}]")
        if wrong is not None:
            return wrong
        seen, at = {name}, to
        while at in value:
            if at in seen:
                return Mismatch(f"[{name!r}]", repr(to), "a link that leads to a file in the end")
            seen.add(at)
            at = value[at]
    return None


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
    if not value.strip() or not value.isprintable():
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


RULES: dict[Callable[..., object], _Rule] = {
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
    CodegenBackend.split_crashed: _parts,
    CodegenBackend.split_link: _parts,
    CodegenBackend.run_thin_lto: _thin,
    CodegenBackend.lto_memory: _size,
    CodegenBackend.output_names: _names,
    CodegenBackend.output_links: _links,
    CodegenBackend.link: _linked,
    CodegenBackend.finish_link: _linked,
}
