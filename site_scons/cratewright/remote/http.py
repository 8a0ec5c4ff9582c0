"""Bazel's remote cache over HTTP: results below `/ac/`, contents below `/cas/`, each by its SHA-256.

Source: https://bazel.build/remote/caching, "HTTP caching protocol".
"""

from __future__ import annotations

import http.client
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from .address import Address
from .gathering import Answers, Gathered, fetched, gather
from .message import INLINE, LARGEST, ActionResult, action_of, message_digest
from .patience import Wait
from .proxy import netloc
from .store import Fault, Fetched, Transport
from .wire import WireError

__all__ = ["HttpTransport"]

_READERS = 16
_WRITERS = 4
_CONNECT = 3.0
"""Seconds in which a working server accepts a connection."""
_CHUNK = 1 << 18
_LARGEST_RESULT = 4 << 20
_ASKED_FIRST = 1 << 20
"""Size in bytes above which asking whether a server has them is worth a request."""
_MISSING = (404, 410)
_DENIED = {401: "it requires credentials", 403: "it refuses access", 407: "a proxy requires credentials"}


class _Refused(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class HttpTransport(Transport):
    """A server of Bazel's layout, by connections that are kept."""

    def __init__(self, address: Address) -> None:
        self._address = address
        door = _Door(address)
        self._readers = _Crew(door, _READERS)
        self._writers = _Crew(door, _WRITERS)

    def fetch(self, keys: Sequence[str], wait: Wait) -> Fetched:
        """Ask for many keys side by side."""
        return fetched(keys, self._readers.run([_get(key, wait) for key in keys], wait))

    def ready(self) -> None:
        """Start all threads that write."""
        self._writers.hire(_WRITERS)

    def send(self, items: Mapping[str, bytes], wait: Wait) -> Sequence[Fault]:
        """Put values side by side, contents before the results that name them."""
        return self._writers.run([_put(key, value, wait) for key, value in items.items()], wait)[1]

    def greet(self, wait: Wait) -> Fault | None:
        """Ask for something that is not there."""

        def ask(connection: _Connection) -> bytes:
            connection.exchange("HEAD", f"/ac/{message_digest(b'').hash}", wait=wait)
            return b""

        return next(iter(self._readers.run([ask], wait)[1]), None)

    def close(self) -> None:
        """Close all connections."""
        self._readers.close()
        self._writers.close()


def _get(key: str, wait: Wait) -> Callable[[_Connection], bytes | None]:
    def work(connection: _Connection) -> bytes | None:
        data = connection.exchange("GET", f"/ac/{message_digest(action_of(key)).hash}", most=_LARGEST_RESULT, wait=wait)
        if data is None:
            return None
        try:
            result = ActionResult.read(data)
        except WireError as error:
            raise _Refused(Fault(f"its entry is not a result: {error}")) from error
        if result.contents or not result.digest.size:
            return result.contents
        data = connection.exchange("GET", f"/cas/{result.digest.hash}", most=result.digest.size, wait=wait)
        if data is not None and message_digest(data) != result.digest:
            raise _Refused(Fault("contents with another digest than requested"))
        return data

    return work


def _put(key: str, value: bytes, wait: Wait) -> Callable[[_Connection], bytes | None]:
    def work(connection: _Connection) -> bytes | None:
        digest = message_digest(value)
        inline = len(value) <= INLINE
        if not inline:
            path = f"/cas/{digest.hash}"
            if len(value) < _ASKED_FIRST or connection.exchange("HEAD", path, wait=wait) is None:
                connection.exchange("PUT", path, value, wait=wait)
        result = ActionResult(digest, value if inline else b"").encoded()
        return connection.exchange("PUT", f"/ac/{message_digest(action_of(key)).hash}", result, wait=wait)

    return work


_Work = Callable[["_Connection"], "bytes | None"]


class _Crew:
    """Threads with a connection each, as many as there was work for at a time."""

    def __init__(self, door: _Door, most: int) -> None:
        self._door = door
        self._most = most
        self._work: queue.SimpleQueue[tuple[int, _Work, Answers] | None] = queue.SimpleQueue()
        self._connections: list[_Connection] = []
        self._lock = threading.Lock()
        self._open = 0
        self._closed = False

    def run(self, works: Sequence[_Work], wait: Wait) -> Gathered:
        """Do all of some work; return what came of it by number, and what went wrong."""
        answers: Answers = Answers()
        with self._lock:
            self._open += len(works)
            wanted = self._open
        for number, work in enumerate(works):
            self._work.put((number, work, answers))
        self.hire(wanted)
        return gather(answers, len(works), wait, lambda: self._closed)

    def close(self) -> None:
        """Let go of the connections; whoever waits for one is told."""
        self._closed = True
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            self._work.put(None)
            connection.cut()

    def hire(self, wanted: int) -> None:
        """Have so many threads, as far as there may be."""
        with self._lock:
            while len(self._connections) < min(self._most, wanted) and not self._closed:
                connection = _Connection(self._door)
                thread = threading.Thread(target=self._serve, args=(connection,), name="cratewright cache", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no more threads: those that there are do the work, or the wait ends
                    return
                self._connections.append(connection)

    def _serve(self, connection: _Connection) -> None:
        while (item := self._work.get()) is not None:
            number, work, answers = item
            data: bytes | None = None
            fault: Fault | None = None
            try:
                data = work(connection) if not self._closed else None
            except _Refused as error:
                fault = error.fault
            except Exception as error:  # whatever a server brings about here
                fault = Fault(f"{type(error).__name__}: {error}")
            with self._lock:
                self._open -= 1
            answers.put((number, data, fault))
        connection.cut()


class _Door:
    """What all connections to a server are opened by."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Return who is trusted; reading the system's certificates takes a while, so they are read once.

        Raises: _Refused.
        """
        with self._lock:
            try:
                if self._context is None:
                    self._context = ssl.create_default_context(cafile=self.address.ca or None)
                    if self.address.certificate:
                        self._context.load_cert_chain(self.address.certificate)
            except (OSError, ValueError) as error:
                words = f"CRATE_CACHE_CA or CRATE_CACHE_CERT cannot be used: {error}"
                raise _Refused(Fault(words, final=True)) from error
            return self._context


class _Connection:
    """A connection to a server, opened when it is needed and again when it was lost."""

    def __init__(self, door: _Door) -> None:
        self._door = door
        self._address = door.address
        self._headers = {"user-agent": "cratewright", "accept-encoding": "identity", **dict(door.address.headers)}
        self._prefix = door.address.path
        if door.address.proxy is not None and not door.address.secure:
            # Such a proxy is asked for a whole URL.
            self._prefix = f"http://{netloc(door.address.host, door.address.port)}{door.address.path}"
            self._headers.update(door.address.proxy.headers)
        self._client: http.client.HTTPConnection | None = None

    def exchange(
        self, method: str, path: str, body: bytes | None = None, *, most: int = LARGEST, wait: Wait
    ) -> bytes | None:
        """Return what the server has for a path, None for nothing.

        Raises: _Refused.
        """
        for again in (True, False):
            kept = self._client is not None
            try:
                return self._exchange(method, path, body, most, wait)
            except _Refused:
                self.cut()
                raise
            except (http.client.HTTPException, OSError) as error:
                self.cut()
                # A server may hang up on a connection that nothing was said on for a while.
                if not (kept and again) or isinstance(error, TimeoutError):
                    raise _Refused(Fault(_words(error))) from error
        raise AssertionError

    def _exchange(self, method: str, path: str, body: bytes | None, most: int, wait: Wait) -> bytes | None:
        client = self._client or self._connect(wait)
        if client.sock is not None:
            client.sock.settimeout(max(wait.left, 0.01))
        headers, content = self._headers, None
        if body is not None:
            headers = {**headers, "content-type": "application/octet-stream", "content-length": str(len(body))}
            content = _pieces(body, wait)
        client.request(method, f"{self._prefix}{path}", content, headers)
        response = client.getresponse()
        data = bytearray()
        while response.status == 200 and method == "GET":
            piece = response.read1(min(_CHUNK, most + 1 - len(data)))
            if not piece:
                break
            data += piece
            wait.came(len(piece))
            if len(data) > most:
                raise _Refused(Fault("it sends more than was requested"))
        if response.length and response.status == 200 and method == "GET":
            raise http.client.IncompleteRead(bytes(data), response.length)
        for _ in range(2):  # what a page says beside an error is read, or else it would come before the next answer
            if not response.isclosed():
                response.read(_CHUNK)
        if response.will_close or not response.isclosed():
            self.cut()
        return bytes(data) if _is_there(method, response) else None

    def _connect(self, wait: Wait) -> http.client.HTTPConnection:
        address, seconds = self._address, max(min(wait.left, _CONNECT), 0.01)
        proxy = address.proxy
        host, port = (address.host, address.port) if proxy is None else (proxy.host, proxy.port)
        if address.secure:
            context = self._door.context()
            client: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=seconds, context=context
            )
            if proxy is not None:
                client.set_tunnel(address.host, address.port, proxy.headers)
        else:
            client = http.client.HTTPConnection(host, port, timeout=seconds)
        # Cut by another thread it would open itself again for the next request, and nobody would close it.
        client.auto_open = 0
        try:
            client.connect()
        except (OSError, ValueError) as error:
            client.close()
            raise _Refused(Fault(f"no connection: {_words(error)}", final=True)) from error
        self._client = client
        return client

    def cut(self) -> None:
        """Close it, also while another thread waits for an answer."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, AttributeError):
                client.sock.shutdown(socket.SHUT_RDWR)
            client.close()


def _pieces(body: bytes, wait: Wait) -> Iterator[memoryview]:
    """Yield a body in pieces, each of which is worth some of the wait once it is sent."""
    whole = memoryview(body)
    for start in range(0, len(whole), _CHUNK):
        piece = whole[start : start + _CHUNK]
        yield piece
        wait.came(len(piece))


def _is_there(method: str, response: http.client.HTTPResponse) -> bool:
    """Say whether an answer is one, and not that there is nothing.

    Raises: _Refused for any other.
    """
    status = response.status
    if status in ((200,) if method != "PUT" else (200, 201, 202, 204)):
        return True
    if status in _MISSING and method != "PUT":
        return False
    words = f"{method} was answered with {status} {response.reason}"
    if status in _DENIED:
        raise _Refused(Fault(f"{_DENIED[status]} ({words})", final=True))
    if 300 <= status < 400:
        raise _Refused(Fault(f"it redirects: {words}, {response.headers.get('location', '')}", final=True))
    # What a server may do better next time, or with another value.
    raise _Refused(Fault(words, final=status not in (400, 408, 413, 429) and status < 500))


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
