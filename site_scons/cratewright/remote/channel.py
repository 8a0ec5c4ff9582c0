"""gRPC calls to a server: started together, waited for within limits, with short error messages.

Requests and responses are bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ..base.errors import ConfigurationError, Interrupted
from .address import Address
from .patience import Wait
from .proxy import netloc
from .store import Fault, ServerError


class Gone(ServerError):
    """The server cannot be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, final=True)


class Channel:
    """A channel to a server, opened on demand.

    Raises: ConfigurationError if gRPC's library is missing.
    """

    def __init__(self, address: Address) -> None:
        try:
            import grpc  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise ConfigurationError(
                f"'{address.shown}' is a gRPC server, and gRPC is not installed",
                context=(("reason", error),),
                hint="pip install 'cratewright[remote]'",
            ) from error
        self._grpc = grpc
        self._address = address
        self._lock = threading.Lock()
        self._channel: Any = None
        self._closed = False

    def close(self) -> None:
        """Close the channel and fail pending calls."""
        with self._lock:
            self._closed, channel = True, self._channel
        if channel is not None:
            channel.close()

    def unary(self, method: str) -> Callable[..., Any]:
        """Return a function that starts a call with one request and one response.

        Raises: Gone.
        """
        return self._opened().unary_unary(method).future  # type: ignore[no-any-return]

    def upload(self, method: str) -> Callable[..., Any]:
        """Return a function that starts a call with a stream of requests and one response.

        Raises: Gone.
        """
        return self._opened().stream_unary(method).future  # type: ignore[no-any-return]

    def stream(self, method: str, request: bytes, wait: Wait) -> Iterator[bytes | Fault | None]:
        """Yield the responses to one request, then the fault, if any.

        Raises: Gone.
        """
        call = self.start(self._opened().unary_stream(method), request)
        over = threading.Event()
        try:
            # The iterator cannot be given a limit, so a thread cancels the call when the wait is over.
            threading.Thread(target=_watch, args=(call, wait, over), daemon=True).start()
            yield from call
        except self._grpc.RpcError as error:
            yield self._fault(error)
        except RuntimeError as error:  # no thread can be started
            raise Gone(f"no thread: {error}") from error
        finally:
            over.set()
            call.cancel()

    def start(self, call: Callable[..., Any], request: object) -> Any:
        """Begin a call.

        Raises: Gone.
        """
        try:
            return call(request, metadata=self._address.headers)
        except ValueError as error:  # the channel was closed meanwhile
            raise Gone("closed") from error
        except RuntimeError as error:  # no thread can be started while Python ends
            raise Gone(f"no thread: {error}") from error

    def settle(self, started: Sequence[Any], wait: Wait) -> list[bytes | Fault | None]:
        """Wait for calls; return each one's response, None if nothing was found, or its fault.

        Raises: Gone.
        """
        answers: list[bytes | Fault | None] = []
        try:
            for call in started:
                answers.append(self._answer(call, wait))
        finally:
            for call in started[len(answers) :]:
                call.cancel()
        return answers

    def _opened(self) -> Any:
        with self._lock:
            if self._closed:
                raise Gone("closed")
            if self._channel is None:
                self._channel = self._connected()
            return self._channel

    def _connected(self) -> Any:
        grpc, address = self._grpc, self._address
        options: list[tuple[str, object]] = [("grpc.max_receive_message_length", 16 << 20), ("grpc.enable_retries", 0)]
        # The library itself would read other environment variables.
        proxy = address.proxy
        options += [("grpc.http_proxy", proxy.url)] if proxy is not None else [("grpc.enable_http_proxy", 0)]
        if address.scheme == "grpc+unix":
            return grpc.insecure_channel(f"unix:{address.path}", options)
        target = netloc(address.host, address.port)
        if not address.secure:
            return grpc.insecure_channel(target, options)
        try:
            roots, own = _content(address.ca), _content(address.certificate)
        except OSError as error:
            raise Gone(f"CRATE_CACHE_CA or CRATE_CACHE_CERT cannot be read: {error}") from error
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(roots, own, own), options)

    def _answer(self, call: Any, wait: Wait) -> bytes | Fault | None:
        while True:
            left = wait.left
            try:
                answer: bytes = call.result(timeout=min(left, 0.2))
                return answer
            except self._grpc.FutureTimeoutError:
                if not left:
                    raise Gone("it does not answer in time") from None
            except self._grpc.FutureCancelledError:
                raise Gone("closed") from None
            except self._grpc.RpcError as error:
                return self._fault(error)

    def _fault(self, error: Any) -> Fault | None:
        """Return a gRPC error as a fault; None if nothing was found.

        Raises: Gone if the server cannot be used.
        """
        code, details = error.code(), error.details() or ""
        words = f"{code.name}: {details}" if details else code.name
        status = self._grpc.StatusCode
        if code is status.NOT_FOUND:
            return None
        if code in (status.UNAUTHENTICATED, status.PERMISSION_DENIED):
            raise Gone(f"it refuses access ({words})")
        if code is status.UNAVAILABLE:
            raise Gone(f"no connection: {details}")
        if code in (status.CANCELLED, status.DEADLINE_EXCEEDED):
            raise Gone("it does not answer in time")
        return Fault(words, final=code is status.UNIMPLEMENTED)


def _watch(stream: Any, wait: Wait, over: threading.Event) -> None:
    try:
        with suppress(Interrupted):  # the waiting thread gets it too
            while not over.wait(0.2) and wait.left:
                pass
    finally:
        if not over.is_set():
            stream.cancel()


def _content(path: str) -> bytes | None:
    if not path:
        return None
    with open(path, "rb") as file:
        return file.read()
