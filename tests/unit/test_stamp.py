"""File stamps: any later change is detected if the file was old enough when it was stamped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cratewright.base import stamp


def test_change_within_a_clock_tick_is_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are rewritten as fast as possible, and every change is detected."""
    monkeypatch.setattr(stamp, "_FINE_NS", 0)
    path = tmp_path / "f"
    young = old = 0
    while old < 5 and young < 20_000:
        path.write_bytes(b"1")
        for _ in range(young % 300):
            found, moment = path.stat(), stamp.clock_ns()
        found, moment = path.stat(), stamp.clock_ns()
        if not stamp.is_older(found, moment):
            young += 1
            continue
        old += 1
        path.write_bytes(b"2")
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
        assert stamp.file_stamp(path.stat()) != stamp.file_stamp(found)
    assert young


@pytest.mark.parametrize(("ctime", "age", "old"), [(7, 99, False), (7, 100, True), (0, 1999, False), (0, 2000, True)])
def test_required_age_depends_on_the_timestamp_resolution(ctime: int, age: int, old: bool) -> None:
    begin = 1_700_000_000_000_000_000 + ctime
    found = os.stat_result(
        (0, 0, 0, 0, 0, 0, 0, 0, begin / 1e9, begin / 1e9), {"st_mtime_ns": begin, "st_ctime_ns": begin}
    )
    assert stamp.is_older(found, begin + age * 1_000_000) == old
