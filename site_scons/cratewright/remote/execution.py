"""Runs programs on a server of the Remote Execution API: an Action for each, with exactly the files it may read.

The server's machines must have the programs; each file is compared once with the local one.
Source: build/bazel/remote/execution/v2/remote_execution.proto; google/longrunning/operations.proto.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress

from ..base.errors import Interrupted
from ..system.child import check_ended
from ..system.elsewhere import Placed, Portable, Ran
from .address import Address
from .channel import Gone
from .content_storage import ContentStorage
from .input_tree import input_root
from .message import API, WireDigest, message_digest, read_digest
from .patience import Wait
from .store import Fault, ServerError, tell_user
from .wire import WireError, WireFields, decode, encode_message

_EXECUTE = f"{API}.Execution/Execute"
_CANCEL = "/google.longrunning.Operations/CancelOperation"
_TOGETHER = 256
"""Files checked by one Action, among those that a machine must have."""
_SHA256SUM = "/usr/bin/sha256sum"
_GRACE = 30.0
"""Seconds allowed for the transfer, besides the program's own limit."""
_GOODBYE = 2.0
_FAILURES = 3
"""Failed runs in a row after which a server is no longer used."""


class Executor:
    """Runs programs on a server's machines, from several threads at once.

    Shape: `platform` are the properties of the machines; `jobs` is the limit of programs there.
    Units: `timeout` in seconds, for one program.
    """

    def __init__(
        self, address: Address, *, platform: Iterable[tuple[str, str]] = (), jobs: int = 1, timeout: float = 300.0
    ) -> None:
        self._storage = ContentStorage(address)
        self._name = address.shown
        self._timeout = timeout
        properties = [(1, encode_message([(1, name.encode()), (2, text.encode())])) for name, text in sorted(platform)]
        self._platform = encode_message(properties)
        self._gate = threading.Semaphore(jobs)
        self._lock = threading.Lock()
        self._there: set[WireDigest] = set()
        self._sizes: dict[str, WireDigest] = {}
        self._alike: set[tuple[str, str]] = set()
        self._asking = threading.Lock()
        self._failures = 0
        self._left = ""
        self.ran = 0

    @property
    def left(self) -> str:
        """Why the server is no longer used; empty while it is."""
        return self._left

    def run(self, portable: Portable) -> Ran | None:
        """Run a program there; return None if it must run here.

        Raises: Interrupted if the build has been ended.
        """
        with self._gate:
            if self._left:
                return None
            try:
                self._compare(portable.system)
                ran = self._run(portable)
            except ServerError as error:
                self._failed(error.fault.reason, error.fault.final)
                return None
            except WireError as error:
                self._failed(f"its answers cannot be read: {error}", False)
                return None
            with self._lock:
                self._failures = 0
                self.ran += 1
            return ran

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._left = self._left or "closed"
        self._storage.close()

    def _failed(self, reason: str, final: bool) -> None:
        check_ended()
        with self._lock:
            self._failures += 1
            if self._left or not (final or self._failures >= _FAILURES):
                return
            self._left = reason
        tell_user(f"continuing without {self._name}, all programs run here: {reason}")

    def _compare(self, system: Mapping[str, str]) -> None:
        """Check that the machines have the same files as this one.

        Raises: ServerError, WireError.
        """
        with self._asking:
            unknown = [item for item in system.items() if item not in self._alike]
            for start in range(0, len(unknown), _TOGETHER):
                some = dict(unknown[start : start + _TOGETHER])
                argv = (_SHA256SUM, "--", *some)
                asked = Portable(root="/", argv=argv, environ=(), system={}, outputs=(), tools="")
                # Not from a cache: only what the machine has now counts.
                ran = self._run(asked, fresh=True)
                found = dict(_sums(ran.stdout.decode("utf-8", "surrogateescape")))
                for path, digest in some.items():
                    if found.get(path) != digest:
                        what = "differs" if path in found else "is missing"
                        raise ServerError(f"{path} {what} there", final=True)
                self._alike.update(some.items())

    def _run(self, portable: Portable, fresh: bool = False) -> Ran:
        placed = {path: Placed(os.path.join(portable.root, path), digest) for path, digest in portable.inputs.items()}
        placed |= portable.placed
        inputs = {path: self._digest(path, item) for path, item in placed.items()}
        contents = {path: message_digest(data) for path, data in portable.contents.items()}
        programs = {path for path, item in placed.items() if item.executable}
        root, blobs = input_root(inputs | contents, portable.directories, programs)
        blobs |= {contents[path]: data for path, data in portable.contents.items()}
        environ = [
            (2, encode_message([(1, name.encode()), (2, os.fsencode(text))])) for name, text in sorted(portable.environ)
        ]
        command = encode_message(
            [
                *((1, os.fsencode(word)) for word in portable.argv),
                *environ,
                (5, self._platform),
                *((7, os.fsencode(path)) for path in sorted(portable.outputs)),
            ]
        )
        action = encode_message(
            [
                (1, message_digest(command).encoded()),
                (2, root.encoded()),
                (6, encode_message([(1, int(self._timeout))])),
                (7, int(fresh)),
                (9, portable.tools.encode()),
                (10, self._platform),
            ]
        )
        blobs |= {message_digest(command): command, message_digest(action): action}
        for path, digest in inputs.items():
            if digest not in self._there and digest not in blobs:
                blobs[digest] = self._content(path, placed[path].file, digest)
        self._give(blobs)
        result = self._executed(message_digest(action), fresh)
        return self._read(result, portable.outputs)

    def _digest(self, path: str, item: Placed) -> WireDigest:
        known = self._sizes.get(item.digest)
        if known is None:
            try:
                known = self._sizes[item.digest] = WireDigest(item.digest, os.stat(item.file).st_size)
            except OSError as error:
                raise ServerError(f"{path}: {error.strerror}") from error
        return known

    @staticmethod
    def _content(path: str, place: str, digest: WireDigest) -> bytes:
        try:
            with open(place, "rb") as file:
                data = file.read()
        except OSError as error:
            raise ServerError(f"{path}: {error.strerror}") from error
        if hashlib.sha256(data).hexdigest() != digest.hash or len(data) != digest.size:
            raise ServerError(f"{path} has changed while it was sent")
        return data

    def _give(self, blobs: Mapping[WireDigest, bytes]) -> None:
        new = {digest: data for digest, data in blobs.items() if digest not in self._there}
        faults = self._storage.write(new, Wait(_GRACE))[1] if new else ()
        if faults:
            raise ServerError(faults[-1].reason, faults[-1].final)
        self._there.update(new)

    def _executed(self, action: WireDigest, fresh: bool) -> WireFields:
        """Return the response to an Action.

        Raises: ServerError; Interrupted, after cancelling the Action.
        """
        request = self._storage.request((3, int(fresh)), (6, action.encoded()))
        operation = b""
        try:
            for message in self._storage.channel.stream(_EXECUTE, request, Wait(self._timeout + _GRACE)):
                if isinstance(message, Fault) or message is None:
                    # The server may have evicted a blob between the check and its use.
                    self._there.clear()
                    if message is None:
                        raise ServerError("it does not support execution")
                    raise ServerError(message.reason, message.final)
                fields = decode(message)
                operation = fields.data(1) or operation
                if fields.number(3):
                    return self._response(fields)
        except (Interrupted, Gone):
            self._cancel(operation)
            raise
        raise ServerError("it ended before the program did")

    def _response(self, operation: WireFields) -> WireFields:
        if status := operation.message(4).number(1):
            raise ServerError(f"{operation.message(4).text(2)} ({status})")
        response = operation.message(5).message(2)
        if status := response.message(3).number(1):
            self._there.clear()
            raise ServerError(f"{response.message(3).text(2)} ({status})")
        return response.message(1)

    def _cancel(self, operation: bytes) -> None:
        """Cancel an operation on the server; a call dropped before its response would not be sent."""
        if operation:
            channel = self._storage.channel
            with suppress(Exception):  # whatever the answer
                channel.start(channel.unary(_CANCEL), encode_message([(1, operation)])).result(timeout=_GOODBYE)

    def _read(self, result: WireFields, outputs: Iterable[str]) -> Ran:
        wanted: dict[WireDigest, bytes] = {}
        named: dict[str, WireDigest] = {}
        for item in map(decode, result.repeated(2)):
            path, digest = item.text(1), read_digest(item.message(2))
            if path in outputs:
                named[path] = digest
                if not digest.size or (item.data(5) and message_digest(item.data(5)) == digest):
                    wanted[digest] = item.data(5)
        output: list[bytes] = []
        streams = []
        for raw, stored in ((5, 6), (7, 8)):
            place = read_digest(result.message(stored)) if result.data(stored) else None
            data = result.data(raw)
            if data or place is None or not place.size:
                output.append(data)
            else:
                output.append(b"")
                streams.append((len(output) - 1, place))
        missing = [digest for digest in (*named.values(), *(each for _, each in streams)) if digest not in wanted]
        if missing:
            found, faults = self._storage.read(missing, Wait(_GRACE))
            wanted |= found
            if any(digest not in wanted for digest in missing):
                raise ServerError(faults[-1].reason if faults else "the program's outputs are gone")
        for number, digest in streams:
            output[number] = wanted[digest]
        status = result.number(4)
        return Ran(status, output[0], output[1], {path: wanted[digest] for path, digest in named.items()})


def _sums(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        digest, _, path = line.partition("  ")
        yield path, digest
