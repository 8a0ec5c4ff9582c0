"""Descriptions of files: as plain values, and as lines for people."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..base.digest import content_digest
from ..base.errors import FormatError
from ..formats.archive import ARCHIVE_MAGIC
from ..formats.crate_metadata import CrateMetadata
from ..formats.metadata import carries_metadata, decode_dylib, decode_rlib, decode_rlink
from ..rules.output_name import STATE_SUFFIX
from ..system.fs import read_bytes
from ..system.stage_file import read_record
from ..values.module import Symbol

_SHORT = 12
_HINT = "name a file that a build made from a crate"
_OWN_HINT = "this file is internal; `cratewright explain TARGET` shows what is in it"


_Describe = Callable[[str, bytes], "Mapping[str, object] | None"]
"""Asks plugins to describe a file."""


def built_crates(directory: str) -> list[CrateMetadata]:
    """Return the crates that builds have left below a directory, by path.

    Raises: FormatError if there are none.
    """
    found: list[str] = []
    for place, inner, files in os.walk(directory):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [os.path.join(place, name) for name in sorted(files) if name.endswith(".rlink")]
    if not found:
        raise FormatError(f"{directory} contains no built crate", hint="run scons first, or name a workspace in TOML")
    return [decode_rlink(read_bytes(path), path=path) for path in found]


def facts(path: str, ask: _Describe = lambda path, data: None) -> dict[str, object]:
    """Return what is in an `.rlib`, a `.rlink`, a dylib of a crate or a manifest, and what LTO did for it.

    Shape: plain values, ready for JSON; a manifest as it is.
    Raises: FormatError if the file is none of these.
    """
    if os.path.isdir(path):
        raise FormatError(f"{path} is a directory", hint=_HINT)
    data = read_bytes(path)
    record = _record(path)
    known: dict[str, object] = {"lto": record} if record else {}
    if data.startswith(ARCHIVE_MAGIC):
        return {"kind": "rlib", **_crate_facts(decode_rlib(data, path=path)), **known}
    if data.startswith(b"cratewright-"):
        return {"kind": "rlink", **_crate_facts(decode_rlink(data, path=path)), **known}
    if data.startswith(b"{"):
        try:
            return {"kind": "manifest", **dict(json.loads(data, parse_constant=_no_number)), **known}
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{path} is not a manifest", context=(("reason", error),), hint=_HINT) from error
    if carries_metadata(data):
        crate, inside = decode_dylib(data, path=path)
        linked = [{"crate": item.name, "stable_id": item.stable_id, "linkage": how.value} for item, how in inside]
        return {"kind": "dylib", **_crate_facts(crate), "linked_with": linked, **known}
    if (image := ask(path, data)) is not None:
        return {**image, **known}
    if not known:
        raise _unknown(path, data)
    return {"kind": "output", **known}


def _crate_facts(crate: CrateMetadata) -> dict[str, object]:
    return {
        "crate": crate.name,
        "version": crate.version,
        "metadata": list(crate.metadata),
        "stable_id": crate.stable_id,
        "interface": crate.interface,
        "content": crate.content,
        "backend": crate.backend,
        "target": crate.target,
        "producer": crate.producer,
        "fingerprint": crate.fingerprint,
        "crate_types": [kind.value for kind in crate.crate_types],
        "dependencies": [
            {"crate": item.name, "stable_id": item.stable_id, "interface": item.interface}
            for item in crate.dependencies
        ],
        "libraries": [str(library) for library in crate.natives],
        "allocator": crate.allocator,
        "modules": [
            {
                "name": module.name,
                "size": len(module.data),
                "sha256": content_digest(module.data),
                "entry_points": [{"stage": entry.stage, "name": entry.name} for entry in module.entry_points],
                "exports": [_symbol_facts(symbol) for symbol in module.exports],
                "imports": [_symbol_facts(symbol) for symbol in module.imports],
                "attributes": dict(module.attributes),
            }
            for module in crate.modules
        ],
    }


def _symbol_facts(symbol: Symbol) -> dict[str, object]:
    return {
        "name": symbol.name,
        "display": symbol.display,
        "file": symbol.file,
        "line": symbol.line,
        "signature": symbol.signature,
    }


def _unknown(path: str, data: bytes) -> FormatError:
    return FormatError(
        f"{path} is neither an .rlib, an .rlink, a dylib of a crate, a manifest nor an image",
        context=(("begins with", repr(data[:12]) if data else "nothing: it is empty"),),
        hint=_OWN_HINT if path.endswith(STATE_SUFFIX) else _HINT,
    )


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a JSON number")


def row(label: str, text: str) -> str:
    """Return one line of a description; further lines of the text are aligned with the first."""
    first, *rest = text.splitlines() or [""]
    return "\n".join([f"  {label + ':':<12} {first}", *(f"{'':<15}{line}" for line in rest)])


def lines(found: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the facts of a file for a person."""
    kind = found.get("kind", "")
    if kind in ("rlib", "rlink", "dylib"):
        yield from _crate(found)
    elif kind == "manifest":
        yield json.dumps({name: value for name, value in found.items() if name not in ("kind", "lto")}, indent=1)
    elif kind != "output":
        yield from _rows({name: value for name, value in found.items() if name != "lto"})
    yield from _lto(found["lto"], path) if "lto" in found else ()


def _rows(value: object, depth: int = 0) -> Iterator[str]:
    """Yield a plugin's description: the rows of mappings, and the items of lists, one per line."""
    margin = "  " * depth
    rows = (
        value.items()
        if isinstance(value, Mapping)
        else [("-", item) for item in value]
        if isinstance(value, list)
        else []
    )
    for label, item in rows:
        mark = f"{margin}{label}:" if label != "-" else f"{margin}-"
        if isinstance(item, Mapping) or (isinstance(item, list) and any(isinstance(each, Mapping) for each in item)):
            yield mark
            yield from _rows(item, depth + 1)
        else:
            yield f"{mark} {' '.join(map(str, item)) if isinstance(item, list) else item}"


def _crate(found: Mapping[str, Any]) -> Iterator[str]:
    words = f", metadata {' '.join(found['metadata'])}" if found["metadata"] else ""
    yield f"crate {found['crate']} {found['version']}{words}"
    yield row("stable id", found["stable_id"])
    yield row("interface", found["interface"] or "not known")
    yield row("content", found["content"] or "not known")
    yield row("backend", f"{found['backend']}, target {found['target']}")
    yield row("tools", f"{found['producer']}, {found['fingerprint']}")
    yield row("crate types", " ".join(found["crate_types"]))
    needed = [
        f"{item['crate']} {item['stable_id']}, interface {item['interface'][:_SHORT] or 'not known'}"
        for item in found["dependencies"]
    ]
    yield row("depends on", "\n".join(needed) or "nothing")
    if found["libraries"]:
        yield row("libraries", " ".join(found["libraries"]))
    if found["allocator"] != "none":
        yield row("allocator", found["allocator"])
    if "linked_with" in found:
        formats = [f"{item['linkage']} {item['crate']} {item['stable_id']}" for item in found["linked_with"]]
        yield row("linked with", "\n".join(formats) or "nothing")
    for module in found["modules"]:
        # A dylib's metadata has the symbols of its modules, not their data.
        size = "" if "linked_with" in found else f": {module['size']} bytes, {module['sha256'][:_SHORT]}"
        yield f"  module {module['name']}{size}"
        yield from _module(module)


def _module(module: Mapping[str, Any]) -> Iterator[str]:
    for entry in module["entry_points"]:
        yield f"    entry point {entry['name']} ({entry['stage']})"
    for word in ("exports", "imports"):
        for symbol in module[word]:
            typed = f": {symbol['signature']}" if symbol["signature"] else ""
            place = f" at {symbol['file']}:{symbol['line']}" if symbol["line"] and word == "exports" else ""
            yield f"    {word} {symbol['display']}{typed}{place}"
    for name, value in module["attributes"].items():
        yield f"    {name}: {value}"


def _lto(report: Mapping[str, Any], path: str) -> list[str]:
    """Return what LTO did for an output, from the stage's record."""
    try:
        offered = " ".join(f"{count} of {crate}" for crate, count in report["offered"].items())
        return [
            f"link-time optimization of {os.path.basename(path)}",
            row("mode", str(report["mode"])),
            row("modules", f"{report['optimized']} optimized, {report['reused']} reused"),
            row("offered", offered or "nothing"),
            row("bytes", f"{report['bytes_before']} before, {report['bytes_after']} after"),
            row("seconds", str(report["seconds"])),
        ]
    except (KeyError, TypeError, AttributeError):
        return []  # a record of another version


def _record(path: str) -> dict[str, Any]:
    record = read_record(path)
    return dict(record.report_rows()) if record is not None else {}
