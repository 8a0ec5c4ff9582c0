"""Stores opened by plugins: use, failures, and unknown URLs."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from cratewright import testing
from cratewright.base.errors import PluginError, UnknownNameError
from cratewright.cache.store import CacheKvStore, StoreReport
from cratewright.contract.hookspecs import hookimpl
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.job import Job
from cratewright.plugins.registry import Registry
from tests.support.cached_engine import compile_source, data_of, unit_call


class PluginStore(CacheKvStore):
    """A store in memory whose writes take effect on `flush`."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.waiting: dict[str, bytes] = {}
        self.calls: list[int] = []
        self.broken = False

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return the flushed values."""
        self.calls.append(len(keys))
        if self.broken:
            raise OSError("the network is down")
        return {key: self.kept[key] for key in keys if key in self.kept}

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Queue until `flush`."""
        self.waiting.update(items)

    def flush(self) -> None:
        """Store what is queued."""
        self.kept.update(self.waiting)


@pytest.fixture
def shelf(engine: Engine) -> PluginStore:
    """Register a plugin that opens a store for `shelf://one`; return the store."""
    store = PluginStore()
    plugin = types.ModuleType("shelves")

    @hookimpl
    def cratewright_open_store(url: str) -> CacheKvStore | None:
        return store if url == "shelf://one" else None

    plugin.cratewright_open_store = cratewright_open_store  # type: ignore[attr-defined]
    engine.registry.register(plugin)
    engine.environ = {"CRATE_CACHE": "shelf://one"}
    return store


def test_store_of_a_plugin_is_used(engine: Engine, shelf: PluginStore) -> None:
    jobs = [Job(unit_call(b"export a%d\n" % number, "a.stub"), "a.stub") for number in range(9)]
    for hit in (False, True):
        outcomes = engine.run_cached("stub", "text", jobs)
        assert [outcome.hit for outcome in outcomes] == [hit] * 9
    assert shelf.calls == [9, 9] and len(shelf.kept) == 9
    assert not (Path(engine.root) / ".crate-cache").exists()
    # Damaged bytes are a miss.
    shelf.kept = dict.fromkeys(shelf.kept, b"junk")
    assert not compile_source(engine, b"export a1\n").hit


def test_build_continues_without_a_failed_store(
    engine: Engine, shelf: PluginStore, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.broken = True
    for _ in range(2):
        assert data_of(compile_source(engine, b"export a\n")) == b"export a\n"
    assert shelf.calls == [1]
    assert capsys.readouterr().err == (
        "cratewright: continuing without the cache shelf://one: OSError('the network is down')\n"
    )


def test_maintenance_of_a_store_of_a_plugin(
    engine: Engine, shelf: PluginStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store = engine.store
    store.remove([])
    assert store.report() == StoreReport() and store.collect().rows == (("size", "left to the server"),)
    assert list(store.entries()) == []
    store.close()
    shelf.waiting = {"key": b"value"}
    shelf.flush = lambda: 1 // 0  # type: ignore[assignment, method-assign]
    store.flush()
    assert "continuing without the cache shelf://one: ZeroDivisionError" in capsys.readouterr().err
    store.close()


def test_unknown_url_and_broken_store_are_errors(engine: Engine, shelf: PluginStore) -> None:
    engine.environ = {"CRATE_CACHE": "shelf://two"}
    with pytest.raises(UnknownNameError, match="no plugin opens the cache 'shelf://two'"):
        compile_source(engine, b"export a\n")
    for wrong, message in ((lambda url: 3, "is not a CacheKvStore"), (lambda url: 1 // 0, "cannot be opened")):
        registry, plugin = Registry(), types.ModuleType("wrong")
        registry.register(testing)

        def cratewright_open_store(url: str, wrong: object = wrong) -> object:
            return wrong(url)  # type: ignore[operator]

        plugin.cratewright_open_store = hookimpl(cratewright_open_store)  # type: ignore[attr-defined]
        registry.register(plugin)
        with pytest.raises(PluginError) as caught:
            registry.open_store("wrong://")
        assert message in str(caught.value)
