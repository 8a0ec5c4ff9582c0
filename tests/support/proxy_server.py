"""A proxy in this process that forwards everything to one server, whatever host is requested."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

__all__ = ["ProxyServer", "serving_proxy"]


class ProxyServer:
    """Records the first line and the credentials of each connection in `requests`; `status` can refuse tunnels."""

    def __init__(self, target: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._target = target
        self.requests: list[tuple[str, str]] = []
        self.status = b"200 OK"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Accept no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near:
            head = b""
            while b"\r\n\r\n" not in head:
                head += near.recv(1 << 16) or b"\r\n\r\n"
            lines = head.decode("latin-1").split("\r\n")
            credentials = [line.partition(": ")[2] for line in lines if line.lower().startswith("proxy-authorization:")]
            self.requests.append((lines[0], credentials[0] if credentials else ""))
            with socket.create_connection(("127.0.0.1", self._target)) as far:
                if lines[0].startswith("CONNECT"):
                    near.sendall(b"HTTP/1.1 " + self.status + b"\r\ncontent-length: 0\r\n\r\n")
                    if not self.status.startswith(b"200"):
                        return
                else:
                    far.sendall(head)
                threading.Thread(target=_pump, args=(far, near), daemon=True).start()
                _pump(near, far)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def serving_proxy(target: int) -> Iterator[ProxyServer]:
    """Run a proxy that forwards to a port of this machine."""
    server = ProxyServer(target)
    try:
        yield server
    finally:
        server.close()
