"""A store on the tests' HTTP server, and results to fill it with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cratewright.cache.results import ResultCache
from cratewright.cache.store import CacheKvStore
from cratewright.remote.address import read_address
from cratewright.remote.http import HttpTransport
from cratewright.remote.message import INLINE
from cratewright.remote.store import RemoteStore
from cratewright.values.module import CompiledUnit, ModuleCodegen
from tests.support.cache_server import CacheServer, serving

PLENTY = 30.0
"""Seconds within which any working server answers."""


def key_for(word: object) -> str:
    """Return a key for a word."""
    return hashlib.sha256(str(word).encode()).hexdigest()


def result_of(word: object, size: int) -> CompiledUnit:
    """Return a unit of `size` bytes."""
    return CompiledUnit(modules=(ModuleCodegen(name="m", data=str(word).encode().ljust(size, b".")),), observed=())


RESULTS = {key_for(number): result_of(number, INLINE * 2 if number % 2 else 100) for number in range(8)}


def open_at(server: CacheServer, patience: float = PLENTY, **environ: str) -> RemoteStore:
    """Open a store on a server."""
    return RemoteStore(HttpTransport(read_address(server.url, environ)), server.url, patience)


def fill(store: CacheKvStore, results: Mapping[str, CompiledUnit]) -> None:
    """Store results, and close the store."""
    cache = ResultCache(store, lambda path: None)
    for key, result in results.items():
        cache.keep(key, result)
    store.close()


def found_in(store: CacheKvStore, keys: Mapping[str, object]) -> dict[str, object]:
    """Return the results found in a store, by key."""
    answers = ResultCache(store, lambda path: None).find(list(keys))
    return {key: answer.result for key, answer in zip(keys, answers, strict=True) if answer.result is not None}


def kept_by_a_build() -> dict[str, bytes]:
    """Return the contents of a correct server after a build stored RESULTS, by path."""
    with serving() as server:
        fill(open_at(server), RESULTS)
        return dict(server.kept)
