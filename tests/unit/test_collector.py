"""The garbage collector's thresholds, and its last run at exit."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from cratewright.scons import collector


@pytest.fixture
def calls_made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record calls of `gc.freeze` and `atexit.register`; restore the thresholds."""
    calls: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: calls.append("frozen"))
    monkeypatch.setattr(collector.atexit, "register", lambda call: calls.append(call.__name__))
    before = gc.get_threshold()
    yield calls
    gc.set_threshold(*before)


def test_collection_is_rare_and_skipped_at_exit(calls_made: list[str]) -> None:
    gc.set_threshold(700, 10, 10)
    collector.collect_seldom()
    assert gc.get_threshold()[0] == 50_000
    collector._leave_all()
    assert calls_made == ["_leave_all", "frozen"]


def test_thresholds_set_before_are_kept(calls_made: list[str]) -> None:
    gc.set_threshold(1_000, 10, 10)
    collector.collect_seldom()
    assert gc.get_threshold() == (1_000, 10, 10)
    assert calls_made == []


def test_thresholds_set_later_keep_the_collection_at_exit(calls_made: list[str]) -> None:
    gc.set_threshold(700, 10, 10)
    collector.collect_seldom()
    gc.set_threshold(700, 10, 10)
    collector._leave_all()
    assert calls_made == ["_leave_all"]
