"""When Python's own looking for garbage is left as it is."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from cratewright.scons import collector


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return what is frozen; what else the tests have set comes back."""
    calls: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: calls.append("frozen"))
    monkeypatch.setattr(collector.atexit, "register", lambda call: calls.append(call.__name__))
    before = gc.get_threshold()
    yield calls
    gc.set_threshold(*before)


def test_it_is_seldom_and_not_at_the_end(frozen: list[str]) -> None:
    gc.set_threshold(700, 10, 10)
    collector.collect_seldom()
    assert gc.get_threshold()[0] == 50_000
    collector._leave_all()
    assert frozen == ["_leave_all", "frozen"]


def test_thresholds_of_an_sconstruct_stay(frozen: list[str]) -> None:
    gc.set_threshold(1_000, 10, 10)
    collector.collect_seldom()
    assert gc.get_threshold() == (1_000, 10, 10)
    assert frozen == []


def test_thresholds_set_later_keep_the_look_at_the_end(frozen: list[str]) -> None:
    gc.set_threshold(700, 10, 10)
    collector.collect_seldom()
    gc.set_threshold(700, 10, 10)
    collector._leave_all()
    assert frozen == ["_leave_all"]
