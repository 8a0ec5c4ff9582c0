"""The declarations of a backend class, checked when it is registered."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any

from ..base.errors import CratewrightError, near_miss
from ..base.patterns import pattern
from ..base.shape import find_mismatch, value_words
from ..base.values import dataclass
from ..values.construction import ConstructionVariable
from ..values.crate_type import CrateType
from ..values.option_spec import NUMBER_KINDS, OptionKind, OptionSpec
from ..values.options import CORE_OPTIONS
from ..values.variants import AXES_AND_CONDITIONS
from .backend import API_VERSION, OLDEST_API_VERSION, Capability, CodegenBackend

__all__ = ["METHODS", "ClassFault", "find_class_fault", "misspelt_method"]

METHODS: dict[str, FunctionType] = {
    name: value
    for name, value in vars(CodegenBackend).items()
    if isinstance(value, FunctionType) and not name.startswith("_")
}
"""The methods of the contract, by name."""

_NEEDS: dict[Capability, tuple[Callable[..., object], ...]] = {
    Capability.FAT_LTO: (CodegenBackend.run_fat_lto, CodegenBackend.optimize_fat),
    Capability.THIN_LTO: (CodegenBackend.run_thin_lto, CodegenBackend.optimize_thin),
    Capability.ALLOCATOR: (CodegenBackend.codegen_allocator,),
}
_NAME = pattern(r"[a-z][a-z0-9_-]*\Z")
_OPTION = pattern(r"[a-z][a-z0-9_]*\Z")
_SUFFIX = pattern(r"\.[^\s/\\]+\Z")


@dataclass(frozen=True, slots=True)
class ClassFault:
    """What is wrong with a class, such as `TARGETS is empty`; what was expected; a way out."""

    message: str
    expected: str = ""
    hint: str = ""


def find_class_fault(kind: type[CodegenBackend]) -> ClassFault | None:
    """Return the first fault in a class's declarations, or None."""
    return next(_faults(kind), None)


def _faults(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    # The version first: the rest cannot be judged by the rules of another one.
    yield from _version(kind)
    yield from _missing(kind)
    yield from _words(kind)
    yield from _options(kind)
    yield from _option_names(kind)
    yield from _variables(kind)
    yield from _emitted(kind)
    yield from _abilities(kind)
    yield from _methods(kind)


def _version(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    span = f"{OLDEST_API_VERSION}" if OLDEST_API_VERSION == API_VERSION else f"{OLDEST_API_VERSION} to {API_VERSION}"
    expected = f"the contract version it was written for, a number; this cratewright knows {span}"
    if not hasattr(kind, "API_VERSION"):
        yield ClassFault("does not say its API_VERSION", expected, f"write API_VERSION = {API_VERSION}")
        return
    version: object = kind.API_VERSION
    if type(version) is not int:
        yield ClassFault(f"API_VERSION is {value_words(version, int)}", expected)
    elif version > API_VERSION:
        yield ClassFault(f"API_VERSION is {version}, which is newer", expected, "install a newer cratewright")
    elif version < OLDEST_API_VERSION:
        yield ClassFault(
            f"API_VERSION is {version}, which is too old", expected, "install a newer version of the plugin"
        )


def _missing(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    words = [word for word in ("NAME", "TARGETS", "SUFFIXES", "supported_crate_types") if not hasattr(kind, word)]
    words += sorted(getattr(kind, "__abstractmethods__", ()))
    if words:
        yield ClassFault(f"lacks {', '.join(words)}")


def _words(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    name: object = kind.NAME
    wanted = "a word such as 'upper': lower-case letters, digits, '-' and '_'"
    if type(name) is not str:
        yield ClassFault(f"NAME is {value_words(name, str)}", wanted)
    elif not _NAME.match(name):
        yield ClassFault(f"NAME is {name!r}", wanted)
    yield from _texts("TARGETS", kind.TARGETS, "target", ("'text'", re.compile(r"\S+\Z")))
    yield from _texts("SUFFIXES", kind.SUFFIXES, "suffix", ("'.txt'", _SUFFIX))
    for label in ("RUNS_PROGRAMS", "LTO_DECIDES_UNITS", "FINGERPRINT_OF_FILES"):
        if type(getattr(kind, label)) is not bool:
            yield ClassFault(f"{label} is {value_words(getattr(kind, label), bool)}", "True or False")


def _texts(label: str, value: object, noun: str, form: tuple[str, re.Pattern[str]]) -> Iterator[ClassFault]:
    example, pattern = form
    expected = f"a tuple of at least one {noun}, such as ({example},)"
    if type(value) is not tuple:
        yield ClassFault(f"{label} is {value_words(value, tuple)}", expected, f"write {label} = ({example},)")
        return
    if not value:
        yield ClassFault(f"{label} is empty", expected)
    for number, item in enumerate(value):
        if type(item) is not str:
            yield ClassFault(f"{label}[{number}] is {value_words(item, str)}", expected)
        elif not pattern.match(item):
            yield ClassFault(f"{label}[{number}] is {item!r}", expected)
        elif item in value[:number]:
            yield ClassFault(f"{label} has {item!r} twice")


def _options(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    options: object = kind.OPTIONS
    if type(options) is not tuple:
        yield ClassFault(f"OPTIONS is {value_words(options, tuple)}", "a tuple of OptionSpec")
        return
    core = {spec.name for spec in CORE_OPTIONS}
    seen: set[str] = set()
    for number, spec in enumerate(options):
        label = f"OPTIONS[{number}]"
        wrong = find_mismatch(spec, OptionSpec)
        if wrong is not None:
            yield ClassFault(f"{label}{wrong.where} is {wrong.found}", wrong.expected, wrong.hint)
            return
        label = f"OPTIONS[{number}], '{spec.name}',"
        if not _OPTION.match(spec.name):
            yield ClassFault(f"{label} is not a name", "lower-case letters, digits and '_'")
        if spec.name in core:
            yield ClassFault(
                f"{label} is an option that every backend has",
                hint=f"list it in UNIT_OPTIONS or LINK_OPTIONS, or rename yours to '{_prefixed(kind, spec.name)}'",
            )
        if spec.name in _TAKEN:
            yield ClassFault(f"{label} is a word of env.Crate", hint=f"call it '{_prefixed(kind, spec.name)}'")
        if spec.name in seen:
            yield ClassFault(f"{label} appears twice")
        seen.add(spec.name)
        yield from _default(label, spec)


_TAKEN = frozenset(
    {"name", "sources", "deps", "crate_type", "profile", "target", "backend", "metadata", "features"}
    | {*AXES_AND_CONDITIONS}
)


def _prefixed(kind: type[CodegenBackend], name: str) -> str:
    return f"{kind.NAME.replace('-', '_')}_{name}"


def _default(label: str, spec: OptionSpec) -> Iterator[ClassFault]:
    if spec.kind is OptionKind.CHOICE and not spec.words:
        yield ClassFault(f"{label} has no words to choose from", "words=('one', 'other')")
        return
    if spec.kind not in NUMBER_KINDS and (spec.least, spec.most, spec.step) != (None, None, 1):
        yield ClassFault(f"{label} has bounds and is not a number", "least, most and step of an INT or a SIZE alone")
    if spec.step < 1 or (spec.least is not None and spec.most is not None and spec.least > spec.most):
        yield ClassFault(f"{label} has bounds that no number keeps", "least <= most, and a step from 1")
        return
    if spec.kind in (OptionKind.PATH, OptionKind.DIRECTORY) and spec.default not in ("", None):
        yield ClassFault(f"{label} has the default {spec.default!r}", "'', for none: the path is the user's to give")
    try:
        parsed = spec.parse(spec.default, where="its default") if spec.default is not None else None
    except CratewrightError as error:
        yield ClassFault(f"{label} has a default that it does not take", f"what it takes itself: {error.message}")
        return
    if parsed != spec.default or type(parsed) is not type(spec.default):
        yield ClassFault(f"{label} has the default {spec.default!r}", f"as it is read: {parsed!r}")


def _option_names(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    known = {spec.name for spec in (*CORE_OPTIONS, *kind.OPTIONS)}
    labels = ("UNIT_OPTIONS", "LINK_OPTIONS", "MODULE_OPTIONS", "LTO_OPTIONS", "SOURCE_OPTIONS", "PATH_OPTIONS")
    for label in labels:
        names: object = getattr(kind, label)
        if label == "MODULE_OPTIONS" and names is None:
            continue
        if not isinstance(names, frozenset):
            yield ClassFault(f"{label} is {value_words(names, frozenset)}", "a frozenset of names of options")
            continue
        for name in sorted(names, key=str):
            if type(name) is not str:
                yield ClassFault(f"{label} has {value_words(name, str)}", "names of options")
            elif name not in known:
                yield ClassFault(f"{label} has '{name}', which is not an option", hint=near_miss(name, known))
    yield from _kinds_of_named(kind)
    for label in ("MODULE_OPTIONS", "LTO_OPTIONS", "SOURCE_OPTIONS"):
        more = (getattr(kind, label) or frozenset()) - kind.LINK_OPTIONS
        if more:
            yield ClassFault(f"{label} has '{min(more)}', which LINK_OPTIONS has not", "some of LINK_OPTIONS")


def _kinds_of_named(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    """Yield options listed where their kind is not allowed."""
    for spec in (*CORE_OPTIONS, *kind.OPTIONS):
        if spec.name in kind.PATH_OPTIONS and spec.kind is not OptionKind.TEXTS:
            yield ClassFault(
                f"PATH_OPTIONS has '{spec.name}', which is of kind {spec.kind.name}",
                "options of kind TEXTS, whose words may name files",
                "leave it out: a PATH is located unasked" if spec.kind is OptionKind.PATH else "",
            )
        if spec.name in kind.SOURCE_OPTIONS and (
            spec.kind not in _ONE_WORD or spec.per_type or (spec.kind in NUMBER_KINDS and spec.default is None)
        ):
            yield ClassFault(
                f"SOURCE_OPTIONS has '{spec.name}', which is of kind {spec.kind.name}",
                "flags, single words, and numbers with a default, which a module carries to its link",
            )
        if spec.kind is OptionKind.PATH and spec.name in kind.LINK_OPTIONS & _of_modules(kind):
            yield ClassFault(
                f"option '{spec.name}' is a PATH, and LTO and codegen() may see it",
                "MODULE_OPTIONS and LTO_OPTIONS without it: what they read is not observed, link() reports it",
                "write MODULE_OPTIONS = frozenset({...}), the LINK_OPTIONS that LTO and codegen() need",
            )


_ONE_WORD = frozenset({OptionKind.FLAG, OptionKind.CHOICE, OptionKind.TEXT, *NUMBER_KINDS})


def _of_modules(kind: type[CodegenBackend]) -> frozenset[str]:
    return kind.LTO_OPTIONS | (kind.LINK_OPTIONS if kind.MODULE_OPTIONS is None else kind.MODULE_OPTIONS)


def _variables(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    variables: object = kind.VARIABLES
    wrong = find_mismatch(variables, tuple[ConstructionVariable, ...])
    if wrong is not None:
        yield ClassFault(f"VARIABLES{wrong.where} is {wrong.found}", wrong.expected, wrong.hint)
        return
    known = {spec.name for spec in (*CORE_OPTIONS, *kind.OPTIONS)}
    files = {spec.name for spec in kind.OPTIONS if spec.kind is OptionKind.PATH}
    for variable in kind.VARIABLES:
        if variable.option in files:
            yield ClassFault(
                f"VARIABLES: {variable.name} adds to '{variable.option}', a PATH, which a crate names itself"
            )
        if variable.option and variable.option not in known:
            yield ClassFault(
                f"VARIABLES: {variable.name} adds to '{variable.option}', which is not an option",
                hint=near_miss(variable.option, known),
            )
    settings: object = kind.SETTINGS
    expected = "a frozenset of names that begin with CRATE_"
    if not isinstance(settings, frozenset):
        yield ClassFault(f"SETTINGS is {value_words(settings, frozenset)}", expected)
        return
    for name in sorted(settings, key=str):
        if type(name) is not str or not name.startswith("CRATE_"):
            yield ClassFault(f"SETTINGS has {name!r}", expected)


def _emitted(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    kinds: object = kind.EMITTED
    expected = "suffixes by words, such as {'asm': '.s'}"
    if not isinstance(kinds, Mapping):
        yield ClassFault(f"EMITTED is {value_words(kinds, dict)}", expected)
        return
    if not all(type(item) is str for pair in kinds.items() for item in pair):
        yield ClassFault("EMITTED has an item that is not a string", expected)
        return
    for word, suffix in kinds.items():
        if not _SUFFIX.match(suffix):
            yield ClassFault(f"EMITTED['{word}'] is {suffix!r}", expected)
    if len(set(kinds.values())) < len(kinds):
        yield ClassFault("EMITTED has a suffix twice", "one of its own for each word")
    if kinds and "emit" not in kind.UNIT_OPTIONS:
        yield ClassFault("has EMITTED and UNIT_OPTIONS without 'emit'", "an option 'emit' of kind TEXTS, and there")


def _abilities(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    yield from _members("supported_crate_types", kind.supported_crate_types, CrateType)
    yield from _members("capabilities", kind.capabilities, Capability)
    if not kind.supported_crate_types:
        yield ClassFault("supported_crate_types is empty", "at least one CrateType")
    for capability in sorted(kind.capabilities, key=lambda item: item.value):
        lacks = [method.__name__ for method in _NEEDS.get(capability, ()) if _inherits(kind, method)]
        if lacks:
            yield ClassFault(
                f"declares Capability.{capability.name} and lacks {', '.join(lacks)}",
                hint=f"write {'it' if len(lacks) == 1 else 'them'}, or leave the capability out",
            )
    if CrateType.OBJECT in kind.supported_crate_types and _inherits(kind, CodegenBackend.run_link):
        yield ClassFault("makes CrateType.OBJECT and lacks run_link", hint="write it, or leave the crate type out")
    if Capability.DYNAMIC_LINKAGE in kind.capabilities and CrateType.DYLIB not in kind.supported_crate_types:
        yield ClassFault("declares Capability.DYNAMIC_LINKAGE and makes no CrateType.DYLIB")


def _members(label: str, value: object, members: type[Capability] | type[CrateType]) -> Iterator[ClassFault]:
    name, first = members.__name__, next(iter(members)).name
    if not isinstance(value, frozenset):
        yield ClassFault(
            f"{label} is {value_words(value, frozenset)}",
            f"a frozenset of {name}",
            f"write {label} = frozenset({{{name}.{first}}})",
        )
        return
    for item in sorted(value, key=str):
        if type(item) is not members:
            same = next((member.name for member in members if member.value == item), first)
            shown = repr(item) if isinstance(item, str) else value_words(item)
            yield ClassFault(f"{label} has {shown}", f"members of {name}", f"write {name}.{same}")


def _inherits(kind: type[CodegenBackend], method: Callable[..., object]) -> bool:
    return getattr(kind, method.__name__) is method


def _methods(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    for name, function in METHODS.items():
        found: Any = inspect.getattr_static(kind, name)
        if found is function:
            continue
        if isinstance(found, FunctionType):
            yield from _signature(name, found, _parameters(function))
        elif not callable(getattr(kind, name)):
            yield ClassFault(f"{name} is {value_words(found)}", f"a method: {_shown(name, _parameters(function))}")


def _parameters(function: FunctionType) -> tuple[str, ...]:
    return function.__code__.co_varnames[1 : function.__code__.co_argcount]


def _signature(name: str, found: FunctionType, wanted: Iterable[str]) -> Iterator[ClassFault]:
    # From the code object: `inspect.signature` would take as long as reading all plugins' options.
    names = tuple(wanted)
    code, expected = found.__code__, f"a method: {_shown(name, names)}"
    if code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        what = "a generator" if code.co_flags & inspect.CO_GENERATOR else "'async'"
        yield ClassFault(f"{name} is {what}", expected, "contract methods are plain functions that return a value")
    count, defaults = len(names) + 1, len(found.__defaults__ or ())
    most = float("inf") if code.co_flags & inspect.CO_VARARGS else code.co_argcount
    only_named = set(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
    if not code.co_argcount - defaults <= count <= most or only_named - set(found.__kwdefaults__ or ()):
        yield ClassFault(f"{name} cannot be called as the contract calls it", expected)


def _shown(name: str, parameters: Iterable[str]) -> str:
    return f"{name}({', '.join(('self', *parameters))})"


def misspelt_method(kind: type[CodegenBackend]) -> tuple[str, str] | None:
    """Return a method whose name is nearly that of a contract method, and that one."""
    import difflib  # noqa: PLC0415 - rarely needed

    known = {*METHODS, *vars(CodegenBackend)}
    own: list[str] = [name for base in kind.__mro__ if base not in CodegenBackend.__mro__ for name in vars(base)]
    for name in own:
        if not name.startswith("_") and name not in known and callable(getattr(kind, name)):
            close = difflib.get_close_matches(name, METHODS, n=1, cutoff=0.85)
            if close:
                return name, close[0]
    return None
