"""Stores on servers: Bazel's remote cache over HTTP, the Remote Execution API over gRPC, and buckets.

Imported only by a build whose `CRATE_CACHE` holds a URL of a scheme below.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..cache.store import CacheKvStore
from . import bucket
from .address import SCHEMES, read_address

__all__ = ["SCHEMES", "open_store"]


def open_store(url: str, environ: Mapping[str, str]) -> CacheKvStore | None:
    """Return the store of a URL, None for a scheme of nobody here.

    Raises: ConfigurationError for a URL or settings that mean nothing, or for a library that is missing.
    """
    scheme = url.partition("://")[0]
    if scheme not in (*SCHEMES, *bucket.SCHEMES):
        return None
    from .store import RemoteStore, Transport  # noqa: PLC0415 - as the package itself

    transport: Transport
    if scheme in bucket.SCHEMES:
        return RemoteStore(bucket.BucketTransport(url, environ), url)
    address = read_address(url, environ)
    if address.scheme in ("http", "https"):
        from .http import HttpTransport  # noqa: PLC0415

        transport = HttpTransport(address)
    else:
        from .reapi import ReapiTransport  # noqa: PLC0415 - gRPC takes a tenth of a second to import

        transport = ReapiTransport(address)
    return RemoteStore(transport, address.shown)
