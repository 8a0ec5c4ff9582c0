"""The request handler of the tests' HTTP cache, with faults on demand."""

from __future__ import annotations

import contextlib
import http.server
import time
from typing import TYPE_CHECKING

from .bounds import HANG

if TYPE_CHECKING:
    from .cache_server import CacheServer

FAULTS = {
    "get-500": "every lookup fails",
    "put-500": "every upload fails",
    "all-500": "everything fails",
    "all-503": "it is overloaded",
    "all-429": "it receives too many requests",
    "get-401": "it requires credentials",
    "get-403": "it refuses access",
    "put-403": "it is read-only",
    "put-405": "it does not support PUT",
    "put-413": "every value is too large for it",
    "put-507": "it is full",
    "put-full": "it is full after three values",
    "all-404": "there is nothing under its URL",
    "get-301": "it redirects elsewhere",
    "get-302-loop": "it redirects to itself",
    "get-400": "it rejects every request as bad",
    "get-204": "it answers without content",
    "get-206": "it answers with partial content",
    "flip": "one bit of the body is flipped",
    "half": "half of the body is zeros",
    "cut": "half of the body, with the right length",
    "short": "a body shorter than announced",
    "long": "a body longer than announced",
    "other": "the value of another key",
    "junk": "a page of HTML with status 200",
    "empty": "an empty body with status 200",
    "digest": "the digest of something else",
    "no-cas": "contents evicted, results kept",
    "cas-half": "contents that are truncated",
    "cas-flip": "contents that are damaged",
    "cas-500": "contents that fail to load",
    "cas-hang": "contents that never arrive",
    "hang": "no answer",
    "hang-put": "uploads are never answered",
    "hang-head": "HEAD is never answered",
    "drip": "an answer a byte at a time",
    "drip-head": "a header a byte at a time",
    "slow": "each answer takes half a second",
    "die": "it hangs up before the answer",
    "die-middle": "it hangs up in the middle of an answer",
    "die-once": "it hangs up once per connection",
    "die-put": "it hangs up during uploads",
    "die-later": "it dies after a while",
    "reset": "connections are reset",
    "no-http": "it speaks another protocol",
    "bad-status": "an impossible status",
    "huge-head": "an endless header",
    "huge-body": "an endless body",
    "negative": "a negative length",
    "text-length": "a length that is not a number",
    "chunked": "a chunked body, which is valid",
    "bad-chunks": "malformed chunks",
    "gzip": "a body that claims to be compressed",
    "continue": "100 Continue, again and again",
    "close": "a new connection for each answer, which is valid",
    "http-1.0": "HTTP/1.0, which is valid",
    "head-200": "HEAD claims that everything exists",
    "error-page": "a long page with each 404",
    "swap": "the result of one key for every key",
    "late": "it does not answer in its first two seconds",
}
"""Faults of a server, and some unusual but valid answers."""


class CacheHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CacheServer

    def setup(self) -> None:
        super().setup()
        self._requests = 0
        self.server.connections += 1
        if self.server.fault == "http-1.0":
            self.protocol_version = "HTTP/1.0"

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the time by the server's clock."""
        return super().date_time_string(time.time() + self.server.ahead)

    def _answer(self, code: int, body: bytes = b"", length: object = None, **headers: str) -> None:
        self.send_response(code)
        if length != "none":
            self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if self.server.fault == "close":
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _raw(self, data: bytes) -> None:
        self.wfile.write(data)
        self.close_connection = True

    def _faulty(self, fault: str) -> bool:
        """Misbehave before the lookup, if the fault does; return whether that was the answer."""
        server, put = self.server, self.command == "PUT"
        self._requests += 1
        server.count += 1
        if server.authorization and self.headers.get("Authorization") != server.authorization:
            self._answer(401)
            return True
        where, _, code = fault.partition("-")
        if code.isdigit() and (where in ("all", "put" if put else "get") or (where == "cas" and "/cas/" in self.path)):
            location = {"Location": "http://127.0.0.1:1/"} if code == "301" else {}
            self._answer(int(code), b"" if code == "204" else b"<html>no</html>", **location)
        elif fault == "get-302-loop" and not put:
            self._answer(302, Location=self.path)
        elif (
            fault == "hang"
            or (fault == "hang-put" and put)
            or (fault == "hang-head" and self.command == "HEAD")
            or (fault == "cas-hang" and "/cas/" in self.path and not put)
        ):
            server.over.wait(HANG)
            self.close_connection = True
        elif (
            fault in ("die", "reset", "no-http")
            or (fault == "die-put" and put)
            or (fault == "die-later" and server.count > 9)
        ):
            if fault == "reset":
                self.connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER: a reset, not an end
            self._raw(b"SSH-2.0-OpenSSH_9.9\r\n" if fault == "no-http" else b"")
        elif fault == "die-once" and self._requests == 2:
            self._raw(b"")
        elif fault in ("bad-status", "huge-head", "drip-head", "continue"):
            texts = {"bad-status": b"HTTP/1.1 9999999 ?\r\n\r\n", "continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000}
            text = texts.get(fault, b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000)
            for start in range(0, len(text), 1 if fault == "drip-head" else len(text)):
                self.wfile.write(text[start : start + (1 if fault == "drip-head" else len(text))])
                if fault == "drip-head" and server.over.wait(0.2):
                    break
            self.close_connection = True
        else:
            return False
        return True

    def do_GET(self) -> None:
        server, fault = self.server, self.server.fault
        server.lookups.append(self.path)
        if fault == "slow":
            time.sleep(0.5)
        if fault == "late" and time.monotonic() - server.began < 2:
            time.sleep(2)
        if self._faulty(fault):
            return
        path = self.path
        if fault == "swap" and "/ac/" in path:
            path = next((name for name in sorted(server.kept) if "/ac/" in name), path)
        body = server.kept.get(path)
        if fault == "no-cas" and "/cas/" in path:
            body = None
        if fault == "head-200" and self.command == "HEAD":
            body = b""
        if body is None:
            self._answer(404, b"<p>no</p>" * 50_000 if fault == "error-page" else b"")
            return
        self._send(self._altered(path, body))

    def _altered(self, path: str, body: bytes) -> bytes:
        """Return the body, altered by the fault."""
        server, fault, inside = self.server, self.server.fault, "/cas/" in path
        half = len(body) // 2
        if fault == "flip" or (fault == "cas-flip" and inside):
            body = body[:half] + bytes([body[half] ^ 1]) + body[half + 1 :] if body else body
        elif fault == "half":
            body = body[:half] + b"\0" * (len(body) - half)
        elif fault == "cut" or (fault == "cas-half" and inside):
            body = body[:half]
        elif fault == "other":
            body = next(value for name, value in sorted(server.kept.items()) if name != path or len(server.kept) == 1)
        elif fault == "junk":
            body = b"<html>Sign in to the wireless network</html>"
        elif fault == "empty":
            body = b""
        elif fault == "digest" and not inside:
            body = body.replace(b"\x12\x40", b"\x12\x40" + b"0" * 9, 1)[: len(body)]
        return body

    def _send(self, body: bytes) -> None:
        """Answer with the body, as the fault allows."""
        server, fault, half = self.server, self.server.fault, len(body) // 2
        if fault in ("short", "die-middle"):
            self._answer(200, body[:half], len(body))
            self.close_connection = True
        elif fault == "long":
            self._answer(200, body + b"more", len(body))
            self.close_connection = True
        elif fault in ("negative", "text-length"):
            self._answer(200, body, {"negative": -5, "text-length": "many"}[fault])
        elif fault in ("chunked", "bad-chunks"):
            chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if fault == "chunked" else b"zz\r\n" + body
            self._answer(200, chunks, "none", Transfer_Encoding="chunked")
        elif fault == "huge-body":
            self._answer(200, b"", "none", Connection="close")
            while not server.over.is_set():
                self.wfile.write(bytes(1 << 16))
        elif fault == "drip":
            self._answer(200, b"", len(body))
            for byte in body:
                if server.over.wait(0.2):
                    break
                self.wfile.write(bytes([byte]))
            self.close_connection = True
        else:
            self._answer(200, body, **({"Content-Encoding": "gzip"} if fault == "gzip" else {}))

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        body = b"" if self.server.fault == "die-put" else self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.fault == "slow":
            time.sleep(0.5)
        if self._faulty(self.server.fault):
            return
        if self.server.fault == "put-full" and len(self.server.kept) > 2:
            self._answer(507)
            return
        with self.server.lock:
            self.server.kept[self.path] = body
            self.server.uploads.append(self.path)
        self._answer(201)
