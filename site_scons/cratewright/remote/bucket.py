"""Buckets of S3, Google Cloud Storage and Azure: an object for each entry, through the library `obstore`.

That library reads the credentials from the provider's own settings, such as `AWS_ACCESS_KEY_ID`.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from typing import Any

from ..base.errors import ConfigurationError
from ..base.printable import shown_url
from .address import SCHEMES, read_file
from .gathering import Answers, Gathered, fetched, gather
from .message import LARGEST
from .patience import Wait
from .store import Fault, Fetched, Transport

_FORMS = {"s3": "s3://BUCKET/PATH", "gs": "gs://BUCKET/PATH", "az": "az://CONTAINER/PATH"}
_PREFIXES = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}
"""Prefixes of a provider's own settings."""
_OTHERS = ("CRATE_CACHE_TOKEN", "CRATE_CACHE_AUTH", "CRATE_CACHE_HEADERS", "CRATE_CACHE_CERT")
_URL = re.compile(r"(s3|gs|az)://[a-z0-9$][a-z0-9._-]+(/[\w.=+-]+)*/?", re.ASCII)
_ELSEWHERE = re.compile(rf"(?:^|[\s,])(?:{'|'.join(map(re.escape, SCHEMES))})://")
"""A place other than a bucket in CRATE_CACHE."""
_AT_ONCE = 32
_CLIENT = {"connect_timeout": "3s", "timeout": "120s"}
"""Bounds once nothing waits any more."""
_RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}
_ENDING = 2.0
"""The most seconds for cancelling running work."""
_PROBE = "cratewright"
_REASONS = (
    (re.compile(r"NoSuchBucket|ContainerNotFound|bucket does not exist", re.I), "there is no such bucket"),
    (
        re.compile(r"InvalidAccessKeyId|SignatureDoesNotMatch|AuthorizationHeaderMalformed|ExpiredToken"),
        "it refuses access",
    ),
)
_SETTINGS = re.compile(r"builder error|metadata|credential", re.I)
_CONNECTION = re.compile(r"error trying to connect|connection refused|dns error|error sending request", re.I)
_Work = Callable[[], Coroutine[Any, Any, "bytes | None"]]


class BucketTransport(Transport):
    """One bucket, or a path in it.

    Raises: ConfigurationError for an invalid URL or setting, or if `obstore` is missing.
    """

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        scheme = url.partition("://")[0]
        if not _URL.fullmatch(url) or "/./" in f"{url}/" or "/../" in f"{url}/":
            raise ConfigurationError(
                f"CRATE_CACHE names '{shown_url(url)}', which is not a bucket",
                context=(("form", _FORMS[scheme]),),
                hint="credentials and server come from the provider's own settings, such as AWS_ACCESS_KEY_ID",
            )
        _refuse_settings(url, environ)
        try:
            import obstore  # noqa: PLC0415 - an extra
            from obstore import exceptions, store  # noqa: PLC0415
        except ImportError as error:
            raise ConfigurationError(
                f"CRATE_CACHE names '{url}', for which the library obstore is missing",
                context=(("reason", error),),
                hint="pip install 'cratewright[buckets]'",
            ) from error
        self._library: Any = obstore
        self._errors: Any = exceptions
        self._make: Any = store.from_url
        self._url = url.rstrip("/")
        self._prefix = _PREFIXES[scheme]
        self._ca = read_file("CRATE_CACHE_CA", environ)
        self._bucket: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False

    def fetch(self, keys: Sequence[str], wait: Wait) -> Fetched:
        """Fetch many objects in parallel."""

        async def get(key: str) -> bytes | None:
            try:
                found = await self._library.get_async(self._bucket, key)
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None
            if found.meta["size"] > LARGEST:
                raise ValueError("an object that is too large to be an entry")
            data = bytearray()
            async for piece in found.stream():
                data += piece
                wait.came(len(piece))
            return bytes(data)

        return fetched(keys, self._run([partial(get, key) for key in keys], wait))

    def send(self, items: Mapping[str, bytes], wait: Wait) -> Sequence[Fault]:
        """Upload many objects in parallel."""

        async def put(key: str, value: bytes) -> bytes | None:
            await self._library.put_async(self._bucket, key, value)
            wait.came(len(value), 1)
            return None

        return self._run([partial(put, *item) for item in items.items()], wait)[1]

    def greet(self, wait: Wait) -> Fault | None:
        """Request a missing object, to test the connection."""
        return next(iter(self.fetch([_PROBE], wait).faults), None)

    def ready(self) -> None:
        """Start the thread that does all work; a bucket that cannot be opened fails when it is used."""
        with self._lock:
            if self._loop is None and not self._closed:
                loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_serve, args=(loop,), name="cratewright cache", daemon=True)
                self._thread.start()
                self._loop = loop

    def close(self) -> None:
        """Cancel everything still running: the library must not call into a Python that has exited."""
        with self._lock:
            self._closed, loop, self._loop = True, self._loop, None
            thread, self._thread = self._thread, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            if thread is not threading.current_thread():
                thread.join(_ENDING)

    def _run(self, works: Sequence[_Work], wait: Wait) -> Gathered:
        answers: Answers = Answers()
        started: list[Future[None]] = []
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int, work: _Work) -> None:
            try:
                async with gate:
                    answers.put((number, await work(), None))
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # any failure; a panic of Rust is not an Exception
                answers.put((number, None, self._fault(error)))

        try:
            self._open()
        except Exception as error:  # the library has many reasons why a bucket cannot be opened
            return {}, [Fault(_words(error), final=True)]
        loop = self._loop
        if loop is None:
            return {}, [Fault("closed", final=True)]
        try:
            started = [asyncio.run_coroutine_threadsafe(one(*item), loop) for item in enumerate(works)]
            return gather(answers, len(works), wait, lambda: self._closed)
        except RuntimeError:  # the loop was closed meanwhile
            return {}, [Fault("closed", final=True)]
        finally:
            for future in started:
                future.cancel()

    def _open(self) -> None:
        self.ready()
        with self._lock:
            if self._bucket is None:
                # Given options, the library ignores this variable.
                plain = os.environ.get(f"{self._prefix}_ALLOW_HTTP", "").lower() == "true"
                client: dict[str, object] = {**_CLIENT, "allow_http": plain}
                if self._ca:
                    with open(self._ca, "rb") as file:
                        client["root_certificate"] = file.read()
                self._bucket = self._make(self._url, client_options=client, retry_config=_RETRIES)

    def _fault(self, error: BaseException) -> Fault:
        text = str(error)
        for form, words in _REASONS:
            if form.search(text):
                return Fault(f"{words} ({_words(error)})", final=True)
        if isinstance(error, (self._errors.PermissionDeniedError, self._errors.UnauthenticatedError)):
            return Fault(f"it refuses access ({_words(error)})", final=True)
        if isinstance(error, FileNotFoundError):  # of what is put
            return Fault(f"there is no such bucket ({_words(error)})", final=True)
        if _SETTINGS.search(text):
            return Fault(f"it cannot be reached with the settings {self._prefix}_...: {_words(error)}", final=True)
        if _CONNECTION.search(text):
            return Fault(f"no connection: {_words(error)}", final=True)
        return Fault(_words(error))


def _refuse_settings(url: str, environ: Mapping[str, str]) -> None:
    """Refuse settings of other kinds of servers if no such server is used.

    Raises: ConfigurationError.
    """
    others = _ELSEWHERE.search(environ.get("CRATE_CACHE", ""))
    for name in _OTHERS:
        if environ.get(name) and not others:
            raise ConfigurationError(
                f"{name} is set, but does not apply to the bucket '{url}'",
                hint="a bucket uses the provider's own settings, such as AWS_ACCESS_KEY_ID",
            )


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped, then cancel its tasks."""
    try:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    finally:
        loop.close()


def _words(error: BaseException) -> str:
    """Return the first paragraph of an error; the library's internals follow it."""
    return " ".join(str(error).partition("\n\n")[0].split()) or type(error).__name__
