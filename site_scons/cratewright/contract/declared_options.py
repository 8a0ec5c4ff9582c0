"""The options that a backend class declares, checked when it is registered."""

from __future__ import annotations

from collections.abc import Iterator

from ..base.errors import CratewrightError, near_miss
from ..base.mismatch import find_mismatch, value_words
from ..base.patterns import pattern
from ..values.option_spec import NUMBER_KINDS, OptionKind, OptionSpec
from ..values.options import CORE_OPTIONS
from ..values.variants import AXES_AND_CONDITIONS
from .backend import CodegenBackend
from .class_fault import ClassFault

_OPTION = pattern(r"[a-z][a-z0-9_]*\Z")


def option_faults(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    """Yield what is wrong with a class's options, and with where it lists them."""
    yield from _specs(kind)
    yield from _lists(kind)


def _specs(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
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
        yield ClassFault(f"{label} has bounds that no number satisfies", "least <= most, and a step from 1")
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


def _lists(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
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
            yield ClassFault(f"{label} has '{min(more)}', which is not in LINK_OPTIONS", "some of LINK_OPTIONS")


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
