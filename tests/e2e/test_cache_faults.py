"""A small dose of what may happen to a store; the whole is `tests/bench/cache_faults.py`."""

from __future__ import annotations

from pathlib import Path

from tests.support.cache_faults import corrupt_and_build, kill_and_build


def test_kills(tmp_path: Path) -> None:
    assert "killed" in kill_and_build(tmp_path, kills=6, builds=3)


def test_corruptions(tmp_path: Path) -> None:
    assert corrupt_and_build(tmp_path, times=150).startswith("150 corruptions")
