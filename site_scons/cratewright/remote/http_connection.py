"""A connection to an HTTP server, opened when it is needed and again when it was lost."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress

from .address import Address
from .message import LARGEST
from .patience import Wait
from .proxy import netloc
from .store import ServerError

_CONNECT = 3.0
"""Seconds in which a working server accepts a connection."""
_CHUNK = 1 << 18
_MISSING = (404, 410)
_DENIED = {401: "it requires credentials", 403: "it refuses access", 407: "a proxy requires credentials"}


class ServerAccess:
    """What the connections to one server share: its address, and whom they trust."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Return whom to trust; the system's certificates are read once, since that is slow.

        Raises: ServerError.
        """
        with self._lock:
            try:
                if self._context is None:
                    self._context = ssl.create_default_context(cafile=self.address.ca or None)
                    if self.address.certificate:
                        self._context.load_cert_chain(self.address.certificate)
            except (OSError, ValueError) as error:
                words = f"CRATE_CACHE_CA or CRATE_CACHE_CERT cannot be used: {error}"
                raise ServerError(words, final=True) from error
            return self._context


class HttpConnection:
    """A connection to a server, opened when it is needed and again when it was lost."""

    def __init__(self, access: ServerAccess) -> None:
        self._access = access
        self._address = access.address
        self._headers = {"user-agent": "cratewright", "accept-encoding": "identity", **dict(access.address.headers)}
        self._prefix = access.address.path
        if access.address.proxy is not None and not access.address.secure:
            # Such a proxy expects a whole URL.
            self._prefix = f"http://{netloc(access.address.host, access.address.port)}{access.address.path}"
            self._headers.update(access.address.proxy.headers)
        self._client: http.client.HTTPConnection | None = None

    def exchange(
        self, method: str, path: str, body: bytes | None = None, *, most: int = LARGEST, wait: Wait
    ) -> bytes | None:
        """Return what the server has at a path, None if nothing.

        Raises: ServerError.
        """
        for again in (True, False):
            kept = self._client is not None
            try:
                return self._exchange(method, path, body, most, wait)
            except ServerError:
                self.cut()
                raise
            except (http.client.HTTPException, OSError) as error:
                self.cut()
                # A server may close a connection that was idle for a while.
                if not (kept and again) or isinstance(error, TimeoutError):
                    raise ServerError(_words(error)) from error
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
                raise ServerError("it sends more than was requested")
        if response.length and response.status == 200 and method == "GET":
            raise http.client.IncompleteRead(bytes(data), response.length)
        for _ in range(2):  # read the body of an error, or it would precede the next answer
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
            context = self._access.context()
            client: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=seconds, context=context
            )
            if proxy is not None:
                client.set_tunnel(address.host, address.port, proxy.headers)
        else:
            client = http.client.HTTPConnection(host, port, timeout=seconds)
        # After `cut` in another thread it would reconnect for the next request, and nobody would close it.
        client.auto_open = 0
        try:
            client.connect()
        except (OSError, ValueError) as error:
            client.close()
            raise ServerError(f"no connection: {_words(error)}", final=True) from error
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
    """Yield a body in pieces, each of which extends the wait once it is sent."""
    whole = memoryview(body)
    for start in range(0, len(whole), _CHUNK):
        piece = whole[start : start + _CHUNK]
        yield piece
        wait.came(len(piece))


def _is_there(method: str, response: http.client.HTTPResponse) -> bool:
    """Return whether the server has it.

    Raises: ServerError for any answer but yes and no.
    """
    status = response.status
    if status in ((200,) if method != "PUT" else (200, 201, 202, 204)):
        return True
    if status in _MISSING and method != "PUT":
        return False
    words = f"{method} was answered with {status} {response.reason}"
    if status in _DENIED:
        raise ServerError(f"{_DENIED[status]} ({words})", final=True)
    if 300 <= status < 400:
        raise ServerError(f"it redirects: {words}, {response.headers.get('location', '')}", final=True)
    # Not final if another try, or another value, may succeed.
    raise ServerError(words, final=status not in (400, 408, 413, 429) and status < 500)


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
