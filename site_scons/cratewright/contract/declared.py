"""The declarations of a backend class, checked when it is registered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from ..base.errors import PluginError, near_miss
from ..base.mismatch import find_mismatch, value_words
from ..base.patterns import pattern
from ..values.capability import Capability
from ..values.construction import ConstructionVariable
from ..values.crate_type import CrateType
from ..values.option_spec import OptionKind
from ..values.options import CORE_OPTIONS
from .backend import API_VERSION, OLDEST_API_VERSION, CodegenBackend
from .blame import plugin_row
from .class_fault import ClassFault
from .declared_options import option_faults
from .methods import inherits, method_faults

_NEEDS: dict[Capability, tuple[Callable[..., object], ...]] = {
    Capability.FAT_LTO: (CodegenBackend.run_fat_lto, CodegenBackend.optimize_fat),
    Capability.THIN_LTO: (CodegenBackend.run_thin_lto, CodegenBackend.optimize_thin),
    Capability.ALLOCATOR: (CodegenBackend.codegen_allocator,),
}
_NAME = pattern(r"[a-z][a-z0-9_-]*\Z")
_SUFFIX = pattern(r"\.[^\s/\\]+\Z")


def checked_backend(found: object, plugin: str, module: str) -> type[CodegenBackend]:
    """Return the backend class that a plugin registers; `module` is the plugin's own.

    Raises: PluginError if it is not one, or declares itself wrongly.
    """
    if not (isinstance(found, type) and issubclass(found, CodegenBackend)):
        raise PluginError(
            f"plugin '{plugin}' registers {found!r}, which is not a CodegenBackend",
            context=(plugin_row(module),),
            hint="return a class, or a list of classes",
        )
    fault = find_class_fault(found)
    if fault is not None:
        raise PluginError(
            f"plugin '{plugin}', class {found.__name__}: {fault.message}",
            context=(plugin_row(found.__module__), *([("expected", fault.expected)] if fault.expected else [])),
            hint=fault.hint,
        )
    return found


def find_class_fault(kind: type[CodegenBackend]) -> ClassFault | None:
    """Return the first fault in a class's declarations, or None."""
    return next(_faults(kind), None)


def _faults(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    # The version first: the rest cannot be judged by the rules of another one.
    yield from _version(kind)
    yield from _missing(kind)
    yield from _words(kind)
    yield from option_faults(kind)
    yield from _variables(kind)
    yield from _emitted(kind)
    yield from _abilities(kind)
    yield from method_faults(kind)


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
        lacks = [method.__name__ for method in _NEEDS.get(capability, ()) if inherits(kind, method)]
        if lacks:
            yield ClassFault(
                f"declares Capability.{capability.name} and lacks {', '.join(lacks)}",
                hint=f"write {'it' if len(lacks) == 1 else 'them'}, or leave the capability out",
            )
    if CrateType.OBJECT in kind.supported_crate_types and inherits(kind, CodegenBackend.run_link):
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
