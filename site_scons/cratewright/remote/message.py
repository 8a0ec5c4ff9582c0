"""The messages of a cache: digests, the action for a key, and its result.

The digest of a real Action is the key. This satisfies servers that check what they store, and lets HTTP and gRPC share
entries on one server.
Source: build/bazel/remote/execution/v2/remote_execution.proto of the Remote Execution API, version 2.
"""

from __future__ import annotations

import hashlib
import re

from ..base.values import dataclass
from .wire import WireError, WireFields, decode, encode_message

API = "/build.bazel.remote.execution.v2"
LARGEST = 512 << 20
"""Bytes of the largest value that is sent or accepted, as in the embedded store."""
INLINE = 32 << 10
"""Bytes up to which a value is inlined in its result: that saves a request, and servers store small values together."""
ENTRY_OUTPUT = "entry"
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class WireDigest:
    """The digest of some bytes.

    Shape: `hash` is hex SHA-256.
    """

    hash: str
    size: int

    def encoded(self) -> bytes:
        """Return it as a message."""
        return encode_message([(1, self.hash.encode()), (2, self.size)])


def message_digest(data: bytes) -> WireDigest:
    """Return the digest of some bytes."""
    return WireDigest(hashlib.sha256(data).hexdigest(), len(data))


def read_digest(fields: WireFields) -> WireDigest:
    """Return the digest in a message.

    Raises: WireError if the message is no digest.
    """
    digest = WireDigest(fields.text(1), fields.number(2))
    if not _HASH.fullmatch(digest.hash) or not 0 <= digest.size <= LARGEST:
        raise WireError("an invalid digest")
    return digest


DIRECTORY = b""
COMMAND = encode_message([(1, b"cratewright"), (7, ENTRY_OUTPUT.encode())])


def action_of(key: str) -> bytes:
    """Return the Action whose result is the entry of a key: one command for all, distinguished by the salt."""
    command, directory = message_digest(COMMAND).encoded(), message_digest(DIRECTORY).encoded()
    return encode_message([(1, command), (2, directory), (9, bytes.fromhex(key))])


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The result of an Action: one output file.

    Shape: `contents` are empty if the file must be fetched by its digest.
    """

    digest: WireDigest
    contents: bytes = b""

    def encoded(self) -> bytes:
        """Return it as an ActionResult."""
        file = encode_message([(1, ENTRY_OUTPUT.encode()), (2, self.digest.encoded()), (5, self.contents)])
        return encode_message([(2, file)])

    @staticmethod
    def read(data: bytes) -> ActionResult:
        """Return the result in an ActionResult.

        Raises: WireError if it has another form.
        """
        for item in map(decode, decode(data).repeated(2)):
            if item.text(1) == ENTRY_OUTPUT:
                result = ActionResult(read_digest(item.message(2)), item.data(5))
                if result.contents and message_digest(result.contents) != result.digest:
                    raise WireError("contents that do not match their digest")
                return result
        raise WireError("a result without the entry")
