"""Pipes, devices and impossible paths never make a reader wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from cratewright.cache.results import ResultCache
from cratewright.rules.output_name import state_path
from cratewright.system.fs import FileDigests, digest_file, read_regular
from cratewright.values.module import CompiledUnit, ModuleCodegen, Observed
from tests.support.memory_store import MemoryStore

KEY = "0" * 64


_Answer = TypeVar("_Answer")


def _in_time(work: Callable[[], _Answer]) -> _Answer:
    found: list[_Answer] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(5)
    assert found, "still waiting after 5 s"
    return found[0]


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "/dev/random", "/dev/tty", "a\0b", "x" * 5000, "link to a pipe"])
def test_digest_of_special_file_is_none(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link to a pipe").symlink_to("pipe")
    digests = FileDigests(str(tmp_path))
    assert _in_time(lambda: digests.digest(kind)) is None
    assert _in_time(lambda: (digest_file(os.path.join(tmp_path, kind)), 1)) == (None, 1)


def test_entry_that_names_special_file_is_a_miss(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    store = MemoryStore()
    observed = tuple(Observed(path, "0" * 64) for path in ("/dev/zero", "pipe", "a\0b"))
    for item in observed:
        result = CompiledUnit(modules=(ModuleCodegen(name="", data=b""),), observed=(item,))
        cache = ResultCache(store, FileDigests(str(tmp_path)).digest)
        cache.keep(KEY, result)
        assert _in_time(partial(cache.find, [KEY]))[0].result is None


def test_history_that_is_a_pipe_is_empty(tmp_path: Path) -> None:
    from cratewright.scons.nodes.state import StageState

    target = str(tmp_path / "app")
    path = state_path(target)
    os.mkfifo(path)
    state = StageState("app", digests=FileDigests(str(tmp_path)), target=target, request=lambda: "")
    assert _in_time(state.history) == b""
    with pytest.raises(OSError):
        read_regular(path)


def test_large_file_is_digested_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * 100)
    whole = digest_file(str(tmp_path / "large"))
    monkeypatch.setattr("cratewright.system.fs._LARGE", 1000)
    assert digest_file(str(tmp_path / "large")) == whole
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(1 << 40)
    assert _in_time(lambda: digest_file(str(tmp_path / "holes")))
