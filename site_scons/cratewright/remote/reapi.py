"""Bazel's remote cache over gRPC: the ActionCache and the ContentAddressableStorage of the Remote Execution API.

Messages are encoded here, so gRPC's own library is the only dependency.
Source: https://github.com/bazelbuild/remote-apis, version 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .address import Address
from .channel import Gone
from .content_storage import MOST_CALLS, ContentStorage
from .message import API, COMMAND, DIRECTORY, ENTRY_OUTPUT, INLINE, ActionResult, WireDigest, action_of, message_digest
from .patience import Wait
from .store import Fault, Fetched, Transport
from .wire import WireError


class ReapiTransport(Transport):
    """A server of the Remote Execution API, over one channel."""

    def __init__(self, address: Address) -> None:
        self._storage = ContentStorage(address)

    def fetch(self, keys: Sequence[str], wait: Wait) -> Fetched:
        """Ask for the results of all keys at once, then for the contents that did not come with them, in batches."""
        values: dict[str, bytes] = {}
        faults: list[Fault] = []
        answers = 0
        try:
            self._storage.capabilities(wait)  # first: an unsuitable server is not asked for anything else
            named: dict[str, WireDigest] = {}
            actions = [message_digest(action_of(key)).encoded() for key in keys]
            requests = [self._storage.request((2, action), (5, ENTRY_OUTPUT.encode())) for action in actions]
            for key, data in zip(keys, self._call("GetActionResult", requests, wait), strict=True):
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
                    named[key] = result.digest
            contents, lost = self._storage.read(named.values(), wait)
            faults += lost
            for key, digest in named.items():
                if digest in contents:
                    values[key] = contents[digest]
                else:
                    answers += 1
        except Gone as gone:
            faults.append(gone.fault)
        return Fetched(values, answers + len(values), faults)

    def send(self, items: Mapping[str, bytes], wait: Wait) -> Sequence[Fault]:
        """Send the contents that the server lacks, actions included, then the results that name them."""
        faults: list[Fault] = []
        try:
            if not self._storage.capabilities(wait).accepts_results:
                return [Fault("it accepts no results from this machine", final=True)]
            actions = {key: action_of(key) for key in items}
            blobs = {message_digest(data): data for data in (COMMAND, DIRECTORY, *actions.values(), *items.values())}
            failed, lost = self._storage.write(blobs, wait)
            faults += lost
            updates: list[bytes] = []
            for key, value in items.items():
                digest, action = message_digest(value), message_digest(actions[key])
                if digest not in failed and action not in failed:
                    result = ActionResult(digest, value if len(value) <= INLINE else b"").encoded()
                    updates.append(self._storage.request((2, action.encoded()), (3, result)))
            said = self._call("UpdateActionResult", updates, wait)
            faults += [item for item in said if isinstance(item, Fault)]
        except Gone as gone:
            faults.append(gone.fault)
        return faults

    def greet(self, wait: Wait) -> Fault | None:
        """Ask what the server supports."""
        try:
            self._storage.capabilities(wait)
        except Gone as gone:
            return gone.fault
        return None

    def close(self) -> None:
        """Close the channel."""
        self._storage.close()

    def _call(self, method: str, requests: Sequence[bytes], wait: Wait) -> Iterator[bytes | Fault | None]:
        """Call a method of the ActionCache with each request; yield the answers in order."""
        channel = self._storage.channel
        call = channel.unary(f"{API}.ActionCache/{method}")
        for start in range(0, len(requests), MOST_CALLS):
            some = requests[start : start + MOST_CALLS]
            yield from channel.settle([channel.start(call, request) for request in some], wait)
