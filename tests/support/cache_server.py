"""A remote cache with Bazel's HTTP layout in this process, with faults on demand."""

from __future__ import annotations

import contextlib
import http.server
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from .cache_handler import FAULTS, CacheHandler

__all__ = ["FAULTS", "CacheServer", "faulty_server", "running", "serving"]


class CacheServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A server that keeps uploads in `kept`, by path; `fault` is one of `FAULTS`, or empty.

    Shape: `lookups` and `uploads` are their paths, in order.
    Units: `ahead` is how far its clock is ahead, in seconds.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CacheHandler)
        self.kept: dict[str, bytes] = {}
        self.lookups: list[str] = []
        self.uploads: list[str] = []
        self.fault = self.authorization = ""
        self.count = self.connections = self.ahead = 0
        self.began = time.monotonic()
        self.lock = threading.Lock()
        self.over = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that hang up."""

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """The URL of its cache."""
        return f"http://127.0.0.1:{self.port}/ci"


@contextlib.contextmanager
def serving(certificate: Path | None = None) -> Iterator[CacheServer]:
    """Run a server, with TLS if there is a certificate (with its key)."""
    server = CacheServer()
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with running(server):
        yield server


@contextlib.contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    """Run a server; its attribute `over` is set at the end, to free handlers that hang."""
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield
    finally:
        over: threading.Event = server.over  # type: ignore[attr-defined]
        over.set()
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def faulty_server(fault: str, kept: Mapping[str, bytes]) -> Iterator[CacheServer]:
    """Run a server with some contents and a fault."""
    with serving() as server:
        server.kept, server.fault = dict(kept), fault
        yield server
