"""A short run of kills and corruptions of a store; `tests/bench/cache_faults.py` runs more."""

from __future__ import annotations

from pathlib import Path

from tests.support.cache_faults import corrupt_and_build, kill_and_build


def test_killed_builds(tmp_path: Path) -> None:
    assert "killed" in kill_and_build(tmp_path, kills=6, builds=3)


def test_corrupted_store(tmp_path: Path) -> None:
    assert corrupt_and_build(tmp_path, times=150).startswith("150 corruptions")
