"""Fixtures that several unit test modules share."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright import cli, testing
from cratewright.pipeline.engine import Engine
from cratewright.plugins.registry import Registry
from tests.support.cached_engine import Recorded
from tests.support.http_store import kept_by_a_build


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return an engine for an empty project; its backend runs in this process."""
    registry = Registry()
    registry.register(testing)
    monkeypatch.setattr(registry, "backend", lambda name: Recorded)
    Recorded.compiled = ()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    return Engine(str(tmp_path), registry, {}, workers=False)


@pytest.fixture
def stub_only(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Restrict the command line to the stub backend."""
    registry = Registry()
    registry.register(testing, origin="for tests")
    monkeypatch.setattr(cli, "default_registry", lambda: registry)
    return registry


@pytest.fixture(scope="session")
def kept() -> dict[str, bytes]:
    """Return what a faultless HTTP server has after a build, by path."""
    return kept_by_a_build()
