"""The document that describes a crate in each of its files.

It is a value in the bytes of `codec`, with all texts in one table, because linkage names recur: what one module
exports, others import. Codegen of all crates runs in parallel, so the document of an `.rlink` names each dependency
only by its stable id. The rlib, which is made when the dependencies' documents exist, adds the interface of each. A
dylib's document has no imports and no data, because everything inside is linked.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..base.codec import Codec
from ..base.digest import content_digest
from ..base.errors import ConfigurationError, CratewrightError, FormatError, OutputError
from ..base.values import dataclass
from ..rules.output_place import check_output_path
from ..values.crate import check_crate_name
from ..values.crate_type import CrateType
from ..values.identity import CrateReference, InterfaceDigest
from ..values.module import EntryPoint, ModuleCodegen, ModuleKind, Symbol
from ..values.native_library import parse_library
from .crate_metadata import CrateMetadata
from .option_rows import OptionRow, decode_options, encode_options

Content = tuple[tuple[int, str], ...]
"""The size and digest of each module's data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    """A module without its data; a symbol is its five fields, with texts as indices into the table."""

    name: str
    size: int
    digest: str
    kind: ModuleKind
    exports: tuple[tuple[int, int, int, int, int], ...]
    imports: tuple[tuple[int, int, int, int, int], ...]
    entry_points: tuple[EntryPoint, ...]
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """What is in the file."""

    name: str
    version: str
    metadata: tuple[str, ...]
    producer: str
    backend: str
    fingerprint: str
    target: str
    content: str
    crate_types: tuple[CrateType, ...]
    dependencies: tuple[CrateReference, ...]
    options: tuple[OptionRow, ...]
    natives: tuple[str, ...]
    allocator: str
    modules: tuple[_Module, ...]
    texts: tuple[str, ...]


_DOCUMENT: Codec[_Document] = Codec(_Document)


class _Texts:
    """The table of texts during encoding."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def encode_document(crate: CrateMetadata) -> bytes:
    """Return the document of a crate without its interface, which the file holds separately."""
    texts = _Texts()
    modules = tuple(_encode_module(module, texts) for module in crate.modules)
    return _DOCUMENT.encode(
        _Document(
            name=crate.name,
            version=crate.version,
            metadata=crate.metadata,
            producer=crate.producer,
            backend=crate.backend,
            fingerprint=crate.fingerprint,
            target=crate.target,
            content=crate.content,
            crate_types=crate.crate_types,
            dependencies=crate.dependencies,
            options=encode_options(crate.options),
            natives=tuple(str(library) for library in crate.natives),
            allocator=crate.allocator,
            modules=modules,
            texts=tuple(texts.numbers),
        )
    )


def _encode_module(module: ModuleCodegen, texts: _Texts) -> _Module:
    return _Module(
        name=module.name,
        size=len(module.data),
        digest=content_digest(module.data),
        kind=module.kind,
        exports=_encode_symbols(module.exports, texts),
        imports=_encode_symbols(module.imports, texts),
        entry_points=module.entry_points,
        attributes=module.attributes,
    )


def _encode_symbols(symbols: Iterable[Symbol], texts: _Texts) -> tuple[tuple[int, int, int, int, int], ...]:
    return tuple(
        (texts(symbol.name), texts(symbol.display), texts(symbol.file), symbol.line, texts(symbol.signature))
        for symbol in symbols
    )


def decode_document(data: bytes, *, interface: InterfaceDigest, path: str) -> tuple[CrateMetadata, Content]:
    """Return the crate in a document, with modules without data, and the sizes and digests of their data.

    Raises: FormatError with `path` for anything but a document.
    """
    try:
        document = _DOCUMENT.decode(data)
        crate = _crate(document, interface)
        _check_names(crate, path=path)
        return crate, tuple((module.size, module.digest) for module in document.modules)
    except (ConfigurationError, OutputError, IndexError, ValueError) as error:
        raise FormatError(
            f"{path}: the crate metadata is damaged",
            context=(("reason", error.message if isinstance(error, CratewrightError) else repr(error)),),
            hint="delete it and build again",
        ) from error


def _check_names(crate: CrateMetadata, *, path: str) -> None:
    """Refuse names that no declaration could have, since files are named after crates and modules.

    Raises: ConfigurationError or OutputError.
    """
    for name in (crate.name, *(item.name for item in crate.dependencies)):
        check_crate_name(name)
    for module in crate.modules:
        check_output_path(module.name, where=path)


def _crate(document: _Document, interface: InterfaceDigest) -> CrateMetadata:
    return CrateMetadata(
        name=document.name,
        version=document.version,
        backend=document.backend,
        fingerprint=document.fingerprint,
        target=document.target,
        crate_types=document.crate_types,
        dependencies=document.dependencies,
        options=decode_options(document.options),
        modules=tuple(_decode_module(module, document.texts) for module in document.modules),
        natives=tuple(parse_library(text, where="crate metadata") for text in document.natives),
        allocator=document.allocator,
        metadata=document.metadata,
        producer=document.producer,
        interface=interface,
        content=document.content,
    )


def _decode_module(module: _Module, table: tuple[str, ...]) -> ModuleCodegen:
    if module.size < 0:
        raise ValueError("a module of a negative size")
    return ModuleCodegen(
        name=module.name,
        data=b"",
        kind=module.kind,
        exports=_decode_symbols(module.exports, table),
        imports=_decode_symbols(module.imports, table),
        entry_points=module.entry_points,
        attributes=module.attributes,
    )


def _decode_symbols(rows: tuple[tuple[int, int, int, int, int], ...], table: tuple[str, ...]) -> tuple[Symbol, ...]:
    return tuple(
        Symbol(table[name], table[display], table[file], line, table[signature])
        for name, display, file, line, signature in rows
    )
