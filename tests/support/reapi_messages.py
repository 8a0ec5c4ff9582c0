"""The messages of the Remote Execution API, for the tests' server.

Google's protocol buffers decode them, independently of our own encoder.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from cratewright.testing import require_tool

_STRING, _BYTES, _INT, _MESSAGE = 9, 12, 3, 11

_TYPES: dict[str, list[tuple[int, str, object]]] = {
    "Digest": [(1, "hash", _STRING), (2, "size_bytes", _INT)],
    "Status": [(1, "code", _INT), (2, "message", _STRING)],
    "Command": [(1, "arguments", [_STRING]), (7, "output_paths", [_STRING])],
    "Action": [(1, "command_digest", "Digest"), (2, "input_root_digest", "Digest"), (9, "salt", _BYTES)],
    "OutputFile": [(1, "path", _STRING), (2, "digest", "Digest"), (5, "contents", _BYTES)],
    "ActionResult": [(2, "output_files", ["OutputFile"]), (4, "exit_code", _INT), (5, "stdout", _BYTES)],
    "ExecuteResponse": [(1, "result", "ActionResult"), (3, "status", "Status")],
    "Any": [(2, "value", _BYTES)],
    "Operation": [(1, "name", _STRING), (3, "done", _INT), (5, "response", "Any")],
    "GetResult": [(1, "instance", _STRING), (2, "action_digest", "Digest"), (5, "inline", [_STRING])],
    "UpdateResult": [(1, "instance", _STRING), (2, "action_digest", "Digest"), (3, "result", "ActionResult")],
    "Digests": [(1, "instance", _STRING), (2, "digests", ["Digest"]), (3, "ways", [_INT])],
    "Blob": [(1, "digest", "Digest"), (2, "data", _BYTES), (3, "way", _INT)],
    "Blobs": [(1, "instance", _STRING), (2, "blobs", ["Blob"])],
    "Written": [(1, "digest", "Digest"), (2, "status", "Status")],
    "WrittenAll": [(1, "responses", ["Written"])],
    "Got": [(1, "digest", "Digest"), (2, "data", _BYTES), (3, "status", "Status"), (4, "way", _INT)],
    "GotAll": [(1, "responses", ["Got"])],
    "Read": [(1, "name", _STRING), (2, "offset", _INT)],
    "Piece": [(10, "data", _BYTES)],
    "Write": [(1, "name", _STRING), (2, "offset", _INT), (3, "finish", _INT), (10, "data", _BYTES)],
    "Committed": [(1, "size", _INT)],
    "Updates": [(1, "enabled", _INT)],
    "Cache": [
        (1, "functions", [_INT]),
        (2, "updates", "Updates"),
        (4, "batch", _INT),
        (6, "streams", [_INT]),
        (7, "batches", [_INT]),
    ],
    "Capabilities": [(1, "cache", "Cache")],
}


def messages() -> dict[str, Any]:
    """Return the messages that a cache needs, as classes of Google's library."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="cache.proto", package="cache", syntax="proto3")
    for name, fields in _TYPES.items():
        message = file.message_type.add(name=name)
        for number, word, kind in fields:
            one = kind[0] if isinstance(kind, list) else kind
            field = message.field.add(name=word, number=number, label=3 if isinstance(kind, list) else 1)
            field.type = _MESSAGE if isinstance(one, str) else one
            if isinstance(one, str):
                field.type_name = f".cache.{one}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"cache.{name}")) for name in _TYPES}


def require_grpc() -> None:
    """Skip or fail a test without the libraries, as `require_tool` does."""
    require_tool(all(find_spec(name) for name in ("grpc", "google", "google.protobuf")), "grpcio and protobuf")
