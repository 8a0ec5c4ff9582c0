"""Bazel's remote cache over HTTP: results below `/ac/`, contents below `/cas/`, each by its SHA-256.

Source: https://bazel.build/remote/caching, "HTTP caching protocol".
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence

from .address import Address
from .gathering import Answers, Gathered, fetched, gather
from .http_connection import HttpConnection, ServerAccess
from .message import INLINE, ActionResult, action_of, message_digest
from .patience import Wait
from .store import Fault, Fetched, ServerError, Transport
from .wire import WireError

_READERS = 16
_WRITERS = 4
_LARGEST_RESULT = 4 << 20
_ASKED_FIRST = 1 << 20
"""Bytes of contents from which on it is worth asking first whether the server has them."""


class HttpTransport(Transport):
    """A server with Bazel's layout, over persistent connections."""

    def __init__(self, address: Address) -> None:
        self._address = address
        access = ServerAccess(address)
        self._readers = _Threads(access, _READERS)
        self._writers = _Threads(access, _WRITERS)

    def fetch(self, keys: Sequence[str], wait: Wait) -> Fetched:
        """Ask for many keys concurrently."""
        return fetched(keys, self._readers.run([_get(key, wait) for key in keys], wait))

    def ready(self) -> None:
        """Start all writing threads."""
        self._writers.start(_WRITERS)

    def send(self, items: Mapping[str, bytes], wait: Wait) -> Sequence[Fault]:
        """Put values concurrently, contents before the results that name them."""
        return self._writers.run([_put(key, value, wait) for key, value in items.items()], wait)[1]

    def greet(self, wait: Wait) -> Fault | None:
        """Ask for something that does not exist."""

        def ask(connection: HttpConnection) -> bytes:
            connection.exchange("HEAD", f"/ac/{message_digest(b'').hash}", wait=wait)
            return b""

        return next(iter(self._readers.run([ask], wait)[1]), None)

    def close(self) -> None:
        """Close all connections."""
        self._readers.close()
        self._writers.close()


def _get(key: str, wait: Wait) -> Callable[[HttpConnection], bytes | None]:
    def work(connection: HttpConnection) -> bytes | None:
        data = connection.exchange("GET", f"/ac/{message_digest(action_of(key)).hash}", most=_LARGEST_RESULT, wait=wait)
        if data is None:
            return None
        try:
            result = ActionResult.read(data)
        except WireError as error:
            raise ServerError(f"its entry is not a result: {error}") from error
        if result.contents or not result.digest.size:
            return result.contents
        data = connection.exchange("GET", f"/cas/{result.digest.hash}", most=result.digest.size, wait=wait)
        if data is not None and message_digest(data) != result.digest:
            raise ServerError("contents with another digest than requested")
        return data

    return work


def _put(key: str, value: bytes, wait: Wait) -> Callable[[HttpConnection], bytes | None]:
    def work(connection: HttpConnection) -> bytes | None:
        digest = message_digest(value)
        inline = len(value) <= INLINE
        if not inline:
            path = f"/cas/{digest.hash}"
            if len(value) < _ASKED_FIRST or connection.exchange("HEAD", path, wait=wait) is None:
                connection.exchange("PUT", path, value, wait=wait)
        result = ActionResult(digest, value if inline else b"").encoded()
        return connection.exchange("PUT", f"/ac/{message_digest(action_of(key)).hash}", result, wait=wait)

    return work


_Work = Callable[[HttpConnection], bytes | None]


class _Threads:
    """Threads with a connection each, started as work comes in."""

    def __init__(self, access: ServerAccess, most: int) -> None:
        self._access = access
        self._most = most
        self._work: queue.SimpleQueue[tuple[int, _Work, Answers] | None] = queue.SimpleQueue()
        self._connections: list[HttpConnection] = []
        self._lock = threading.Lock()
        self._open = 0
        self._closed = False

    def run(self, works: Sequence[_Work], wait: Wait) -> Gathered:
        """Do some pieces of work; return their results by number, and what went wrong."""
        answers: Answers = Answers()
        with self._lock:
            self._open += len(works)
            wanted = self._open
        for number, work in enumerate(works):
            self._work.put((number, work, answers))
        self.start(wanted)
        return gather(answers, len(works), wait, lambda: self._closed)

    def close(self) -> None:
        """Close the connections; those who wait for an answer are told."""
        self._closed = True
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            self._work.put(None)
            connection.cut()

    def start(self, wanted: int) -> None:
        """Start threads until there are as many as wanted, or allowed."""
        with self._lock:
            while len(self._connections) < min(self._most, wanted) and not self._closed:
                connection = HttpConnection(self._access)
                thread = threading.Thread(target=self._serve, args=(connection,), name="cratewright cache", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no more threads: the others do the work, or the wait ends
                    return
                self._connections.append(connection)

    def _serve(self, connection: HttpConnection) -> None:
        while (item := self._work.get()) is not None:
            number, work, answers = item
            data: bytes | None = None
            fault: Fault | None = None
            try:
                data = work(connection) if not self._closed else None
            except ServerError as error:
                fault = error.fault
            except Exception as error:  # a server may cause any of them
                fault = Fault(f"{type(error).__name__}: {error}")
            with self._lock:
                self._open -= 1
            answers.put((number, data, fault))
        connection.cut()
