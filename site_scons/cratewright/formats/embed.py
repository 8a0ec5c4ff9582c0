"""Images for C: a header that describes them, and an assembly source with their bytes.

Sizes are only in the assembly source, so the header changes only when the interface does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..base.errors import ConfigurationError, FormatError
from ..base.values import dataclass
from .c_layout import StructWriter, identifier
from .variant_header import VariantRow, variant_lines

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EmbeddedEntry:
    """An entry point and the place of its image.

    Shape: `symbol` is the C name of its image; `image` is relative to the manifest's directory, `digest` that of its
    content. `manifest` is the position of the manifest among those given.
    """

    symbol: str
    key: str
    crate: str
    row: _Row
    image: str
    digest: str
    manifest: int


def embedded_entries(name: str, manifests: Sequence[tuple[str, bytes]]) -> list[EmbeddedEntry]:
    """Return the entry points of some crates, in order; `manifests` are pairs of path and content.

    Raises: FormatError for anything but a manifest, ConfigurationError for entry points with one C name.
    """
    found: list[EmbeddedEntry] = []
    seen: dict[str, EmbeddedEntry] = {}
    for position, (path, data) in enumerate(manifests):
        try:
            document = json.loads(data)
            crate, digests = str(document["crate"]), {row["path"]: row["sha256"] for row in document["modules"]}
            rows = [(str(row["key"]), str(row["module"]), row) for row in document["entries"]]
            images = [digests[image] for _, image, _ in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{path} is not a manifest of images", context=(("missing", str(error)),)) from error
        for (key, image, row), digest in zip(rows, images, strict=True):
            words = (name, crate, key) if len(manifests) > 1 else (name, key)
            symbol = "_".join(identifier(word) for word in words)
            entry = EmbeddedEntry(symbol, key, crate, row, image, str(digest), position)
            if symbol in seen:
                other = seen[symbol]
                raise ConfigurationError(
                    f"'{name}' would hold two images called {symbol}",
                    context=(("entry point", f"{other.crate}: {other.key}"), ("and", f"{crate}: {key}")),
                    hint="rename one source, or embed the crates one by one",
                )
            seen[symbol] = entry
            found.append(entry)
    return found


def header_text(name: str, entries: Sequence[EmbeddedEntry], manifests: Sequence[tuple[str, bytes]]) -> str:
    """Return the header for C and C++ that declares the images and describes them as the manifests do."""
    prefix = identifier(name)
    structs = StructWriter(prefix)
    declared = [line for entry in entries for line in _entry(prefix, entry, structs)]
    lookups = _variants(name, entries, manifests)
    guard = f"{prefix.upper()}_H_"
    return "\n".join(
        [
            f"/* Made by cratewright from {', '.join(dict.fromkeys(entry.crate for entry in entries))}. */",
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            "#include <stddef.h>",
            "#include <stdint.h>",
            *(["#include <string.h>"] if any("strcmp" in line for line in lookups) else []),
            "",
            "#ifdef __cplusplus",
            "#define CRATEWRIGHT_CHECK(condition) static_assert(condition, #condition)",
            'extern "C" {',
            "#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L",
            "#define CRATEWRIGHT_CHECK(condition) _Static_assert(condition, #condition)",
            "#else",
            "#define CRATEWRIGHT_CHECK(condition) struct cratewright_unchecked_",
            "#endif",
            "",
            *structs.lines,
            *([""] if structs.lines else []),
            *declared,
            *lookups,
            *_constants(prefix, manifests),
            "",
            "#undef CRATEWRIGHT_CHECK",
            "#ifdef __cplusplus",
            "}",
            "#endif",
            "#endif",
            "",
        ]
    )


def _entry(prefix: str, entry: EmbeddedEntry, structs: StructWriter) -> list[str]:
    row, symbol = entry.row, entry.symbol
    lines = [
        f"/* {entry.crate}: {entry.key}, {row.get('stage', '')} */",
        f"extern const uint32_t {symbol}[];",
        f"extern const size_t {symbol}_size; /* in bytes */",
        f"#define {symbol}_entry_point {_literal(str(row.get('name', 'main')))}",
    ]
    numbers: list[tuple[str, object]] = []
    size = row.get("workgroup_size")
    if size:
        numbers += [(f"workgroup_size_{axis}", number) for axis, number in zip("xyz", size, strict=True)]
    taken: set[str] = set()
    for item in row.get("descriptors", ()):
        where = f"set{item['set']}_binding{item['binding']}"
        word = identifier(str(item.get("name", ""))) or where
        word = word if word not in taken else f"{word}_{where}"
        if word in taken:
            continue
        taken.add(word)
        numbers += [(f"{word}_set", item["set"]), (f"{word}_binding", item["binding"])]
        if item.get("count", 1) != 1:
            numbers.append((f"{word}_count", item["count"]))
        if "block" in item:
            struct = structs.write(item["block"], hint=f"{entry.key}_{word}")
            lines += [f"typedef {struct} {symbol}_{word}_block;"] if struct else []
    pushed = row.get("push_constants")
    if row.get("push_constant_size"):
        numbers.append(("push_constant_size", row["push_constant_size"]))
    if pushed and "block" in pushed:
        struct = structs.write(pushed["block"], hint=f"{entry.key}_push_constants")
        lines += [f"typedef {struct} {symbol}_push_constants;"] if struct else []
    if numbers:
        lines += ["enum {", *(f"    {symbol}_{word} = {number}," for word, number in numbers), "};"]
    return [*lines, ""]


def _variants(name: str, entries: Sequence[EmbeddedEntry], manifests: Sequence[tuple[str, bytes]]) -> list[str]:
    """Return the lookup of the variants of each crate."""
    lines: list[str] = []
    for position, (path, data) in enumerate(manifests):
        table = json.loads(data).get("variants", ())
        symbols = {entry.key: entry for entry in entries if entry.manifest == position}
        try:
            rows = [VariantRow(row, symbols[row["entry_point"]].symbol) for row in table]
            crate = next(iter(symbols.values())).crate if len(manifests) > 1 and symbols else ""
            lines += variant_lines("_".join(map(identifier, filter(None, (name, crate)))), rows)
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"{path} has variants of no entry point", context=(("missing", str(error)),)) from error
    return lines


def _constants(prefix: str, manifests: Sequence[tuple[str, bytes]]) -> list[str]:
    """Return the ids of specialisation constants by name; one of several ids is told by image alone."""
    ids: dict[str, set[int]] = {}
    for _, data in manifests:
        for image in json.loads(data)["modules"]:
            for row in image.get("spec_constants", ()):
                word = identifier(str(row.get("name", "")))
                if word:
                    ids.setdefault(word, set()).add(int(row["id"]))
    rows = [f"    {prefix}_spec_{word} = {min(numbers)}," for word, numbers in sorted(ids.items()) if len(numbers) == 1]
    return ["enum {", *rows, "};"] if rows else []


def source_text(entries: Sequence[EmbeddedEntry], paths: Sequence[str]) -> str:
    """Return the assembly, for the C preprocessor, that defines the images; `paths` are the entries' image files.

    Shape: equal images are stored once. Symbols are hidden: only the file into which the object is linked sees them.
    Raises: ConfigurationError for a path that an assembler cannot read.
    """
    groups: dict[str, list[tuple[EmbeddedEntry, str]]] = {}
    for entry, path in zip(entries, paths, strict=True):
        groups.setdefault(entry.digest, []).append((entry, path))
    lines = list(_PRELUDE)
    for position, group in enumerate(groups.values()):
        lines += [".balign 16"]
        for entry, _ in group:
            lines += [f"HIDDEN({entry.symbol})", f".globl SYMBOL({entry.symbol})", f"SYMBOL({entry.symbol}):"]
        lines += [f".incbin {_literal(group[0][1])}", f"LOCAL(end{position}):", ".balign 8"]
        for entry, _ in group:
            symbol = f"{entry.symbol}_size"
            lines += [f"HIDDEN({symbol})", f".globl SYMBOL({symbol})", f"SYMBOL({symbol}):"]
        lines += [f"WORD LOCAL(end{position}) - SYMBOL({group[0][0].symbol})"]
    return "\n".join([*lines, *_POSTLUDE, ""])


_PRELUDE = (
    "#define JOIN_(a, b) a##b",
    "#define JOIN(a, b) JOIN_(a, b)",
    "#define SYMBOL(name) JOIN(__USER_LABEL_PREFIX__, name)",
    "#define LOCAL(name) JOIN(.Lcratewright_, name)",
    "#if __SIZEOF_POINTER__ == 8",
    "#define WORD .quad",
    "#else",
    "#define WORD .long",
    "#endif",
    "#if defined(__APPLE__)",
    "#define HIDDEN(name) .private_extern SYMBOL(name)",
    ".section __TEXT,__const",
    "#elif defined(_WIN32)",
    "#define HIDDEN(name)",
    '.section .rdata,"dr"',
    "#else",
    "#define HIDDEN(name) .hidden SYMBOL(name)",
    '.section .rodata,"a"',
    "#endif",
)
_POSTLUDE = (
    "#if defined(__ELF__)",
    '.section .note.GNU-stack,"",%progbits',
    "#endif",
)


def _literal(text: str) -> str:
    if not text.isprintable():
        raise ConfigurationError(f"{text!r} cannot be embedded", hint="leave control characters out of its name")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
