"""File access: atomic writes, reading, digests and removal."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cratewright.base.errors import FormatError, OutputError
from cratewright.system import fs
from cratewright.system.fs import FileDigests, digest_file, read_bytes, remove, write_atomic, write_if_changed

SITE = str(Path(fs.__file__).parents[2])


def test_write_creates_directories_and_replaces_files(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    write_atomic(str(path), b"one")
    write_atomic(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["b"]


def test_mode_follows_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "f"
    code = (
        f"import os, sys; os.umask(0o027); sys.path.insert(0, {SITE!r})\n"
        f"from cratewright.system.fs import write_atomic; write_atomic({str(path)!r}, b'x')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_write_over_a_directory_fails(tmp_path: Path) -> None:
    (tmp_path / "f" / "inner").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"cannot write .*f") as caught:
        write_atomic(str(tmp_path / "f"), b"x")
    assert "Is a directory" in str(caught.value)
    assert os.listdir(tmp_path) == ["f"]


def test_write_below_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(OutputError, match="cannot write"):
        write_atomic(str(tmp_path / "f" / "g"), b"x")
    assert (tmp_path / "f").read_bytes() == b"old"


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OutputError, match="File too large"):
            write_atomic(str(path), b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_write_if_changed_keeps_the_time_of_an_equal_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert write_if_changed(str(path), b"one")
    os.utime(path, ns=(1, 1))
    assert not write_if_changed(str(path), b"one")
    assert path.stat().st_mtime_ns == 1
    assert write_if_changed(str(path), b"two")
    assert path.stat().st_mtime_ns != 1


def test_read_and_its_errors(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    assert read_bytes(str(tmp_path / "f")) == b"x"
    with pytest.raises(FormatError, match=r"cannot read source .*nothing") as caught:
        read_bytes(str(tmp_path / "nothing"), role="source")
    assert caught.value.context == (("reason", "No such file or directory"),)
    with pytest.raises(FormatError, match="cannot read file"):
        read_bytes(str(tmp_path))


def test_digest_of_files_directories_and_loops(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    assert (digest_file(str(tmp_path / "f")) or "").startswith("e3b0c442")
    assert digest_file(str(tmp_path / "nothing")) is None
    assert digest_file(str(tmp_path)) == "directory"
    (tmp_path / "loop").symlink_to("loop")
    assert digest_file(str(tmp_path / "loop")) == "unreadable" == FileDigests(str(tmp_path)).digest("loop")


def test_remove_files_only(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    remove(str(tmp_path / "f"))
    remove(str(tmp_path / "f"))
    assert os.listdir(tmp_path) == []
    (tmp_path / "d" / "e").mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot remove"):
        remove(str(tmp_path / "d"))


def test_prune_removes_empty_directories(tmp_path: Path) -> None:
    (tmp_path / "d" / "empty" / "deep").mkdir(parents=True)
    (tmp_path / "d" / "full").mkdir()
    (tmp_path / "d" / "full" / "f").write_bytes(b"")
    fs.prune_directory(str(tmp_path / "d"))
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["d", "full", "f"]
    fs.prune_directory(str(tmp_path / "nothing"))


def _age(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def test_unchanged_file_is_digested_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fs, "is_recent", lambda found: False)
    reads: list[str] = []
    monkeypatch.setattr(fs, "digest_file", lambda path: reads.append(path) or digest_file(path))
    (tmp_path / "f").write_bytes(b"one")
    _age(tmp_path / "f")
    digests = FileDigests(str(tmp_path))
    assert digests.digest("f") == digests.digest("f") == digest_file(str(tmp_path / "f"))
    assert len(reads) == 1
    (tmp_path / "f").write_bytes(b"two")
    _age(tmp_path / "f")  # same size and time: only the content differs
    assert digests.digest("f") == digest_file(str(tmp_path / "f"))
    assert digests.digest("nothing") is None and digests.digest(".") == "directory"
    (tmp_path / "f").unlink()
    assert digests.digest("f") is None


def test_recently_written_file_is_digested_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"one")
    digests = FileDigests(str(tmp_path))
    monkeypatch.setattr(fs, "file_stamp", lambda found: [0])  # a stamp that never changes
    before = digests.digest("f")
    (tmp_path / "f").write_bytes(b"two")
    assert digests.digest("f") != before
