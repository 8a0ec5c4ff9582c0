"""A cache of the Remote Execution API in this process, with faults on demand."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .bounds import HANG
from .reapi_messages import messages

__all__ = ["FAULTS", "ReapiServer", "serving_reapi"]

FAULTS = {
    "unavailable": "every call fails with UNAVAILABLE",
    "unauthenticated": "every call requires credentials",
    "internal": "every call fails",
    "no-updates": "it is read-only",
    "no-sha256": "it supports only other digests",
    "junk": "malformed results",
    "junk-calls": "malformed answers",
    "flip": "contents are damaged",
    "half": "contents are truncated",
    "evicted": "contents are evicted, results kept",
    "find-nothing": "it claims to have contents that it lacks",
    "batch-full": "it refuses all contents",
    "write-full": "it refuses large contents",
    "hang": "no answer",
    "hang-read": "contents never arrive",
    "die-read": "it dies during a large read",
    "drip-read": "a large read a byte at a time",
    "bomb": "a decompression bomb",
    "other-way": "contents with a compressor that was not requested",
    "long": "an endless stream",
}


def _deflated(data: bytes) -> bytes:
    work = zlib.compressobj(wbits=-15)
    return work.compress(data) + work.flush()


class ReapiServer:
    """A server with contents in `blobs` and results in `results`, by hash.

    Shape: `ways` are the compressors that it offers; `headers` those that it requires.
    """

    def __init__(self) -> None:
        self.types = messages()
        self.blobs: dict[str, bytes] = {}
        self.results: dict[str, bytes] = {}
        self.fault = ""
        self.ways: list[int] = []
        self.batch = 0
        self.headers: dict[str, str] = {}
        self.calls: list[str] = []
        self.instances: set[str] = set()
        self.over = threading.Event()
        self.url = ""
        self.port = 0

    def _begin(self, method: str, context: Any) -> None:
        import grpc

        self.calls.append(method)
        metadata = dict(context.invocation_metadata())
        if any(metadata.get(name) != value for name, value in self.headers.items()):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
        codes = {"unavailable": "UNAVAILABLE", "unauthenticated": "UNAUTHENTICATED", "internal": "INTERNAL"}
        if self.fault in codes:
            context.abort(getattr(grpc.StatusCode, codes[self.fault]), "no")
        if self.fault == "hang" or (self.fault == "hang-read" and "Read" in method):
            self.over.wait(HANG)

    def GetCapabilities(self, request: bytes, context: Any) -> Any:
        updates = self.types["Updates"](enabled=int(self.fault != "no-updates"))
        functions = [2] if self.fault == "no-sha256" else [1, 2]
        cache = self.types["Cache"](functions=functions, updates=updates, batch=self.batch)
        cache.streams.extend(self.ways)
        cache.batches.extend(self.ways)
        return self.types["Capabilities"](cache=cache)

    def GetActionResult(self, request: bytes, context: Any) -> Any:
        import grpc

        message = self.types["GetResult"].FromString(request)
        self.instances.add(message.instance)
        found = self.results.get(message.action_digest.hash)
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "")
        return b"\x12\xff\xff junk" if self.fault == "junk" else found

    def UpdateActionResult(self, request: bytes, context: Any) -> Any:
        import grpc

        message = self.types["UpdateResult"].FromString(request)
        action = self.blobs.get(message.action_digest.hash)
        if action is None or self.types["Action"].FromString(action).command_digest.hash not in self.blobs:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no such action")
        for file in message.result.output_files:
            assert file.digest.size_bytes and file.path == "entry"
        self.results[message.action_digest.hash] = message.result.SerializeToString()
        return message.result

    def FindMissingBlobs(self, request: bytes, context: Any) -> Any:
        message = self.types["Digests"].FromString(request).digests
        answer = self.types["Digests"]()
        if self.fault != "find-nothing":
            answer.digests.extend(item for item in message if item.hash not in self.blobs)
        return answer

    def BatchUpdateBlobs(self, request: bytes, context: Any) -> Any:
        answer = self.types["WrittenAll"]()
        for blob in self.types["Blobs"].FromString(request).blobs:
            data = zlib.decompress(blob.data, -15) if blob.way == 2 else blob.data
            assert hashlib.sha256(data).hexdigest() == blob.digest.hash and len(data) == blob.digest.size_bytes
            item = answer.responses.add(digest=blob.digest)
            if self.fault == "batch-full":
                item.status.code = 8
                item.status.message = "full"
            else:
                self.blobs[blob.digest.hash] = data
        return answer

    def BatchReadBlobs(self, request: bytes, context: Any) -> Any:
        answer = self.types["GotAll"]()
        message = self.types["Digests"].FromString(request)
        for digest in message.digests:
            data = self._altered(self.blobs.get(digest.hash))
            item = answer.responses.add(digest=digest)
            if data is None:
                item.status.code = 5
            elif self.fault == "bomb":
                item.data, item.way = _deflated(bytes(1 << 26)), 2
            elif self.fault == "other-way":
                item.data, item.way = data, 9
            elif 2 in message.ways and 2 in self.ways:
                item.data, item.way = _deflated(data), 2
            else:
                item.data = data
        return answer

    def Read(self, request: bytes, context: Any) -> Iterator[bytes]:
        import grpc

        name = self.types["Read"].FromString(request).name.split("/")
        data = self._altered(self.blobs.get(name[-2]))
        if data is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "")
        assert data is not None
        if "compressed-blobs" in name:
            data = _deflated(bytes(1 << 26) if self.fault == "bomb" else data)
        size = 1 if self.fault == "drip-read" else 1 << 20
        for start in range(0, len(data), size):
            yield self.types["Piece"](data=data[start : start + size]).SerializeToString()
            if self.fault == "die-read":
                context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            if self.fault == "drip-read" and self.over.wait(0.2):
                return
        while self.fault == "long" and not self.over.is_set():
            yield self.types["Piece"](data=bytes(1 << 20)).SerializeToString()

    def Write(self, requests: Iterator[bytes], context: Any) -> Any:
        import grpc

        data, name = bytearray(), ""
        for request in requests:
            message = self.types["Write"].FromString(request)
            name = name or message.name
            assert message.offset == len(data)
            data += message.data
            if self.fault == "write-full":
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
        content = zlib.decompress(bytes(data), -15) if "/compressed-blobs/deflate/" in name else bytes(data)
        assert hashlib.sha256(content).hexdigest() == name.split("/")[-2]
        self.blobs[name.split("/")[-2]] = content
        return self.types["Committed"](size=len(data))

    def Execute(self, request: bytes, context: Any) -> Iterator[bytes]:
        """Answer as if each program printed `hello` and wrote `made` into the file `o`."""
        import grpc

        codes = {"execute-unavailable": "UNAVAILABLE", "execute-evicted": "FAILED_PRECONDITION"}
        if self.fault in codes:
            context.abort(getattr(grpc.StatusCode, codes[self.fault]), "no")
        types = self.types
        yield types["Operation"](name="operations/1").SerializeToString()
        if self.fault == "execute-hang":
            self.over.wait(HANG)
        if self.fault in ("execute-hang", "execute-ends"):
            return
        if self.fault == "execute-junk":
            yield b"\xff" * 20
            return
        digest = hashlib.sha256(b"made").hexdigest()
        if self.fault != "execute-no-output":
            self.blobs[digest] = b"made" if self.fault != "execute-wrong-output" else b"fake"
        response = types["ExecuteResponse"]()
        response.result.stdout = b"hello"
        response.result.output_files.add(path="o").digest.hash = digest
        response.result.output_files[0].digest.size_bytes = 4
        if self.fault == "execute-fails":
            response.status.code = 13
        operation = types["Operation"](name="operations/1", done=1)
        operation.response.value = response.SerializeToString()
        yield operation.SerializeToString()

    def CancelOperation(self, request: bytes, context: Any) -> Any:
        return self.types["Digests"]()

    def _altered(self, data: bytes | None) -> bytes | None:
        if data is None or self.fault == "evicted":
            return None
        if self.fault == "flip":
            return data[:-1] + bytes([data[-1] ^ 1])
        return data[: len(data) // 2] if self.fault == "half" else data

    def called(self, method: str) -> Callable[[Any, Any], Any]:
        """Return the handler of a method."""
        work = getattr(self, method)

        def serve(request: Any, context: Any) -> Any:
            self._begin(method, context)
            answer = work(request, context)
            data = answer if isinstance(answer, bytes) else answer.SerializeToString()
            return b"\xff" * 20 if self.fault == "junk-calls" else data

        def stream(request: Any, context: Any) -> Iterator[bytes]:
            self._begin(method, context)
            yield from work(request, context)

        return stream if method in ("Read", "Execute") else serve


@contextlib.contextmanager
def serving_reapi(
    fault: str = "", certificate: Path | None = None, clients: Path | None = None
) -> Iterator[ReapiServer]:
    """Run a server, with TLS if there is a certificate (with its key); `clients` are accepted client certificates."""
    import grpc

    server = ReapiServer()
    server.fault = fault

    class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            method = details.method.rpartition("/")[2]
            streamed = grpc.unary_stream_rpc_method_handler
            kinds = {"Read": streamed, "Execute": streamed, "Write": grpc.stream_unary_rpc_method_handler}
            return kinds.get(method, grpc.unary_unary_rpc_method_handler)(server.called(method))

    running = grpc.server(ThreadPoolExecutor(16), handlers=[Handler()], options=[("grpc.so_reuseport", 0)])
    if certificate is None:
        server.port = running.add_insecure_port("127.0.0.1:0")
    else:
        pem, roots = certificate.read_bytes(), clients.read_bytes() if clients is not None else None
        credentials = grpc.ssl_server_credentials([(pem, pem)], roots, clients is not None)
        server.port = running.add_secure_port("127.0.0.1:0", credentials)
    running.start()
    server.url = f"grpc{'s' * bool(certificate)}://127.0.0.1:{server.port}/main"
    try:
        yield server
    finally:
        server.over.set()
        running.stop(0).wait()
