"""The file with the result of link-time optimization: everything left to link, for each crate type that shares it.

It holds whole requests, so a link reads only this file, and no modules of other crates. Crate types with the same
modules share one list of them.

    file     magic, SHA-256 of the document, document
"""

from __future__ import annotations

from ..base.codec import Codec
from ..base.digest import content_digest
from ..base.errors import ConfigurationError, FormatError, LinkError, VersionError, damaged_file
from ..base.serializer import DecodeError
from ..base.values import dataclass
from ..values.crate import check_crate_name
from ..values.crate_type import CrateType
from ..values.native_library import NativeLibrary
from ..values.options import LtoMode
from ..values.request import LinkLibrary, LinkModule, LinkRequest
from .crate_metadata import PRODUCER
from .option_rows import OptionRow, decode_options, encode_options

_MAGIC = b"cratewright-lto 1\n"
_FAMILY = b"cratewright-lto "
_SEAL = 32


@dataclass(frozen=True, slots=True)
class LtoFile:
    """The remaining link requests.

    Shape: `requests` has one for each crate type, with optimized modules; `fingerprint` is that of the tools.
    """

    backend: str
    fingerprint: str
    requests: tuple[LinkRequest, ...]

    def request(self, kind: CrateType, *, path: str) -> LinkRequest:
        """Return the remaining request for one crate type.

        Raises: LinkError with `path` if the file is not for that type.
        """
        for request in self.requests:
            if request.crate_type is kind:
                return request
        raise LinkError(
            f"{path} is not for crate type '{kind.value}'",
            context=(("crate", self.requests[0].crate), ("it is for", " ".join(self._kinds))),
            hint="each list of dependency formats has its own file",
        )

    @property
    def _kinds(self) -> list[str]:
        return [request.crate_type.value for request in self.requests]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A request, with its modules by the index of their list."""

    crate: str
    crate_type: CrateType
    target: str
    options: tuple[OptionRow, ...]
    modules: int
    dependencies: tuple[str, ...]
    whole: tuple[str, ...]
    libraries: tuple[LinkLibrary, ...]
    natives: tuple[NativeLibrary, ...]
    exported: tuple[str, ...]
    lto: LtoMode
    embed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """What is in the file."""

    producer: str
    backend: str
    fingerprint: str
    links: tuple[_Link, ...]
    lists: tuple[tuple[LinkModule, ...], ...]


_DOCUMENT: Codec[_Document] = Codec(_Document)


def encode_lto(result: LtoFile) -> bytes:
    """Return the content of the file."""
    lists: list[tuple[LinkModule, ...]] = []
    for request in result.requests:
        if request.modules not in lists:
            lists.append(request.modules)
    links = tuple(
        _Link(
            crate=request.crate,
            crate_type=request.crate_type,
            target=request.target,
            options=encode_options(request.options),
            modules=lists.index(request.modules),
            dependencies=request.dependencies,
            whole=request.whole,
            libraries=request.libraries,
            natives=request.natives,
            exported=request.exported,
            lto=request.lto,
            embed=request.embed,
        )
        for request in result.requests
    )
    document = _DOCUMENT.encode(
        _Document(
            producer=PRODUCER, backend=result.backend, fingerprint=result.fingerprint, links=links, lists=tuple(lists)
        )
    )
    return b"".join([_MAGIC, bytes.fromhex(content_digest(document)), document])


def decode_lto(data: bytes, *, path: str) -> LtoFile:
    """Return the remaining link requests in a file's content.

    Raises: FormatError with `path` for a foreign or damaged file; VersionError for another version.
    """
    start = len(_MAGIC) + _SEAL
    if not data.startswith(_FAMILY):
        raise FormatError(
            f"{path} is not a result of link-time optimization",
            context=(("begins with", repr(data[:12])),),
            hint="if it was damaged, delete it and build again",
        )
    if not data.startswith(_MAGIC):
        raise VersionError(f"{path} was made by another version of cratewright", hint="build it again")
    document = memoryview(data)[start:]
    if bytes.fromhex(content_digest(document)) != data[len(_MAGIC) : start]:
        raise damaged_file(path)
    try:
        read = _DOCUMENT.decode(document)
        if read.producer != PRODUCER:
            raise VersionError(
                f"{path} was made by another version of cratewright",
                context=(("made by", read.producer), ("installed", PRODUCER)),
                hint="build it again",
            )
        requests = tuple(_request(link, read.lists) for link in read.links)
    except (ConfigurationError, DecodeError, IndexError) as error:
        raise damaged_file(path) from error
    if not requests:
        raise damaged_file(path)
    return LtoFile(read.backend, read.fingerprint, requests)


def _request(link: _Link, lists: tuple[tuple[LinkModule, ...], ...]) -> LinkRequest:
    return LinkRequest(
        crate=check_crate_name(link.crate),
        crate_type=link.crate_type,
        target=link.target,
        options=decode_options(link.options),
        modules=lists[link.modules],
        dependencies=link.dependencies,
        whole=link.whole,
        libraries=link.libraries,
        natives=link.natives,
        exported=link.exported,
        lto=link.lto,
        embed=link.embed,
    )
