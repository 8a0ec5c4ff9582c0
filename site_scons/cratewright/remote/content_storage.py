"""The ContentAddressableStorage of the Remote Execution API: contents by digest, in batches or streams.

Source: https://github.com/bazelbuild/remote-apis, version 2; google/bytestream/bytestream.proto.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping

from ..base.values import dataclass
from .address import Address
from .channel import Channel, Gone
from .message import API, WireDigest, message_digest, read_digest
from .packing import COMPRESSORS, IDENTITY, PackingError, choose_compressor, compress, unpack
from .patience import Wait
from .store import Fault
from .wire import WireError, decode, encode_message

_BYTES = "/google.bytestream.ByteStream"
_BATCH = 3 << 20
"""Bytes of a message, below gRPC's default limit of four MiB."""
MOST_CALLS = 500
"""The most calls, or contents of one call, that are sent at a time."""
_CHUNK = 1 << 20
_SHA256 = 1
_OK, _NOT_FOUND = 0, 5


@dataclass(frozen=True, slots=True)
class ServerCapabilities:
    """What a server supports.

    Shape: compressors as in `packing`.
    Units: `batch_bytes` of a message.
    """

    batch_bytes: int
    accepts_results: bool
    stream_compressor: int
    batch_compressor: int


class ContentStorage:
    """A server's storage, over a channel that other services of the server may use too."""

    def __init__(self, address: Address) -> None:
        self.channel = Channel(address)
        self._instance = address.instance.encode()
        self._prefix = f"{address.instance}/" if address.instance else ""
        self._server: ServerCapabilities | None = None

    def request(self, *fields: tuple[int, int | bytes]) -> bytes:
        """Return a message of the API whose first field is the server's instance."""
        return encode_message([(1, self._instance), *fields])

    def close(self) -> None:
        """Close the channel."""
        self.channel.close()

    def capabilities(self, wait: Wait) -> ServerCapabilities:
        """Return what the server supports; it is asked once.

        Raises: Gone.
        """
        if self._server is None:
            call = self.channel.unary(f"{API}.Capabilities/GetCapabilities")
            (data,) = self.channel.settle([self.channel.start(call, self.request())], wait)
            if isinstance(data, Fault):
                raise Gone(data.reason)
            try:
                found = decode(data or b"").message(1)
                functions = found.numbers(1)
                if functions and _SHA256 not in functions:
                    raise Gone("it does not support SHA-256")
                self._server = ServerCapabilities(
                    batch_bytes=min(found.number(4) or _BATCH, _BATCH),
                    accepts_results=bool(found.message(2).number(1)),
                    stream_compressor=choose_compressor(found.numbers(6)),
                    batch_compressor=choose_compressor(found.numbers(7)),
                )
            except WireError as error:
                raise Gone(f"it does not report its capabilities: {error}") from error
        return self._server

    def read(self, digests: Collection[WireDigest], wait: Wait) -> tuple[dict[WireDigest, bytes], list[Fault]]:
        """Return the contents that the server has, and what went wrong.

        Raises: Gone.
        """
        found: dict[WireDigest, bytes] = {}
        faults: list[Fault] = []
        server = self.capabilities(wait)

        def take(digest: WireDigest, data: bytes) -> None:
            if message_digest(data) == digest:
                found[digest] = data
                wait.came(0, 1)
            else:
                faults.append(Fault("contents with another digest than requested"))

        batches, large = _batches(set(digests), server.batch_bytes)
        call = self.channel.unary(f"{API}.ContentAddressableStorage/BatchReadBlobs")
        ways = ((3, IDENTITY), (3, server.stream_compressor))
        started = [
            self.channel.start(call, self.request(*((2, item.encoded()) for item in batch), *ways)) for batch in batches
        ]
        for data in self.channel.settle(started, wait):
            if isinstance(data, Fault):
                faults.append(data)
                continue
            wait.came(len(data or b""))
            try:
                for item in map(decode, decode(data or b"").repeated(1)):
                    code = item.message(3).number(1)
                    if code == _OK:
                        digest = read_digest(item.message(1))
                        take(digest, unpack(item.data(2), item.number(4), digest.size))
                    elif code != _NOT_FOUND:
                        faults.append(Fault(f"contents cannot be read: {item.message(3).text(2)} ({code})"))
            except (WireError, PackingError) as error:
                faults.append(Fault(str(error)))
        for digest in large:
            try:
                data = self._read_stream(digest, server.stream_compressor, wait)
            except PackingError as error:
                data = Fault(str(error))
            if isinstance(data, Fault):
                faults.append(data)
            elif data is not None:
                take(digest, data)
        return found, faults

    def _read_stream(self, digest: WireDigest, way: int, wait: Wait) -> bytes | Fault | None:
        kind = f"compressed-blobs/{COMPRESSORS[way]}" if way else "blobs"
        name = f"{self._prefix}{kind}/{digest.hash}/{digest.size}"
        parts: list[bytes] = []
        size = 0
        try:
            for message in self.channel.stream(f"{_BYTES}/Read", encode_message([(1, name.encode())]), wait):
                if isinstance(message, Fault) or message is None:
                    return message
                piece = decode(message).data(10)
                size += len(piece)
                wait.came(len(piece))
                parts.append(piece)
                if size > digest.size + _CHUNK:
                    return Fault("it sends more than was requested")
        except WireError as error:
            return Fault(str(error))
        return unpack(b"".join(parts), way, digest.size)

    def write(self, blobs: Mapping[WireDigest, bytes], wait: Wait) -> tuple[set[WireDigest], list[Fault]]:
        """Send the contents that the server lacks; return those it did not accept, and what went wrong.

        Raises: Gone.
        """
        faults: list[Fault] = []
        failed: set[WireDigest] = set()
        server = self.capabilities(wait)
        call = self.channel.unary(f"{API}.ContentAddressableStorage/FindMissingBlobs")
        request = self.request(*((2, item.encoded()) for item in blobs))
        (data,) = self.channel.settle([self.channel.start(call, request)], wait)
        missing = set(blobs)
        if isinstance(data, bytes):
            try:
                missing = {read_digest(decode(item)) for item in decode(data).repeated(2)} & set(blobs)
            except WireError as error:
                faults.append(Fault(str(error)))
        elif isinstance(data, Fault):
            faults.append(data)
            return set(blobs), faults
        batches, large = _batches(missing, server.batch_bytes)
        call = self.channel.unary(f"{API}.ContentAddressableStorage/BatchUpdateBlobs")

        def packed(digest: WireDigest) -> bytes:
            content, way = compress(blobs[digest], server.batch_compressor)
            return encode_message([(1, digest.encoded()), (2, content), (3, way)])

        started = [self.channel.start(call, self.request(*((2, packed(item)) for item in batch))) for batch in batches]
        for batch, answer in zip(batches, self.channel.settle(started, wait), strict=True):
            if isinstance(answer, Fault):
                faults.append(answer)
                failed.update(batch)
                continue
            wait.came(sum(item.size for item in batch))
            try:
                for item in map(decode, decode(answer or b"").repeated(1)):
                    if item.message(2).number(1) != _OK:
                        failed.add(read_digest(item.message(1)))
                        faults.append(Fault(f"it refuses contents: {item.message(2).text(2)}"))
            except WireError as error:
                faults.append(Fault(str(error)))
                failed.update(batch)
        for digest in large:
            fault = self._write_stream(digest, blobs[digest], server.stream_compressor, wait)
            if fault is not None:
                faults.append(fault)
                failed.add(digest)
        return failed, faults

    def _write_stream(self, digest: WireDigest, data: bytes, way: int, wait: Wait) -> Fault | None:
        content, way = compress(data, way)
        kind = f"compressed-blobs/{COMPRESSORS[way]}" if way else "blobs"
        name = f"{self._prefix}uploads/{uuid.uuid4()}/{kind}/{digest.hash}/{digest.size}".encode()

        def pieces() -> Iterator[bytes]:
            for start in range(0, len(content), _CHUNK):
                piece = content[start : start + _CHUNK]
                last = start + _CHUNK >= len(content)
                yield encode_message([(1, name if not start else b""), (2, start), (3, int(last)), (10, piece)])
                wait.came(len(piece))

        call = self.channel.upload(f"{_BYTES}/Write")
        (answer,) = self.channel.settle([self.channel.start(call, pieces())], wait)
        return answer if isinstance(answer, Fault) else None


def _batches(digests: set[WireDigest], limit: int) -> tuple[list[list[WireDigest]], list[WireDigest]]:
    """Group digests whose contents fit into one message; return the groups, and digests of larger contents."""
    batches: list[list[WireDigest]] = []
    size = limit
    large = [digest for digest in digests if digest.size + 200 > limit]
    for digest in sorted(digests - set(large), key=lambda item: item.hash):
        room = digest.size + 200  # its digest and some numbers go with it
        if size + room > limit or len(batches[-1]) >= MOST_CALLS:
            batches.append([])
            size = 0
        batches[-1].append(digest)
        size += room
    return batches, large
