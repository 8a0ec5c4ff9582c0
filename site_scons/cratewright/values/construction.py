"""SCons construction variables that a backend uses, as a table that it declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..base.values import dataclass
from .option_spec import OptionKind, OptionSpec, OptionValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstructionVariable:
    """One variable that an Environment may hold for all its builders.

    Shape: `option` is the crate's option that it adds to, of kind TEXTS or DEFINES, or of another kind but PATH if
    `read_variables` makes one value of the words. With `setting` instead, the variable names a program, as that
    `CRATE_*` setting does, which has precedence; `renamed` are pairs of a word and its replacement. With neither, it
    matters only through other variables.
    """

    name: str
    option: str = ""
    setting: str = ""
    renamed: tuple[tuple[str, str], ...] = ()


def combine_options(
    table: Iterable[OptionSpec],
    general: Mapping[str, OptionValue],
    variables: Mapping[str, OptionValue],
    explicit: Mapping[str, OptionValue],
) -> dict[str, OptionValue]:
    """Combine options, in order of precedence: the crate's, the Environment's variables, the profile, the defaults.

    Shape: a crate's own directories are searched first, its own words come last on a command line; macros are merged.
    """
    merged = {**general, **explicit}
    for spec in table:
        if spec.name not in variables:
            continue
        below, above = variables[spec.name], merged[spec.name]
        if spec.kind is OptionKind.DEFINES:
            pairs = (*_pairs(below), *_pairs(above))
            merged[spec.name] = tuple(sorted({name: value for name, value in pairs}.items()))
        elif spec.kind is OptionKind.TEXTS and isinstance(below, tuple) and isinstance(above, tuple):
            first = spec.name in ("include_dirs", "export_include_dirs", "lib_dirs", "libs")
            texts = (*_words_of(above), *_words_of(below)) if first else (*_words_of(below), *_words_of(above))
            merged[spec.name] = tuple(dict.fromkeys(texts)) if first else texts
        elif spec.name not in explicit:
            merged[spec.name] = below
    return merged


def _pairs(value: OptionValue) -> tuple[tuple[str, str | None], ...]:
    return tuple((str(item[0]), item[1]) for item in value if len(item) == 2) if isinstance(value, tuple) else ()


def _words_of(value: OptionValue) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, tuple) else ()
