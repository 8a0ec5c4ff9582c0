"""Repeating work while its input files change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cratewright.base.errors import ToolError
from cratewright.system.unchanged import changed_ns, repeat_if_changed


def test_repeats_until_nothing_changes() -> None:
    times = iter([2**63, 0])
    assert repeat_if_changed(lambda: ("made", next(times)), "no") == "made"
    with pytest.raises(ToolError, match="keeps changing"):
        repeat_if_changed(lambda: ("made", 2**63), "it keeps changing")


def test_file_with_an_old_timestamp_counts_as_changed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    calls: list[None] = []

    def make() -> tuple[str, int]:
        if not calls:
            path.write_text("new")
            os.utime(path, ns=(1, 1))
        calls.append(None)
        return path.read_text(), changed_ns(path.stat())

    path.write_text("old")
    assert repeat_if_changed(make, "no") == "new" and len(calls) > 1
