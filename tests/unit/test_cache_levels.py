"""Stacked stores, from near to far: filling of nearer levels, and the mode of each level."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.cache.database import EmbeddedStore
from cratewright.cache.level import Level
from cratewright.cache.results import ResultCache
from cratewright.cache.stack import StackedStore
from cratewright.cache.usage import Usage, note_usage, read_usage
from cratewright.pipeline.cache_settings import cache_places, read_own_cache, read_store
from cratewright.pipeline.settings import read_remote
from cratewright.plugins.registry import Registry
from cratewright.values.module import CompiledUnit, ModuleCodegen, Observed
from tests.support.memory_store import MemoryStore
from tests.support.paths import source_paths

KEY = hashlib.sha256(b"key").hexdigest()


def _unit(word: str, digest: str = "") -> CompiledUnit:
    observed = (Observed("a.glsl", digest),) if digest else ()
    return CompiledUnit(modules=(ModuleCodegen(name="m", data=word.encode()),), observed=observed)


def _stack(*modes: str) -> tuple[StackedStore, list[MemoryStore]]:
    stores = [MemoryStore() for _ in modes]
    levels = [
        Level(store, f"level {number}", reads="r" in mode, writes="w" in mode)
        for number, (store, mode) in enumerate(zip(stores, modes, strict=True))
    ]
    return StackedStore(levels), stores


def test_hit_fills_nearer_levels() -> None:
    stack, (near, middle, far) = _stack("rw", "rw", "rw")
    ResultCache(far, lambda path: None).keep(KEY, _unit("a"))
    cache = ResultCache(stack, lambda path: None)
    assert cache.find([KEY])[0].result == _unit("a")
    assert near == middle == far and len(near) == 1
    far.clear()
    assert cache.find([KEY, KEY])[1].result == _unit("a")
    usage = [(level.usage.hits, level.usage.misses) for level in stack.levels]
    assert usage == [(1, 1), (0, 1), (1, 0)]


@pytest.mark.parametrize(("modes", "expected"), [(("rw", "r"), (1, 0)), (("r", "w"), (0, 1)), (("r", "r"), (0, 0))])
def test_level_is_written_as_its_mode_allows(modes: tuple[str, ...], expected: tuple[int, ...]) -> None:
    stack, stores = _stack(*modes)
    ResultCache(stack, lambda path: None).keep(KEY, _unit("a"))
    assert tuple(map(len, stores)) == expected


def test_write_only_level_is_not_read() -> None:
    stack, (near, far) = _stack("rw", "w")
    ResultCache(far, lambda path: None).keep(KEY, _unit("a"))
    assert ResultCache(stack, lambda path: None).find([KEY])[0].result is None and not near


def test_far_level_may_have_the_matching_alternative() -> None:
    """The near level has an entry for the key, but for another state of the files."""
    stack, (near, far) = _stack("rw", "rw")
    ResultCache(near, lambda path: None).keep(KEY, _unit("one", "1"))
    ResultCache(far, lambda path: None).keep(KEY, _unit("two", "2"))
    now = "2"
    cache = ResultCache(stack, lambda path: now)
    assert cache.find([KEY])[0].result == _unit("two", "2")
    # The near level keeps its own alternative.
    far.clear()
    for now, word in (("1", "one"), ("2", "two")):
        assert cache.find([KEY])[0].result == _unit(word, now)
    now = "3"
    found = cache.find([KEY])[0]
    assert found.result is None
    cache.keep(KEY, _unit("three", "3"), found)
    for now, word in (("1", "one"), ("2", "two"), ("3", "three")):
        assert cache.find([KEY])[0].result == _unit(word, now)


def test_damaged_entry_does_not_hide_one_of_a_farther_level() -> None:
    stack, (near, far) = _stack("rw", "rw")
    near[KEY] = b"junk"
    ResultCache(far, lambda path: None).keep(KEY, _unit("a"))
    assert ResultCache(stack, lambda path: None).find([KEY])[0].result == _unit("a")
    assert near == far


def test_parse_cache_places() -> None:
    assert cache_places("") == (".crate-cache",)
    assert cache_places("a, b") == ("a", "b")
    assert cache_places("a,http://x") == ("a", "http://x")
    assert cache_places("a, b\n") == ("a, b",)
    assert cache_places("a, b\nhttp://x") == ("a, b", "http://x")
    assert cache_places("/with space/and,comma") == ("/with space/and,comma",)
    assert cache_places("http://x,  grpc+unix:///s") == ("http://x", "grpc+unix:///s")
    for wrong in ("a, ", "a, off", "off, a", "a, a", ", a"):
        with pytest.raises(ConfigurationError):
            cache_places(wrong)


def test_parse_cache_modes(tmp_path: Path) -> None:
    def modes(cache: str, mode: str) -> list[tuple[bool, bool]]:
        store = read_store({"CRATE_CACHE": cache, "CRATE_CACHE_MODE": mode}, str(tmp_path), Registry())
        return [(level.reads, level.writes) for level in store.levels if isinstance(level, Level)]

    assert isinstance(read_store({"CRATE_CACHE": "a"}, str(tmp_path), Registry()), EmbeddedStore)
    assert modes("a", "read") == [(True, False)]
    assert modes("a, b", "") == [(True, True)] * 2
    assert modes("a, b", "read") == [(True, False)] * 2
    assert modes("a, b", "read-write, read") == [(True, True), (True, False)]
    assert modes("a, b", "read,write") == [(True, False), (False, True)]
    for wrong in ("read, read, read", "read,", "reed"):
        with pytest.raises(ConfigurationError):
            modes("a, b", wrong)
    with pytest.raises(ConfigurationError, match="2 words for 1 place"):
        modes("a", "read, read")
    assert read_remote({}) == ("", 16)
    assert read_remote({"CRATE_REMOTE": "grpc://farm:8980", "CRATE_REMOTE_JOBS": "64"}) == ("grpc://farm:8980", 64)
    for wrong in (
        {"CRATE_REMOTE": "http://farm"},
        {"CRATE_REMOTE": "farm:8980"},
        {"CRATE_REMOTE": "grpc+unix://run/farm"},
        {"CRATE_REMOTE": "grpc://farm:8980", "CRATE_REMOTE_JOBS": "0"},
        {"CRATE_REMOTE": "grpc://farm:8980", "CRATE_REMOTE_JOBS": "many"},
        {"CRATE_REMOTE_JOBS": "4"},
        {"CRATE_REMOTE_PLATFORM": "a=b"},
        {"CRATE_REMOTE_MODE": "mix"},
        {"CRATE_REMOTE": "grpc://farm:8980", "CRATE_REMOTE_MODE": "race"},
        {"CRATE_REMOTE": "grpc://farm:8980", "CRATE_REMOTE_CODE": "installed"},
        {"CRATE_REMOTE": "grpc://farm:8980", "CRATE_REMOTE_PYTHON": "/p", "CRATE_REMOTE_CODE": "here"},
    ):
        with pytest.raises(ConfigurationError, match="CRATE_REMOTE"):
            read_remote(wrong)


def test_report_counts_hits_and_misses_by_level(tmp_path: Path) -> None:
    environ = {"CRATE_CACHE": "near, far"}
    for _ in range(2):
        store = read_store(environ, str(tmp_path), Registry())
        cache = ResultCache(store, lambda path: None)
        if cache.find([KEY])[0].result is None:
            cache.keep(KEY, _unit("a"))
        store.close()
    rows = dict(read_store(environ, str(tmp_path), Registry()).report().rows)
    assert (rows["1 level"], rows["1 hits"], rows["1 misses"]) == ("near", "1 (50 %)", "1")
    assert (rows["2 level"], rows["2 hits"], rows["2 misses"]) == ("far", "0 (0 %)", "1")
    # With read-only access, usage is not recorded.
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    store = read_store(environ | {"CRATE_CACHE_MODE": "read"}, str(tmp_path), Registry())
    assert store.get(KEY) is not None
    store.close()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_usage_file_is_bounded_and_tolerates_damage(tmp_path: Path) -> None:
    for _ in range(3000):
        note_usage(str(tmp_path), {"near": Usage(1, 2, 3, 0.5)})
    assert (tmp_path / "usage.jsonl").stat().st_size < 70_000
    assert read_usage(str(tmp_path)) == {"near": Usage(3000, 6000, 9000, 1500.0)}
    junk = b'[1]\n["a", 1, 2, 3]\n["a", -1, 2, 3, 4]\n["a", true, 2, 3, 4]\n{"a": 1}\n\xff\n["a", 1, 1, 1, "nan"]\n'
    (tmp_path / "usage.jsonl").write_bytes(junk + b"[" * 5000 + b'\n["b", 1, 1, 1, 1]\n')
    assert read_usage(str(tmp_path))["b"] == Usage(1, 1, 1, 1.0)
    (tmp_path / "usage.jsonl").unlink()
    (tmp_path / "usage.jsonl").symlink_to(tmp_path / "elsewhere")
    note_usage(str(tmp_path), {"near": Usage(1)})
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "usage.jsonl").unlink()
    os.mkfifo(tmp_path / "usage.jsonl")
    note_usage(str(tmp_path), {"near": Usage(1)})
    assert read_usage(str(tmp_path)) == {}


def test_local_cache_imports_no_remote_modules(tmp_path: Path) -> None:
    script = f"""
import sys
from cratewright.pipeline.cache_settings import read_store
from cratewright.plugins.registry import Registry
for setting in ("one", "one, two"):
    store = read_store({{"CRATE_CACHE": setting}}, {str(tmp_path)!r}, Registry())
    store.get("0" * 64)
    store.insert("0" * 64, b"x")
    store.close()
print([name for name in sys.modules if "remote" in name or name in ("http.client", "ssl", "grpc")])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(source_paths())},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[]\n"


def test_directory_of_the_workers_own_cache() -> None:
    """The nearest directory that is read and written; none with CRATE_CACHE_VERIFY: its hits are not compared."""

    def own(**given: str) -> tuple[str, int]:
        return read_own_cache({f"CRATE_CACHE{name}": text for name, text in given.items()}, "/p")

    assert own()[0] == "/p/.crate-cache" and own(_SIZE="1G") == ("/p/.crate-cache", 1 << 30)
    assert own(**{"": "/a, /b", "_MODE": "read, read-write"})[0] == "/b"
    assert own(**{"": "http://x, b"})[0] == "/p/b"
    for nothing in ({"": "off"}, {"": "http://x"}, {"_MODE": "read"}, {"_MODE": "write"}, {"_VERIFY": "1"}):
        assert own(**nothing) == ("", 0)
