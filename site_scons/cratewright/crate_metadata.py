"""A crate after codegen, and the document that tells of it in every file of the crate.

Knows nothing of the files themselves. A document is JSON whose texts are in one table, since linkage names come again
and again: what one module exports, others import. Codegen of all crates runs side by side, so the document of a
`.rlink` names each dependency by its stable id and no more; the rlib, made when the dependencies' own documents are
there, adds the interface of each. That of a dylib has no imports and no data: what is inside is linked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .crate import CrateType, check_crate_name
from .digest import content_digest, value_digest
from .errors import ConfigurationError, CratewrightError, FormatError, OutputError
from .identity import CrateReference, interface_digest, stable_crate_id
from .module import EntryPoint, ModuleCodegen, ModuleKind, Symbol
from .native_library import NativeLibrary, parse_library
from .options import Options
from .output_place import check_output_path
from .values import dataclass
from .version import __version__

__all__ = ["PRODUCER", "Content", "CrateMetadata", "decode_document", "encode_document", "identified"]

PRODUCER = f"cratewright {__version__}"

Content = tuple[tuple[int, str], ...]
"""The size and digest of each module's data."""

_NO_DOCUMENT = (
    AttributeError,
    ConfigurationError,
    LookupError,
    OutputError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What comes of reading something else as a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrateMetadata:
    """A crate after codegen.

    Shape: `dependencies` in the order declared; `modules` in source order, their data left empty where only the
    metadata is read; `options` complete, as the link step needs them; `metadata` the words that tell the crate from
    others of its name and version; `interface` and `content` as `identity` has them, empty until `identified`.
    """

    name: str
    version: str
    backend: str
    fingerprint: str
    target: str
    crate_types: tuple[CrateType, ...]
    dependencies: tuple[CrateReference, ...]
    options: Options
    modules: tuple[ModuleCodegen, ...]
    natives: tuple[NativeLibrary, ...] = ()
    allocator: str = "none"
    metadata: tuple[str, ...] = ()
    producer: str = PRODUCER
    interface: str = ""
    content: str = ""

    @property
    def stable_id(self) -> str:
        """Which crate it is, whatever is in it."""
        return stable_crate_id(self.name, self.version, self.metadata)

    @property
    def reference(self) -> CrateReference:
        """The crate as a dependent records it."""
        return CrateReference(self.name, self.stable_id, self.interface)

    def knowing(self, interfaces: Mapping[str, str]) -> CrateMetadata:
        """Return the crate with the interfaces of its dependencies, given by stable id, where they are known."""
        known = tuple(
            replace(item, interface=interfaces.get(item.stable_id, item.interface)) for item in self.dependencies
        )
        return replace(self, dependencies=known)


def identified(crate: CrateMetadata) -> CrateMetadata:
    """Return a crate that has come out of codegen with its digests."""
    interface = interface_digest(
        crate.stable_id,
        backend=crate.backend,
        target=crate.target,
        modules=crate.modules,
        dependencies=crate.dependencies,
    )
    # Neither what is found out later nor the digest itself.
    plain = tuple(replace(item, interface="") for item in crate.dependencies)
    return replace(
        crate,
        interface=interface,
        content=value_digest(replace(crate, dependencies=plain, interface=interface, content="")),
    )


class _Texts:
    """The table of texts while it is written."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def encode_document(crate: CrateMetadata) -> bytes:
    """Return the document of a crate, without its interface, which the file has by itself."""
    texts = _Texts()
    document = {
        "name": crate.name,
        "version": crate.version,
        "metadata": list(crate.metadata),
        "producer": crate.producer,
        "backend": crate.backend,
        "fingerprint": crate.fingerprint,
        "target": crate.target,
        "content": crate.content,
        "crate_types": [kind.value for kind in crate.crate_types],
        "dependencies": [[item.name, item.stable_id, item.interface] for item in crate.dependencies],
        "options": {name: value for name, value in crate.options.values},
        "natives": [str(library) for library in crate.natives],
        "allocator": crate.allocator,
        "modules": [_encode_module(module, texts) for module in crate.modules],
        "texts": list(texts.numbers),
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _encode_module(module: ModuleCodegen, texts: _Texts) -> dict[str, object]:
    document: dict[str, object] = {"name": module.name, "size": len(module.data)}
    document["digest"] = content_digest(module.data)
    if module.kind is not ModuleKind.REGULAR:
        document["kind"] = module.kind.value
    if module.exports:
        document["exports"] = _encode_symbols(module.exports, texts)
    if module.imports:
        document["imports"] = _encode_symbols(module.imports, texts)
    if module.entry_points:
        document["entry_points"] = [[entry.stage, entry.name] for entry in module.entry_points]
    if module.attributes:
        document["attributes"] = dict(module.attributes)
    return document


def _encode_symbols(symbols: Iterable[Symbol], texts: _Texts) -> list[int]:
    return [
        number
        for symbol in symbols
        for number in (
            texts(symbol.name),
            texts(symbol.display),
            texts(symbol.file),
            symbol.line,
            texts(symbol.signature),
        )
    ]


def decode_document(data: bytes, *, interface: str, path: str) -> tuple[CrateMetadata, Content]:
    """Return the crate that a document tells of, its modules without data, and what that data must be.

    Raises: FormatError naming `path` for what is no document.
    """
    try:
        document = json.loads(data)
        crate, content = _crate(document, interface), _content(document)
        check_names(crate, path=path)
        return crate, content
    except _NO_DOCUMENT as error:
        raise FormatError(
            f"{path}: the crate metadata is damaged",
            context=(("reason", error.message if isinstance(error, CratewrightError) else repr(error)),),
            hint="delete it and build again",
        ) from error


def check_names(crate: CrateMetadata, *, path: str) -> None:
    """Refuse names that no declaration would let pass: files are called after crates and modules.

    Raises: ConfigurationError or OutputError.
    """
    for name in (crate.name, *(item.name for item in crate.dependencies)):
        check_crate_name(name)
    for module in crate.modules:
        check_output_path(module.name, where=path)


def _crate(document: Mapping[str, Any], interface: str) -> CrateMetadata:
    table = _texts(document, "texts")
    return CrateMetadata(
        name=str(document["name"]),
        version=str(document["version"]),
        backend=str(document["backend"]),
        fingerprint=str(document["fingerprint"]),
        target=str(document["target"]),
        crate_types=tuple(CrateType(word) for word in _texts(document, "crate_types")),
        dependencies=tuple(
            CrateReference(str(name), str(stable_id), str(known)) for name, stable_id, known in document["dependencies"]
        ),
        options=Options(tuple(sorted((name, _tuples(value)) for name, value in document["options"].items()))),
        modules=tuple(_decode_module(module, table) for module in document["modules"]),
        natives=tuple(parse_library(text, where="crate metadata") for text in _texts(document, "natives")),
        allocator=str(document["allocator"]),
        metadata=_texts(document, "metadata"),
        producer=str(document["producer"]),
        interface=interface,
        content=str(document["content"]),
    )


def _texts(document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = document[key]
    if not isinstance(value, list):
        raise TypeError(key)
    return tuple(str(item) for item in value)


def _content(document: Mapping[str, Any]) -> Content:
    return tuple((int(module["size"]), str(module["digest"])) for module in document["modules"])


def _tuples(value: Any) -> Any:  # JSON has lists where the values had tuples
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _decode_module(document: Mapping[str, Any], table: tuple[str, ...]) -> ModuleCodegen:
    attributes: Mapping[str, str] = dict(document.get("attributes", {}))
    return ModuleCodegen(
        name=str(document["name"]),
        data=b"",
        kind=ModuleKind(document.get("kind", "regular")),
        exports=_decode_symbols(document.get("exports", []), table),
        imports=_decode_symbols(document.get("imports", []), table),
        entry_points=tuple(EntryPoint(stage, name) for stage, name in document.get("entry_points", [])),
        attributes=tuple(sorted(attributes.items())),
    )


def _decode_symbols(numbers: list[int], table: tuple[str, ...]) -> tuple[Symbol, ...]:
    rows = iter(numbers)
    return tuple(
        Symbol(table[name], table[display], table[file], int(line), table[signature])
        for name, display, file, line, signature in zip(rows, rows, rows, rows, rows, strict=True)
    )
