"""The files of a crate: the rlib with its `lib.rmeta`, the `.rlink` that codegen leaves, what a dylib carries inside.

Each begins with, or holds, one *head*. A file that is not exactly so is refused.

    head     magic, u32 encoding version, u32 size of the document, interface digest (32 bytes, zero if there is none),
             document, SHA-256 of all that; numbers are big-endian
    rlink    head, then the data of the modules one after another
    rlib     an archive; its first member, `lib.rmeta`, is a head, the others are the modules' data
    dylib    any file with a head somewhere inside
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..base.codec import Codec
from ..base.digest import content_digest
from ..base.errors import ConfigurationError, FormatError, VersionError, damaged_file
from ..base.serializer import DecodeError
from ..base.values import dataclass
from ..rules.dependency_format import Linkage
from ..values.crate import check_crate_name
from ..values.identity import CrateReference, InterfaceDigest
from .archive import Member, read_archive, write_archive
from .crate_document import Content, decode_document, encode_document
from .crate_metadata import CrateMetadata

ENCODING_VERSION = 4
METADATA_MEMBER = "lib.rmeta"

DylibContents = tuple[tuple[CrateReference, Linkage], ...]
"""The crates that a dylib has inside (`STATIC`) or was linked with (`DYNAMIC`), in load order."""

_CARRIED: Codec[tuple[bytes, DylibContents]] = Codec(tuple[bytes, DylibContents])
"""The document of a dylib, and what is inside it."""

_RMETA_MAGIC = b"cratewright-rmeta\n"
_RLINK_MAGIC = b"cratewright-rlink\n"
# In two parts, so that a program that contains this module does not pass for a dylib.
_DYLIB_MAGIC = b"cratewright" + b"-dylib\n\x00\xd5\x1b"
_NUMBERS = struct.Struct(">II32s")
_SEAL = 32
_NO_INTERFACE = bytes(32)


@dataclass(frozen=True, slots=True)
class _Head:
    """A head whose seal is whole, and where in the data it ends."""

    interface: InterfaceDigest
    document: bytes
    end: int


def encode_rlib(crate: CrateMetadata) -> bytes:
    """Return an rlib: `lib.rmeta` first, then one member a module, with a symbol table of the exports."""
    members = [Member(METADATA_MEMBER, _head(_RMETA_MAGIC, crate.interface, encode_document(crate)))]
    members += [
        Member(module.name, module.data, tuple(symbol.name for symbol in module.exports)) for module in crate.modules
    ]
    return write_archive(members)


def decode_rlib(data: bytes, *, path: str) -> CrateMetadata:
    """Return the crate in an rlib, its modules with their data.

    Raises: VersionError for another encoding version, FormatError for what is foreign, truncated or damaged, both
    naming `path`.
    """
    crate, content, members = _read_rlib(data, path)
    return _with_data(crate, content, [member.data for member in members], path)


def encode_rlink(crate: CrateMetadata) -> bytes:
    """Return a `.rlink`."""
    head = _head(_RLINK_MAGIC, crate.interface, encode_document(crate))
    return b"".join([head, *(module.data for module in crate.modules)])


def decode_rlink(data: bytes, *, path: str) -> CrateMetadata:
    """Return the crate in a `.rlink`, its modules with their data.

    Raises: FormatError naming `path` for a foreign or damaged file; VersionError for another encoding version.
    """
    if not data.startswith(_RLINK_MAGIC):
        raise FormatError(
            f"{path} is not a .rlink file",
            context=(("begins with", repr(data[:12])),),
            hint="a build makes one from a crate; if this one was damaged, delete it and build again",
        )
    head = _read_head(data, 0, _RLINK_MAGIC, path)
    crate, content = decode_document(head.document, interface=head.interface, path=path)
    if head.end + sum(size for size, _ in content) != len(data):
        raise damaged_file(path)
    parts: list[bytes] = []
    position = head.end
    for size, _ in content:
        parts.append(data[position : position + size])
        position += size
    return _with_data(crate, content, parts, path)


def encode_dylib(crate: CrateMetadata, inside: DylibContents) -> bytes:
    """Return a dylib's metadata: the crate without what is linked already, and what it was linked with."""
    modules = tuple(replace(module, imports=(), attributes=()) for module in crate.modules)
    return _head(
        _DYLIB_MAGIC, crate.interface, _CARRIED.encode((encode_document(replace(crate, modules=modules)), inside))
    )


def decode_dylib(data: bytes, *, path: str) -> tuple[CrateMetadata, DylibContents]:
    """Return the crate in a dylib, with modules without data, and what it was linked with.

    Raises: FormatError naming `path` if it carries no metadata, or damaged ones; VersionError for another version.
    """
    start = data.find(_DYLIB_MAGIC)
    if start < 0:
        raise FormatError(f"{path} is not a dylib of a crate", hint="put a library that is not a crate into libs")
    head = _read_head(data, start, _DYLIB_MAGIC, path)
    try:
        document, inside = _CARRIED.decode(head.document)
        for reference, _ in inside:
            check_crate_name(reference.name)
    except (ConfigurationError, DecodeError) as error:
        raise FormatError(f"{path}: the crate metadata is damaged", hint="delete it and build again") from error
    return decode_document(document, interface=head.interface, path=path)[0], inside


def carries_metadata(data: bytes) -> bool:
    """Return whether a file that is not an archive may be the dylib of a crate."""
    return _DYLIB_MAGIC in data


def read_metadata(data: bytes, *, path: str) -> CrateMetadata:
    """Return the crate in an `.rlib`, a `.rlink` or a dylib, with modules without data.

    Raises: FormatError as the decoders; damage outside the metadata goes unnoticed.
    """
    if data.startswith(_RLINK_MAGIC):
        head = _read_head(data, 0, _RLINK_MAGIC, path)
        return decode_document(head.document, interface=head.interface, path=path)[0]
    if data.startswith(b"!<arch>\n") or not carries_metadata(data):
        return _read_rlib(data, path)[0]
    return decode_dylib(data, path=path)[0]


def read_interface(data: bytes, *, path: str) -> InterfaceDigest:
    """Return the interface digest of the crate in an `.rlib`, a `.rlink` or a dylib, without reading its document.

    Raises: FormatError as the decoders.
    """
    if data.startswith(_RLINK_MAGIC):
        return _read_head(data, 0, _RLINK_MAGIC, path).interface
    return read_metadata(data, path=path).interface


def _head(magic: bytes, interface: InterfaceDigest, document: bytes) -> bytes:
    digest = bytes.fromhex(interface) if interface else _NO_INTERFACE
    body = b"".join([magic, _NUMBERS.pack(ENCODING_VERSION, len(document), digest), document])
    return body + bytes.fromhex(content_digest(body))


def _read_head(data: bytes, start: int, magic: bytes, path: str) -> _Head:
    position = start + len(magic)
    if len(data) < position + 4:
        raise FormatError(f"{path} has no version number", hint="it is cut short; delete it and build again")
    version = int.from_bytes(data[position : position + 4], "big")
    if version != ENCODING_VERSION:
        raise VersionError(
            f"{path} was made by another version of cratewright",
            context=(("its encoding", f"version {version}"), ("this one's", f"version {ENCODING_VERSION}")),
            hint="build it again with this version",
        )
    if len(data) < position + _NUMBERS.size:
        raise damaged_file(path)
    _, size, digest = _NUMBERS.unpack_from(data, position)
    end = position + _NUMBERS.size + size
    # A view: a damaged file may be large, and is not worth a copy.
    body = memoryview(data)[start:end]
    if len(data) < end + _SEAL or bytes.fromhex(content_digest(body)) != data[end : end + _SEAL]:
        raise damaged_file(path)
    interface = InterfaceDigest("" if digest == _NO_INTERFACE else digest.hex())
    return _Head(interface, data[position + _NUMBERS.size : end], end + _SEAL)


def _read_rlib(data: bytes, path: str) -> tuple[CrateMetadata, Content, Sequence[Member]]:
    first, *rest = read_archive(data, path=path) or (Member("", b""),)
    if first.name != METADATA_MEMBER or not first.data.startswith(_RMETA_MAGIC):
        raise FormatError(
            f"{path} is an archive, but not an rlib",
            context=(("first member", first.name or "(none)"),),
            hint=f"an rlib begins with the member {METADATA_MEMBER}",
        )
    head = _read_head(first.data, 0, _RMETA_MAGIC, path)
    crate, content = decode_document(head.document, interface=head.interface, path=path)
    return crate, content, rest


def _with_data(crate: CrateMetadata, content: Content, parts: Iterable[bytes], path: str) -> CrateMetadata:
    data = list(parts)
    if len(data) != len(crate.modules):
        raise damaged_file(path, ("modules listed", len(crate.modules)), ("modules found", len(data)))
    for module, part, (_, digest) in zip(crate.modules, data, content, strict=True):
        if content_digest(part) != digest:
            raise damaged_file(path, ("module", module.name))
    return replace(
        crate,
        modules=tuple(replace(module, data=part) for module, part in zip(crate.modules, data, strict=True)),
    )
