"""What a crate says of itself in files: `lib.rmeta` inside an rlib, and the `.rlink` that codegen leaves.

Knows nothing of where the files lie. Both formats carry their version, and are refused rather than guessed at.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .archive import Member, read_archive, write_archive
from .crate import CrateType
from .dependency_format import Linkage, Recorded
from .digest import content_digest
from .errors import ConfigurationError, FormatError
from .module import EntryPoint, ModuleCodegen, ModuleKind, Symbol
from .native_library import NativeLibrary, parse_library
from .options import Options

__all__ = [
    "METADATA_MEMBER",
    "CrateMetadata",
    "decode_dylib",
    "decode_rlib",
    "decode_rlink",
    "encode_dylib",
    "encode_rlib",
    "encode_rlink",
    "read_metadata",
]

METADATA_MEMBER = "lib.rmeta"
_RMETA_MAGIC = b"cratewright-rmeta\n"
_RLINK_MAGIC = b"cratewright-rlink\n"
# In two parts, so that no program which has this module inside passes for a dylib.
_DYLIB_MAGIC = b"cratewright" + b"-dylib\n\x00\xd5\x1b"
_VERSION = 1
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CrateMetadata:
    """A crate after codegen.

    Shape: `dependencies` are names in link order; `modules` in source order, their data left empty in what
    `read_metadata` returns; `options` complete, as the link step needs them.
    """

    name: str
    version: str
    backend: str
    fingerprint: str
    target: str
    crate_types: tuple[CrateType, ...]
    dependencies: tuple[str, ...]
    options: Options
    modules: tuple[ModuleCodegen, ...]
    natives: tuple[NativeLibrary, ...] = ()
    allocator: str = "none"


def encode_rlib(crate: CrateMetadata) -> bytes:
    """Return an rlib: `lib.rmeta` first, then one member a module, with a symbol table of the exports."""
    members = [Member(METADATA_MEMBER, _RMETA_MAGIC + _encode(crate))]
    members += [
        Member(module.name, module.data, tuple(symbol.name for symbol in module.exports)) for module in crate.modules
    ]
    return write_archive(members)


def decode_rlib(data: bytes, *, path: str) -> CrateMetadata:
    """Return the crate in an rlib, its modules with their data.

    Raises: FormatError naming `path` if it is foreign, truncated, damaged or of another version.
    """
    first, *rest = read_archive(data, path=path) or (Member("", b""),)
    if first.name != METADATA_MEMBER or not first.data.startswith(_RMETA_MAGIC):
        raise FormatError(
            f"{path} is an archive but no rlib",
            context=(("first member", first.name or "(none)"),),
            hint=f"an rlib begins with the member {METADATA_MEMBER}",
        )
    crate, contents = _decode(first.data[len(_RMETA_MAGIC) :], path)
    crate = _with_data(crate, [member.data for member in rest], path)
    for module, (_, digest) in zip(crate.modules, contents, strict=True):
        if content_digest(module.data) != digest:
            raise FormatError(
                f"{path} is truncated or damaged",
                context=(("member", module.name),),
                hint="delete it and build again",
            )
    return crate


def encode_rlink(crate: CrateMetadata) -> bytes:
    """Return a `.rlink`.

    Shape: magic line, u32 length of the metadata, metadata, the modules' data one after another, SHA-256 of all
    that. Numbers are big-endian.
    """
    info = _encode(crate)
    body = b"".join([_RLINK_MAGIC, struct.pack(">I", len(info)), info, *(module.data for module in crate.modules)])
    return body + bytes.fromhex(content_digest(body))


def decode_rlink(data: bytes, *, path: str) -> CrateMetadata:
    """Return the crate in a `.rlink`, its modules with their data.

    Raises: FormatError naming `path`: no rlink, damaged, or of another version, in this order.
    """
    if not data.startswith(_RLINK_MAGIC):
        raise FormatError(f"{path} is not a .rlink file", context=(("begins with", repr(data[:12])),))
    body, tail = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    start = len(_RLINK_MAGIC) + 4
    if len(body) < start or bytes.fromhex(content_digest(body)) != tail:
        raise FormatError(f"{path} is truncated or damaged", hint="delete it and build again")
    (size,) = struct.unpack(">I", body[start - 4 : start])
    crate, contents = _decode(body[start : start + size], path)
    parts: list[bytes] = []
    position = start + size
    for length, _ in contents:
        parts.append(body[position : position + length])
        position += length
    return _with_data(crate, parts, path)


def encode_dylib(crate: CrateMetadata, recorded: Recorded) -> bytes:
    """Return what a dylib carries inside: the crate without its modules, and what it was linked with.

    Shape: magic, u32 length (big-endian), metadata, SHA-256 of all that; found in a file by its magic.
    """
    document = {
        "crate": _encode(replace(crate, modules=())).decode(),
        "recorded": [[name, linkage.value] for name, linkage in recorded],
    }
    info = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    body = _DYLIB_MAGIC + struct.pack(">I", len(info)) + info
    return body + bytes.fromhex(content_digest(body))


def decode_dylib(data: bytes, *, path: str) -> tuple[CrateMetadata, Recorded]:
    """Return the crate that a dylib says it is, without modules, and what it was linked with.

    Raises: FormatError naming `path` if it carries no metadata, or damaged ones.
    """
    start = data.find(_DYLIB_MAGIC)
    if start < 0:
        raise FormatError(f"{path} is no dylib of a crate", hint="a foreign library goes into libs")
    head = start + len(_DYLIB_MAGIC)
    (size,) = struct.unpack(">I", data[head : head + 4].ljust(4, b"\0"))
    body, tail = data[start : head + 4 + size], data[head + 4 + size : head + 4 + size + _DIGEST_BYTES]
    if bytes.fromhex(content_digest(body)) != tail:
        raise FormatError(f"{path} is truncated or damaged", hint="delete it and build again")
    try:
        document = json.loads(body[len(_DYLIB_MAGIC) + 4 :])
        crate, _ = _decode(document["crate"].encode(), path)
        return crate, tuple((str(name), Linkage(word)) for name, word in document["recorded"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: the crate metadata is damaged", hint="delete it and build again") from error


def read_metadata(data: bytes, *, path: str) -> CrateMetadata:
    """Return what an `.rlib` or `.rlink` says of its crate, told apart by content.

    Raises: FormatError as the two decoders.
    """
    if data.startswith(_RLINK_MAGIC):
        return decode_rlink(data, path=path)
    return decode_rlib(data, path=path)


def _encode(crate: CrateMetadata) -> bytes:
    document = {
        "format": _VERSION,
        "name": crate.name,
        "version": crate.version,
        "backend": crate.backend,
        "fingerprint": crate.fingerprint,
        "target": crate.target,
        "crate_types": [kind.value for kind in crate.crate_types],
        "dependencies": list(crate.dependencies),
        "options": {name: value for name, value in crate.options.values},
        "natives": [str(library) for library in crate.natives],
        "allocator": crate.allocator,
        "modules": [_encode_module(module) for module in crate.modules],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _encode_module(module: ModuleCodegen) -> dict[str, object]:
    document: dict[str, object] = {"name": module.name, "size": len(module.data)}
    document["digest"] = content_digest(module.data)
    if module.kind is not ModuleKind.REGULAR:
        document["kind"] = module.kind.value
    if module.exports:
        document["exports"] = [_encode_symbol(symbol) for symbol in module.exports]
    if module.imports:
        document["imports"] = [_encode_symbol(symbol) for symbol in module.imports]
    if module.entry_points:
        document["entry_points"] = [[entry.stage, entry.name] for entry in module.entry_points]
    if module.attributes:
        document["attributes"] = dict(module.attributes)
    return document


def _encode_symbol(symbol: Symbol) -> list[object]:
    return [symbol.name, symbol.display, symbol.file, symbol.line, symbol.signature]


def _document(data: bytes, path: str) -> Mapping[str, object]:
    try:
        document = json.loads(data)
        version = document["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"{path}: the crate metadata is damaged", hint="delete it and build again") from error
    if version != _VERSION:
        raise FormatError(
            f"{path} was made by another version of cratewright",
            context=(("its format", version), ("this format", _VERSION)),
            hint="build it again with this version",
        )
    assert isinstance(document, dict)
    return document


def _decode(data: bytes, path: str) -> tuple[CrateMetadata, list[tuple[int, str]]]:
    """Return the crate and, for each module, the size and digest of its data."""
    document = _document(data, path)
    try:
        return _from_document(document), _contents(document)
    except (KeyError, ValueError, TypeError, OverflowError, ConfigurationError) as error:
        raise FormatError(
            f"{path}: the crate metadata is damaged",
            context=(("reason", repr(error)),),
            hint="delete it and build again",
        ) from error


def _from_document(document: Mapping[str, object]) -> CrateMetadata:
    def texts(key: str) -> tuple[str, ...]:
        value = document[key]
        if not isinstance(value, list):
            raise TypeError(key)
        return tuple(str(item) for item in value)

    modules = document["modules"]
    options = document["options"]
    if not isinstance(modules, list) or not isinstance(options, dict):
        raise TypeError("modules")
    return CrateMetadata(
        name=str(document["name"]),
        version=str(document["version"]),
        backend=str(document["backend"]),
        fingerprint=str(document["fingerprint"]),
        target=str(document["target"]),
        crate_types=tuple(CrateType(word) for word in texts("crate_types")),
        dependencies=texts("dependencies"),
        options=Options(tuple(sorted((name, _tuples(value)) for name, value in options.items()))),
        modules=tuple(_decode_module(module) for module in modules),
        natives=tuple(parse_library(text, where="crate metadata") for text in texts("natives")),
        allocator=str(document["allocator"]),
    )


def _contents(document: Mapping[str, Any]) -> list[tuple[int, str]]:
    return [(int(module["size"]), str(module["digest"])) for module in document["modules"]]


def _tuples(value: Any) -> Any:  # JSON has lists where the values had tuples
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _decode_module(document: Mapping[str, list[list[str]]]) -> ModuleCodegen:
    def symbols(key: str) -> tuple[Symbol, ...]:
        return tuple(
            Symbol(name, display, file, int(line), signature)
            for name, display, file, line, signature in document.get(key, [])
        )

    attributes: Mapping[str, str] = dict(document.get("attributes", {}))
    return ModuleCodegen(
        name=str(document["name"]),
        data=b"",
        kind=ModuleKind(document.get("kind", "regular")),
        exports=symbols("exports"),
        imports=symbols("imports"),
        entry_points=tuple(EntryPoint(stage, name) for stage, name in document.get("entry_points", [])),
        attributes=tuple(sorted(attributes.items())),
    )


def _with_data(crate: CrateMetadata, parts: Iterable[bytes], path: str) -> CrateMetadata:
    data = list(parts)
    if len(data) != len(crate.modules):
        raise FormatError(
            f"{path} is truncated or damaged",
            context=(("modules listed", len(crate.modules)), ("modules found", len(data))),
            hint="delete it and build again",
        )
    return replace(
        crate,
        modules=tuple(replace(module, data=part) for module, part in zip(crate.modules, data, strict=True)),
    )
