"""The scratch directory of a build: where it is, and when it is removed."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cratewright.base.errors import OutputError
from cratewright.system import scratch
from cratewright.system.scratch import remove_scratch, scratch_directory, scratch_root


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return directories for scratch files, and reset the scratch state of this process."""
    for name in ("memory", "named", "default"):
        (tmp_path / name).mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "default"))
    monkeypatch.setattr(scratch, "_MEMORY", str(tmp_path / "memory"))
    monkeypatch.setattr(scratch, "_PLENTY", 1)
    monkeypatch.setattr(scratch, "_scratch", scratch._Scratch())
    yield tmp_path
    remove_scratch()


@pytest.mark.parametrize(
    ("variable", "room", "place"),
    [("", 1, "memory"), ("TMPDIR", 1, "named"), ("TEMP", 1, "named"), ("", 1 << 60, "default")],
)
def test_scratch_is_in_memory_if_there_is_room(
    places: Path, monkeypatch: pytest.MonkeyPatch, variable: str, room: int, place: str
) -> None:
    if variable:
        monkeypatch.setenv(variable, str(places / "named"))
        monkeypatch.setattr(tempfile, "tempdir", str(places / "named"))
    monkeypatch.setattr(scratch, "_PLENTY", room)
    with scratch_directory() as directory:
        assert directory.parent.parent == places / place
        (directory / "x").write_text("x")
    assert not directory.exists() and directory.parent.exists()
    remove_scratch()
    assert os.listdir(places / place) == []


def test_only_scratch_of_dead_builds_is_removed(places: Path) -> None:
    memory, uid = places / "memory", os.getuid()
    for name in ("dead", "live", "moved"):
        (memory / f"cratewright-{uid}-{name}").mkdir()
        (memory / f"cratewright-{uid}-{name}/x").touch()
        (memory / f"cratewright-{uid}-{name}.lock").touch()
    for name in (f"cratewright-{uid}-no-lock", f"cratewright-{uid + 1}-other", "somebody"):
        (memory / name).mkdir()
    (memory / f"cratewright-{uid + 1}-other.lock").touch()
    (places / "precious").mkdir()
    (places / "precious/x").touch()
    (memory / f"cratewright-{uid}-link").symlink_to(places / "precious")
    (memory / f"cratewright-{uid}-link.lock").touch()
    (memory / f"cratewright-{uid}-trap.lock").symlink_to(places / "precious/x")
    os.mkfifo(memory / f"cratewright-{uid}-pipe.lock")
    with open(memory / f"cratewright-{uid}-live.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        own = os.path.basename(scratch_root())
        left = {name.removeprefix(f"cratewright-{uid}-") for name in os.listdir(memory) if not name.startswith(own)}
    assert left >= {
        "live",
        "live.lock",
        "no-lock",
        "trap.lock",
        "pipe.lock",
        f"cratewright-{uid + 1}-other",
        "somebody",
    }
    assert not left & {"dead", "dead.lock", "moved", "moved.lock"}
    assert (places / "precious/x").exists()


def test_missing_temporary_directory_is_reported(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_PLENTY", 1 << 60)
    (places / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(places / "file"))
    with pytest.raises(OutputError, match="no scratch file can be made"), scratch_directory():
        pass
