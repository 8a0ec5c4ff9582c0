"""What there is to say of a file, as lines for a person.

Knows nothing of how any of the files are made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .archive import MAGIC
from .crate_metadata import CrateMetadata
from .digest import content_digest
from .errors import FormatError
from .fs import read_bytes, read_regular
from .metadata import Inside, carries_metadata, decode_dylib, decode_rlib, decode_rlink
from .module import ModuleCodegen, Symbol
from .output_name import state_path
from .stage_record import decode_record

__all__ = ["built_crates", "describe", "facts", "row"]

_SHORT = 12


Describe = Callable[[str, bytes], "Mapping[str, object] | None"]
"""Asks plugins for what is in a file of theirs."""


def built_crates(directory: str) -> list[CrateMetadata]:
    """Return the crates that builds have left below a directory, by path.

    Raises: FormatError if there are none.
    """
    found: list[str] = []
    for place, inner, files in os.walk(directory):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [os.path.join(place, name) for name in sorted(files) if name.endswith(".rlink")]
    if not found:
        raise FormatError(
            f"{directory} holds no crate that was built", hint="run scons first, or name a workspace in TOML"
        )
    return [decode_rlink(read_bytes(path), path=path) for path in found]


def describe(path: str, ask: Describe = lambda path, data: None) -> Iterator[str]:
    """Yield what is in an `.rlib`, a `.rlink`, a dylib of a crate or a manifest, and how LTO made it what it is.

    Raises: FormatError if the file is none of these.
    """
    data = read_bytes(path)
    report = _report(path)
    if data.startswith(MAGIC):
        yield from _crate(decode_rlib(data, path=path))
    elif data.startswith(b"cratewright-"):
        yield from _crate(decode_rlink(data, path=path))
    elif data.startswith(b"{"):
        yield data.decode(errors="replace")
    elif carries_metadata(data):
        yield from _dylib(*decode_dylib(data, path=path))
    elif (image := ask(path, data)) is not None:
        yield from _lines(image)
    elif report is None:
        raise _unknown(path, data)
    yield from report or ()


def _lines(value: object, depth: int = 0) -> Iterator[str]:
    """Yield facts as lines: a mapping's rows, and a list's items one below another."""
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
            yield from _lines(item, depth + 1)
        else:
            yield f"{mark} {' '.join(map(str, item)) if isinstance(item, list) else item}"


def facts(path: str, ask: Describe = lambda path, data: None) -> dict[str, object]:
    """Return the same as plain values, ready for JSON; a manifest as it is.

    Raises: FormatError as `describe`.
    """
    data = read_bytes(path)
    record = _record(path)
    known: dict[str, object] = {"lto": record} if record else {}
    if data.startswith(MAGIC):
        return {"kind": "rlib", **_crate_facts(decode_rlib(data, path=path)), **known}
    if data.startswith(b"cratewright-"):
        return {"kind": "rlink", **_crate_facts(decode_rlink(data, path=path)), **known}
    if data.startswith(b"{"):
        try:
            return {"kind": "manifest", **dict(json.loads(data)), **known}
        except ValueError as error:
            raise FormatError(f"{path} is no manifest", context=(("reason", error),)) from error
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
        f"{path} is neither an .rlib, an .rlink, a dylib of a crate nor a manifest",
        context=(("begins with", repr(data[:12])),),
    )


def row(label: str, text: str) -> str:
    """Return one line of a description; further lines of the text are aligned with the first."""
    first, *rest = text.splitlines() or [""]
    return "\n".join([f"  {label + ':':<12} {first}", *(f"{'':<15}{line}" for line in rest)])


def _crate(crate: CrateMetadata) -> Iterator[str]:
    yield from _identity(crate)
    for module in crate.modules:
        yield f"  module {module.name}: {len(module.data)} bytes, {content_digest(module.data)[:_SHORT]}"
        yield from _module(module)


def _dylib(crate: CrateMetadata, inside: Inside) -> Iterator[str]:
    yield from _identity(crate)
    formats = [f"{linkage.value} {item.name} {item.stable_id}" for item, linkage in inside]
    yield row("linked with", "\n".join(formats) or "nothing")
    for module in crate.modules:
        yield f"  module {module.name}"
        yield from _module(module)


def _identity(crate: CrateMetadata) -> Iterator[str]:
    words = f", metadata {' '.join(crate.metadata)}" if crate.metadata else ""
    yield f"crate {crate.name} {crate.version}{words}"
    yield row("stable id", crate.stable_id)
    yield row("interface", crate.interface or "not known")
    yield row("content", crate.content or "not known")
    yield row("backend", f"{crate.backend}, target {crate.target}")
    yield row("tools", f"{crate.producer}, {crate.fingerprint}")
    yield row("crate types", " ".join(kind.value for kind in crate.crate_types))
    needed = [
        f"{item.name} {item.stable_id}, interface {item.interface[:_SHORT] or 'not known'}"
        for item in crate.dependencies
    ]
    yield row("depends on", "\n".join(needed) or "nothing")
    if crate.natives:
        yield row("libraries", " ".join(str(library) for library in crate.natives))
    if crate.allocator != "none":
        yield row("allocator", crate.allocator)


def _module(module: ModuleCodegen) -> Iterator[str]:
    for entry in module.entry_points:
        yield f"    entry point {entry.name} ({entry.stage})"
    for symbol in module.exports:
        yield f"    exports {symbol.display}{_typed(symbol)}" + (f" at {symbol.file}:{symbol.line}" * bool(symbol.line))
    for symbol in module.imports:
        yield f"    imports {symbol.display}{_typed(symbol)}"
    for name, value in module.attributes:
        yield f"    {name}: {value}"


def _typed(symbol: Symbol) -> str:
    return f": {symbol.signature}" if symbol.signature else ""


def _report(path: str) -> list[str] | None:
    """Return what LTO did for an output, if a build has left word of it."""
    report = _record(path)
    if not report:
        return None
    try:
        offered = " ".join(f"{count} of {crate}" for crate, count in report["offered"].items())
        return [
            f"link-time optimisation of {os.path.basename(path)}",
            row("mode", str(report["mode"])),
            row("modules", f"{report['optimised']} optimised, {report['reused']} reused"),
            row("offered", offered or "nothing"),
            row("bytes", f"{report['bytes_before']} before, {report['bytes_after']} after"),
            row("seconds", str(report["seconds"])),
        ]
    except (KeyError, TypeError, AttributeError):
        return None  # what a build keeps for itself is no reason to fail


def _record(path: str) -> dict[str, Any]:
    state = state_path(path)
    if not os.path.isfile(state):
        return {}
    try:
        record = decode_record(read_regular(state))
        return dict(record.report_rows()) if record is not None else {}
    except (OSError, ValueError):
        return {}
