"""Bazel's remote cache over gRPC: the ActionCache and the ContentAddressableStorage of the Remote Execution API.

Messages are encoded here, so gRPC's own library is the only dependency.
Source: https://github.com/bazelbuild/remote-apis, version 2; google/bytestream/bytestream.proto.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from ..base.values import dataclass
from .address import Address
from .channel import Channel, Gone
from .message import (
    COMMAND,
    DIRECTORY,
    ENTRY_OUTPUT,
    INLINE,
    ActionResult,
    WireDigest,
    action_of,
    message_digest,
    read_digest,
)
from .packing import COMPRESSORS, IDENTITY, PackingError, choose_compressor, compress, unpack
from .patience import Wait
from .store import Fault, Fetched, Transport
from .wire import WireError, decode, encode_message

__all__ = ["ReapiTransport"]

_V2 = "/build.bazel.remote.execution.v2"
_BYTES = "/google.bytestream.ByteStream"
_BATCH = 3 << 20
"""Bytes of a message, below gRPC's default limit of four MiB."""
_AT_ONCE = 500
_CHUNK = 1 << 20
_SHA256 = 1
_OK, _NOT_FOUND = 0, 5

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a server can do.

    Units: `batch` in bytes.
    """

    batch: int
    updates: bool
    streams: int
    batches: int


class ReapiTransport(Transport):
    """A server of the Remote Execution API, by one channel."""

    def __init__(self, address: Address) -> None:
        self.channel = Channel(address)
        self._instance = address.instance.encode()
        self._prefix = f"{address.instance}/" if address.instance else ""
        self._offer: _Offer | None = None

    def fetch(self, keys: Sequence[str], wait: Wait) -> Fetched:
        """Ask for the results of all keys at once, then for the contents that did not come with them, in batches."""
        values: dict[str, bytes] = {}
        faults: list[Fault] = []
        answers = 0
        try:
            offer = self._offered(wait)
            open_: dict[str, WireDigest] = {}
            for key, data in zip(keys, self._results(keys, wait), strict=True):
                if isinstance(data, Fault):
                    faults.append(data)
                    continue
                if data is None:
                    answers += 1
                    continue
                try:
                    result = ActionResult.read(data)
                except WireError as error:
                    faults.append(Fault(f"its entry is not a result: {error}"))
                    continue
                if result.contents:
                    values[key] = result.contents
                    wait.came(len(data), 1)
                else:
                    open_[key] = result.digest
            contents = self._contents(set(open_.values()), offer, wait, faults)
            for key, digest in open_.items():
                if digest in contents:
                    values[key] = contents[digest]
                else:
                    answers += 1
        except Gone as gone:
            faults.append(gone.fault)
        return Fetched(values, answers + len(values), faults)

    def send(self, items: Mapping[str, bytes], wait: Wait) -> Sequence[Fault]:
        """Give the server the contents that it lacks, the actions among them, and then the results that name them."""
        faults: list[Fault] = []
        try:
            offer = self._offered(wait)
            if not offer.updates:
                return [Fault("it accepts no results from this machine", final=True)]
            actions = {key: action_of(key) for key in items}
            blobs = {message_digest(data): data for data in (COMMAND, DIRECTORY, *actions.values(), *items.values())}
            failed = self._upload(blobs, offer, wait, faults)
            updates = []
            for key, value in items.items():
                digest, action = message_digest(value), message_digest(actions[key])
                if digest not in failed and action not in failed:
                    result = ActionResult(digest, value if len(value) <= INLINE else b"").encoded()
                    updates.append(self._request((2, action.encoded()), (3, result)))
            call = self.channel.unary(f"{_V2}.ActionCache/UpdateActionResult")
            for some in _slices(updates, _AT_ONCE):
                said = self.channel.settle([self.channel.start(call, request) for request in some], wait)
                faults += [item for item in said if isinstance(item, Fault)]
        except Gone as gone:
            faults.append(gone.fault)
        return faults

    def give(self, blobs: Mapping[WireDigest, bytes], wait: Wait) -> Sequence[Fault]:
        """Give the server contents, as far as it lacks them.

        Raises: Gone.
        """
        faults: list[Fault] = []
        failed = self._upload(blobs, self._offered(wait), wait, faults)
        return faults or [Fault("it refuses contents")] * bool(failed)

    def take(self, digests: Sequence[WireDigest], wait: Wait) -> tuple[dict[WireDigest, bytes], Sequence[Fault]]:
        """Return contents, as far as the server has them, and what went wrong.

        Raises: Gone.
        """
        faults: list[Fault] = []
        return self._contents(set(digests), self._offered(wait), wait, faults), faults

    def greet(self, wait: Wait) -> Fault | None:
        """Ask what the server can do."""
        try:
            self._offered(wait)
        except Gone as gone:
            return gone.fault
        return None

    def close(self) -> None:
        """Close the channel."""
        self.channel.close()

    def _request(self, *fields: tuple[int, int | bytes]) -> bytes:
        return encode_message([(1, self._instance), *fields])

    def _offered(self, wait: Wait) -> _Offer:
        if self._offer is None:
            call = self.channel.unary(f"{_V2}.Capabilities/GetCapabilities")
            (data,) = self.channel.settle([self.channel.start(call, self._request())], wait)
            if isinstance(data, Fault):
                raise Gone(data.reason)
            try:
                found = decode(data or b"").message(1)
                functions = found.numbers(1)
                if functions and _SHA256 not in functions:
                    raise Gone("it does not support SHA-256")
                self._offer = _Offer(
                    batch=min(found.number(4) or _BATCH, _BATCH),
                    updates=bool(found.message(2).number(1)),
                    streams=choose_compressor(found.numbers(6)),
                    batches=choose_compressor(found.numbers(7)),
                )
            except WireError as error:
                raise Gone(f"it does not report its capabilities: {error}") from error
        return self._offer

    def _results(self, keys: Sequence[str], wait: Wait) -> Iterator[bytes | Fault | None]:
        call = self.channel.unary(f"{_V2}.ActionCache/GetActionResult")
        for some in _slices(keys, _AT_ONCE):
            requests = [
                self._request((2, message_digest(action_of(key)).encoded()), (5, ENTRY_OUTPUT.encode())) for key in some
            ]
            yield from self.channel.settle([self.channel.start(call, request) for request in requests], wait)

    def _contents(
        self, digests: set[WireDigest], offer: _Offer, wait: Wait, faults: list[Fault]
    ) -> dict[WireDigest, bytes]:
        found: dict[WireDigest, bytes] = {}

        def take(digest: WireDigest, data: bytes) -> None:
            if message_digest(data) == digest:
                found[digest] = data
                wait.came(0, 1)
            else:
                faults.append(Fault("contents with another digest than requested"))

        batches, large = _batches(digests, offer.batch)
        call = self.channel.unary(f"{_V2}.ContentAddressableStorage/BatchReadBlobs")
        ways = ((3, IDENTITY), (3, offer.streams))
        started = [
            self.channel.start(call, self._request(*((2, item.encoded()) for item in batch), *ways))
            for batch in batches
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
                data = self._read(digest, offer.streams, wait)
            except PackingError as error:
                data = Fault(str(error))
            if isinstance(data, Fault):
                faults.append(data)
            elif data is not None:
                take(digest, data)
        return found

    def _read(self, digest: WireDigest, way: int, wait: Wait) -> bytes | Fault | None:
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

    def _upload(
        self, blobs: Mapping[WireDigest, bytes], offer: _Offer, wait: Wait, faults: list[Fault]
    ) -> set[WireDigest]:
        """Give the server what it lacks; return what it did not take."""
        failed: set[WireDigest] = set()
        call = self.channel.unary(f"{_V2}.ContentAddressableStorage/FindMissingBlobs")
        request = self._request(*((2, item.encoded()) for item in blobs))
        (data,) = self.channel.settle([self.channel.start(call, request)], wait)
        missing = set(blobs)
        if isinstance(data, bytes):
            try:
                missing = {read_digest(decode(item)) for item in decode(data).repeated(2)} & set(blobs)
            except WireError as error:
                faults.append(Fault(str(error)))
        elif isinstance(data, Fault):
            faults.append(data)
            return set(blobs)
        batches, large = _batches(missing, offer.batch)
        call = self.channel.unary(f"{_V2}.ContentAddressableStorage/BatchUpdateBlobs")

        def packed(digest: WireDigest) -> bytes:
            content, way = compress(blobs[digest], offer.batches)
            return encode_message([(1, digest.encoded()), (2, content), (3, way)])

        started = [self.channel.start(call, self._request(*((2, packed(item)) for item in batch))) for batch in batches]
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
            fault = self._write(digest, blobs[digest], offer.streams, wait)
            if fault is not None:
                faults.append(fault)
                failed.add(digest)
        return failed

    def _write(self, digest: WireDigest, data: bytes, way: int, wait: Wait) -> Fault | None:
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
    """Return digests in groups whose contents fit into one message each, and those that are too large for one."""
    batches: list[list[WireDigest]] = []
    size = limit
    large = [digest for digest in digests if digest.size + 200 > limit]
    for digest in sorted(digests - set(large), key=lambda item: item.hash):
        room = digest.size + 200  # its digest and some numbers go with it
        if size + room > limit or len(batches[-1]) >= _AT_ONCE:
            batches.append([])
            size = 0
        batches[-1].append(digest)
        size += room
    return batches, large


def _slices(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
