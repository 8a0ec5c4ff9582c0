"""The keys that tables of a workspace may have, and how their values are read.

The schema for editors is generated from the same definitions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..base.errors import UnknownNameError, near_miss
from ..values.crate_type import CrateType
from ..values.option_spec import OptionKind, OptionSpec, OptionValue
from ..values.variants import AXES_AND_CONDITIONS
from .document import Document, Key

TABLES: Mapping[str, str] = {
    "crate": "crates by name",
    "profile": "profiles by name; one of a known name extends it unless it inherits another",
    "backend": "options of all crates of a backend, by its name",
    "target": "options of all crates for a target, by its name",
}

CRATE_KEYS: tuple[OptionSpec, ...] = (
    OptionSpec(
        name="type",
        kind=OptionKind.TEXTS,
        default=("rlib",),
        words=tuple(kind.value for kind in CrateType),
        help="what the crate is linked into",
    ),
    OptionSpec(name="backend", kind=OptionKind.TEXT, default="", help="the backend that compiles and links it"),
    OptionSpec.texts("target", "target; a list builds a tree for each"),
    OptionSpec(name="profile", kind=OptionKind.TEXT, default="", help="the profile that its options start from"),
    OptionSpec(
        name="metadata",
        kind=OptionKind.TEXTS,
        default=(),
        help="words that distinguish it from another crate of its name and version",
    ),
)
"""Besides `sources`, `deps`, `features` and the options; `target` may instead be a table of options by target."""

TABLES_OF_A_CRATE: Mapping[str, str] = {
    "sources": "paths and patterns, or tables with options of their own",
    "deps": "dependencies in link order: names of crates, or tables with a name or the path of an rlib",
    "features": "optional features, each a list: names of other features, dep:NAME, NAME/FEATURE, define:NAME=VALUE",
    "variants": "values by axis: each source is compiled with all combinations, an axis being a macro",
    "when": "conditions on the values of axes that variants must meet, such as FOG == 1 or LIGHTS < 8",
}
"""Keys of a crate whose values have their own format."""

TABLES_OF_A_SOURCE: Mapping[str, str] = {word: TABLES_OF_A_CRATE[word] for word in AXES_AND_CONDITIONS}
"""Those of them that a source may have."""

SOURCE_KEYS: tuple[OptionSpec, ...] = (
    OptionSpec(name="path", kind=OptionKind.TEXT, default="", help="a path or a pattern"),
    OptionSpec(name="name", kind=OptionKind.TEXT, default="", help="the unit's name, used in output names"),
)

PROFILE_KEYS: tuple[OptionSpec, ...] = (
    OptionSpec(name="inherits", kind=OptionKind.TEXT, default="", help="the profile it starts from"),
)

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


def option_key(spec: OptionSpec) -> str:
    """Return how TOML spells an option."""
    return spec.name.replace("_", "-")


def table_name(key: Key) -> str:
    """Return a table as its header spells it; for an element of an array, the table that holds the array."""
    parts: list[str] = []
    for part in key:
        if isinstance(part, int):
            parts.pop()
            break
        parts.append(part if _BARE.match(part) else f"'{part}'")
    return f"[{'.'.join(parts)}]"


def parse_keys(
    document: Document,
    key: Key,
    table: Mapping[str, object],
    specs: Iterable[OptionSpec],
    *,
    also: Iterable[str] = (),
) -> dict[str, OptionValue]:
    """Read a table, as values by option name; `also` are further keys, for hints.

    Raises: ConfigurationError with the line of an unknown key or a bad value.
    """
    known = {option_key(spec): spec for spec in specs}
    parsed: dict[str, OptionValue] = {}
    for word, value in table.items():
        if word not in known:
            raise UnknownNameError(
                f"{document.place(*key, word)}: unknown key '{word}' in {table_name(key)}",
                hint=near_miss(word, {*known, *also}),
            )
        with document.located(*key, word):
            spec = replace(known[word], name=word)
            parsed[known[word].name] = spec.parse(_checked(document, (*key, word), spec, value), where=table_name(key))
    return parsed


def _checked(document: Document, key: Key, spec: OptionSpec, value: object) -> object:
    """Return a value as an SConstruct would give it; TOML has types, so they are not converted."""
    typed = {OptionKind.FLAG: bool, OptionKind.INT: int}.get(spec.kind)
    if typed is not None and type(value) is not typed:
        raise document.error(f"'{spec.name}' takes {spec.takes}, not {value!r}", *key)
    if spec.per_type and isinstance(value, Mapping):
        for kind, word in value.items():
            with document.located(*key, kind):
                spec.parse({kind: word}, where=table_name(key[:-1]))
    if spec.kind is not OptionKind.DEFINES:
        return value
    if isinstance(value, Mapping):
        for name, text in value.items():
            if text is False or not isinstance(text, (str, int, float)):
                raise document.error(f"macro '{name}' takes a string, a number or true, not {text!r}", *key, name)
        return {name: None if text is True else text for name, text in value.items()}
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        raise document.error(f"'{spec.name}' takes a table, or a list of NAME and NAME=VALUE, not {value!r}", *key)
    return value
