"""Stores on servers: Bazel's remote cache over HTTP, the Remote Execution API over gRPC, and buckets.

Imported only by builds whose `CRATE_CACHE` has such a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..cache.store import CacheKvStore
from .address import BUCKETS, SCHEMES, read_address, read_pairs

if TYPE_CHECKING:
    from .execution import Executor


def open_remote_store(url: str, environ: Mapping[str, str]) -> CacheKvStore | None:
    """Return the store of a URL, None for an unknown scheme.

    Raises: ConfigurationError for an invalid URL or setting, or a missing library.
    """
    scheme = url.partition("://")[0]
    if scheme not in (*SCHEMES, *BUCKETS):
        return None
    from .store import RemoteStore, Transport  # noqa: PLC0415 - as the package itself

    transport: Transport
    if scheme in BUCKETS:
        from .bucket import BucketTransport  # noqa: PLC0415 - asyncio takes a while to import

        return RemoteStore(BucketTransport(url, environ), url)
    address = read_address(url, environ)
    if address.scheme in ("http", "https"):
        from .http import HttpTransport  # noqa: PLC0415

        transport = HttpTransport(address)
    else:
        from .reapi import ReapiTransport  # noqa: PLC0415 - gRPC takes a tenth of a second to import

        transport = ReapiTransport(address)
    return RemoteStore(transport, address.shown)


def open_executor(url: str, environ: Mapping[str, str], *, jobs: int, timeout: float) -> Executor:
    """Return the executor that runs programs on a server's machines.

    Units: `timeout` in seconds, for one program.
    Raises: ConfigurationError for an invalid URL or setting, or a missing library.
    """
    from .execution import Executor  # noqa: PLC0415 - gRPC takes a tenth of a second to import

    platform = read_pairs("CRATE_REMOTE_PLATFORM", environ)
    address = read_address(url, environ, "CRATE_REMOTE")
    return Executor(address, platform=platform, jobs=jobs, timeout=timeout)
