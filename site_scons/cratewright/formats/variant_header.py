"""Variants for C: a table of values and images for each source, and a function that looks one up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..base.values import dataclass
from .c_layout import KEYWORDS, identifier

_INTEGERS = (("int32_t", 31, 31, ""), ("int64_t", 63, 63, "LL"), ("uint64_t", 0, 64, "ULL"))
"""C types with their bits for negative and for other numbers, and the suffix of a literal."""


@dataclass(frozen=True, slots=True)
class VariantRow:
    """An entry point of a variant: its row in the manifest, and the C name of its image."""

    row: Mapping[str, Any]
    symbol: str


def variant_lines(prefix: str, rows: Sequence[VariantRow]) -> list[str]:
    """Return the header's lines on a crate's variants; all names begin with `prefix`.

    Shape: C11 and C++11. Sizes are given by address, so that the header does not change with them.
    """
    groups: dict[tuple[str, str], list[VariantRow]] = {}
    entries = {(str(each.row["of"]), str(each.row["own_name"])) for each in rows}
    for each in rows:
        groups.setdefault((str(each.row["of"]), str(each.row["own_name"])), []).append(each)
    lines: list[str] = []
    for (of, own), group in groups.items():
        several = sum(1 for other, _ in entries if other == of) > 1
        name = "_".join(identifier(word) for word in ((prefix, of, own) if several else (prefix, of)))
        lines += _group(name, f"{of}, {own}" if several else of, group)
    return lines


def _group(name: str, title: str, group: Sequence[VariantRow]) -> list[str]:
    axes = {axis: [each.row["values"][axis] for each in group] for axis in group[0].row["values"]}
    types = {axis: _type(values) for axis, values in axes.items()}
    members = {axis: _member(axis, axes) for axis in axes}
    fields = [f"    {kind}{'' if kind.endswith('*') else ' '}{members[axis]};" for axis, kind in types.items()]
    rows = []
    for each in group:
        values = ", ".join(_literal(types[axis], value) for axis, value in each.row["values"].items())
        image = f"{each.symbol}, &{each.symbol}_size, {each.symbol}_entry_point"
        rows.append(f"        {{{{{values}}}, {image}}},")
    tests = [
        f"key.{members[axis]} && strcmp(rows[at].key.{members[axis]}, key.{members[axis]}) == 0"
        if kind.endswith("*")
        else f"rows[at].key.{members[axis]} == key.{members[axis]}"
        for axis, kind in types.items()
    ]
    return [
        f"/* {title}: its variants by {', '.join(axes)} */",
        f"typedef struct {name}_key {{",
        *fields,
        f"}} {name}_key;",
        f"typedef struct {name}_variant {{",
        f"    {name}_key key;",
        "    const uint32_t *image;",
        "    const size_t *size; /* in bytes */",
        "    const char *entry_point;",
        f"}} {name}_variant;",
        f"enum {{ {name}_variant_count = {len(group)} }};",
        "/* All of them, in order of their keys. */",
        f"static inline const {name}_variant *{name}_variants(void) {{",
        f"    static const {name}_variant rows[] = {{",
        *rows,
        "    };",
        "    return rows;",
        "}",
        "/* The variant with these values; a null pointer if there is none. */",
        f"static inline const {name}_variant *{name}_find({name}_key key) {{",
        f"    const {name}_variant *rows = {name}_variants();",
        f"    for (int at = 0; at < {name}_variant_count; at++) {{",
        f"        if ({' && '.join(tests)}) return &rows[at];",
        "    }",
        "    return NULL;",
        "}",
        "",
    ]


def _member(axis: str, taken: Collection[str]) -> str:
    """Return an axis as a C identifier, which it is unless it is a keyword."""
    name = axis
    while name in KEYWORDS or (name != axis and name in taken):
        name += "_"
    return name


def _type(values: Sequence[object]) -> str:
    """Return the C type of an axis: a number type that holds all values, else a string with the macro's text."""
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) < len(values):
        return "const char *"
    fitting = (kind for kind, below, above, _ in _INTEGERS if all(-(1 << below) <= n < 1 << above for n in numbers))
    return next((kind for kind in fitting if kind != "uint64_t" or min(numbers) >= 0), "const char *")


def _literal(kind: str, value: object) -> str:
    if kind.endswith("*"):
        text = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    number = int(value) if isinstance(value, int) else 0
    if number == -(1 << 63):
        return "INT64_MIN"
    return f"{number}{next(suffix for name, _, _, suffix in _INTEGERS if name == kind)}"
