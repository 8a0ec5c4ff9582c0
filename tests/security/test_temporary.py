"""Private directories in the shared temporary directory, where others may have planted something."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cratewright.system.fs import make_private


def _link(path: Path) -> None:
    (path.parent / "theirs").mkdir(mode=0o700)
    path.symlink_to("theirs")


def _writable_by_all(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def _readable_by_group(path: Path) -> None:
    path.mkdir()
    path.chmod(0o750)


def _file(path: Path) -> None:
    path.touch(0o600)


def _dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("plant", [_link, _dangling_link, _writable_by_all, _readable_by_group, _file])
def test_unsafe_directory_is_not_used(tmp_path: Path, plant: Callable[[Path], None]) -> None:
    plant(tmp_path / "cratewright")
    assert not make_private(str(tmp_path / "cratewright"))


def test_own_directory_is_used(tmp_path: Path) -> None:
    path = tmp_path / "cratewright"
    for _ in range(2):
        assert make_private(str(path))
    assert path.stat().st_mode & 0o777 == 0o700
    assert not make_private(str(tmp_path / "none" / "cratewright"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's directory")
def test_directory_of_another_user_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "cratewright"
    path.mkdir(mode=0o700)
    os.chown(path, 12345, 12345)
    assert not make_private(str(path))


def test_zig_cache_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = pytest.importorskip("cratewright_native.toolchains.choose")
    (tmp_path / "home").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ours = tmp_path / f"cratewright-{os.getuid()}"
    assert choose._cache("1") == str(ours / "zig-1") and ours.stat().st_mode & 0o777 == 0o700
    ours.rmdir()
    (tmp_path / "theirs").mkdir()
    ours.symlink_to("theirs")
    assert not choose._cache("1").startswith(str(tmp_path / "theirs"))
    assert not choose._cache("1").startswith(str(ours / ""))
