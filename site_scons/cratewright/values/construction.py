"""SCons construction variables that a backend uses, as a table that it declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..base.values import dataclass
from .option_spec import OptionKind, OptionSpec, OptionValue

__all__ = ["ConstructionVariable", "combine_options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstructionVariable:
    """One variable that an Environment may hold for all its builders.

    Shape: `option` is the option of a crate that it adds to: one of kind TEXTS or DEFINES, or of another kind but PATH
    if `read_variables` makes one value of the words. If `setting` is given
    instead, the variable names a program, as that `CRATE_*` setting does, which goes before it; `renamed` are pairs of
    words of which the first is replaced by the second. With neither, it counts through other variables.
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
    """Return all options: defaults and a profile below variables of an Environment below what a crate says.

    Shape: what a crate says is searched first and comes last among words for a program; macros are merged.
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
