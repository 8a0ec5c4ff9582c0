"""The cache: hits that are right, misses for everything else, and never an error.

Knows nothing of any real backend.
"""

from __future__ import annotations

import os
import pickle
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from cratewright import testing
from cratewright.cache.entry import (
    RecompileError,
    World,
    deserialize_entry,
    serialize_compiled,
    serialize_entry,
    try_finish_recompile,
)
from cratewright.cache.key import code_digest, compute_cache_key
from cratewright.cache.store import DirectoryStore, NoStore, open_store
from cratewright.digest import content_digest
from cratewright.module import CompiledUnit, ModuleCodegen, Observed
from cratewright.options import Options
from cratewright.pipeline.engine import Engine, Job, JobOutcome
from cratewright.registry import Registry
from cratewright.request import Artifact, LinkResult
from cratewright.stencil import UnitStencil

KEY = content_digest(b"a key")
OTHER = content_digest(b"another key")
UNIT = CompiledUnit(modules=(ModuleCodegen(name=".o", data=b"data"),))


def _files(path: Path) -> list[Path]:
    return [file for file in sorted(path.rglob("*")) if file.is_file()]


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path / "store"))
    assert store.get(KEY) is None
    store.insert(KEY, b"value")
    assert store.get(KEY) == b"value"
    assert store.get(OTHER) is None
    store.insert(KEY, b"")
    assert store.get(KEY) == b""
    assert DirectoryStore(str(tmp_path / "store")).get(KEY) == b""


def test_every_damage_is_a_miss(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path))
    store.insert(KEY, b"value")
    (file,) = _files(tmp_path)
    data = file.read_bytes()
    for position in range(len(data)):
        file.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        assert store.get(KEY) is None
        file.write_bytes(data[:position])
        assert store.get(KEY) is None
    for foreign in (b"", data + b"x", b"\0" * len(data), zlib.compress(data)):
        file.write_bytes(foreign)
        assert store.get(KEY) is None
    store.insert(KEY, b"again")
    assert store.get(KEY) == b"again"


def test_the_entry_of_another_key_is_a_miss(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path))
    store.insert(OTHER, b"other")
    (file,) = _files(tmp_path)
    place = tmp_path / KEY[:1] / KEY[1:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(file.read_bytes())
    assert store.get(KEY) is None


def test_a_store_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = DirectoryStore(str(tmp_path / "file"))
    store.insert(KEY, b"value")
    assert store.get(KEY) is None
    (tmp_path / "store" / KEY[:1] / KEY[1:]).mkdir(parents=True)
    store = DirectoryStore(str(tmp_path / "store"))
    store.insert(KEY, b"value")
    assert store.get(KEY) is None


def test_no_store() -> None:
    store = NoStore()
    store.insert(KEY, b"value")
    assert store.get(KEY) is None


def test_settings(tmp_path: Path) -> None:
    assert isinstance(open_store("off", "x"), NoStore)
    for setting, default in (("", str(tmp_path)), (str(tmp_path), "elsewhere")):
        store = open_store(setting, default)
        store.insert(KEY, setting.encode())
        assert DirectoryStore(str(tmp_path)).get(KEY) == setting.encode()


class _Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("echo evil",))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        pickle.dumps(_Evil()),
        pickle.dumps(os.system),
        pickle.dumps({"a": 1}),
        pickle.dumps(None),
        pickle.dumps(Observed("a", None)),
        serialize_compiled(UNIT)[:-3],
        b"(lp0\n" * 1000,
    ],
    ids=range(9),
)
def test_what_is_no_result_is_refused(data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RecompileError):
        try_finish_recompile(data)
    assert deserialize_entry(data) == ()
    assert "evil" not in capfd.readouterr().out


@pytest.mark.parametrize("rows", [3, (3,), ((3, 4),), (((3,), b""),), ((("a",), b""),), (((Observed("a", "b"),), 5),)])
def test_an_entry_of_another_shape_holds_nothing(rows: object) -> None:
    assert deserialize_entry(pickle.dumps(rows)) == ()


def test_results_and_entries_come_back() -> None:
    result = LinkResult(artifacts=(Artifact("p", b"d"),), report="{}", diagnostics=("w",))
    assert try_finish_recompile(serialize_compiled(result)) == result
    worlds = (World((Observed("a", "b"), Observed("c", None)), b"one"), World((), b"two"))
    assert deserialize_entry(serialize_entry(worlds)) == worlds
    assert deserialize_entry(None) == ()


def test_keys() -> None:
    assert compute_cache_key("a", "salt", 1) == compute_cache_key("a", "salt", 1)
    keys = {compute_cache_key(*words) for words in (("a", "s", 1), ("b", "s", 1), ("a", "t", 1), ("a", "s", 2))}
    assert len(keys) == 4


def test_the_digest_of_code(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place / "sub").mkdir(parents=True)
        (tmp_path / place / "a.py").write_text("a")
        (tmp_path / place / "sub" / "b.py").write_text("b")
    (tmp_path / "two" / "notes.txt").write_text("no code")
    first = code_digest(str(tmp_path / "one"))
    assert code_digest(str(tmp_path / "two")) == first
    code_digest.cache_clear()
    (tmp_path / "one" / "sub" / "b.py").write_text("c")
    assert code_digest(str(tmp_path / "one")) != first
    assert code_digest(str(tmp_path / "one" / "a.py")) != first


class Recorded(testing.StubBackend):
    """The stub, counting what it compiles; no worker can import it under this name."""

    compiled: Sequence[str] = ()

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and take note."""
        Recorded.compiled = [*Recorded.compiled, stencil.path]
        return super().compile_codegen_unit(stencil)


Recorded.__module__ = "nowhere"
OPTIONS = Options((("defines", ()), ("include_dirs", ("first", "second"))))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Give an engine over an empty project, whose backend runs in this process."""
    registry = Registry()
    registry.register(testing)
    monkeypatch.setattr(registry, "backend", lambda name: Recorded)
    Recorded.compiled = ()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    return Engine(str(tmp_path), registry, {})


def _compile(engine: Engine, source: bytes, path: str = "a.stub") -> JobOutcome:
    stencil = UnitStencil(backend="stub", fingerprint="1", target="text", path=path, source=source, options=OPTIONS)
    return engine.run_cached("stub", "text", "compile_codegen_unit", [Job(stencil, path)])[0]


def _data(outcome: JobOutcome) -> bytes:
    assert isinstance(outcome.result, CompiledUnit), outcome.error
    return outcome.result.modules[0].data


def test_a_hit_compiles_nothing(engine: Engine) -> None:
    first = _compile(engine, b"export a\n")
    second = _compile(engine, b"export a\n")
    assert (first.hit, second.hit) == (False, True)
    assert first.result == second.result
    assert list(Recorded.compiled) == ["a.stub"]
    assert not _compile(engine, b"export b\n").hit


def test_a_failure_is_not_kept(engine: Engine) -> None:
    for _ in range(2):
        outcome = _compile(engine, b"error no\n")
        assert not outcome.hit and "a.stub:1: error: no" in str(outcome.error)
    assert len(Recorded.compiled) == 2


def test_a_file_that_changes_appears_and_goes(engine: Engine) -> None:
    root = Path(engine.root)
    source = b"include x.inc\n"
    (root / "second" / "x.inc").write_text("export second\n")
    assert _data(_compile(engine, source)) == b"export second\n"
    assert _compile(engine, source).hit
    (root / "second" / "x.inc").write_text("export again\n")
    changed = _compile(engine, source)
    assert not changed.hit and _data(changed) == b"export again\n"
    # A path that was looked for in vain is there now, and hides the other.
    (root / "first" / "x.inc").write_text("export first\n")
    shadowed = _compile(engine, source)
    assert not shadowed.hit and _data(shadowed) == b"export first\n"
    # What is behind it does not matter any more.
    (root / "second" / "x.inc").unlink()
    assert _compile(engine, source).hit
    (root / "first" / "x.inc").unlink()
    assert "cannot find 'x.inc'" in str(_compile(engine, source).error)
    (root / "second" / "x.inc").write_text("export second\n")
    back = _compile(engine, source)
    assert back.hit and _data(back) == b"export second\n"


def test_worlds_are_bounded(engine: Engine) -> None:
    for number in range(20):
        (Path(engine.root) / "x.inc").write_text(f"export x{number}\n")
        assert _data(_compile(engine, b"include x.inc\n")) == f"export x{number}\n".encode()
    (file,) = _files(Path(engine.root) / ".crate-cache")
    assert file.stat().st_size < 10_000


def test_a_damaged_cache_compiles_again(engine: Engine) -> None:
    _compile(engine, b"export a\n")
    for file in _files(Path(engine.root) / ".crate-cache"):
        file.write_bytes(b"damaged")
    outcome = _compile(engine, b"export a\n")
    assert not outcome.hit and _data(outcome) == b"export a\n"
    assert _compile(engine, b"export a\n").hit


def test_an_entry_that_holds_no_result_compiles_again(engine: Engine) -> None:
    _compile(engine, b"export a\n")
    (file,) = _files(Path(engine.root) / ".crate-cache")
    key = file.parent.name + file.name
    for rows in (((), b"junk"),), (((5,), b""),), "text", ((), pickle.dumps(_Evil())):
        engine.store.insert(key, pickle.dumps(rows))
        outcome = _compile(engine, b"export a\n")
        assert not outcome.hit and _data(outcome) == b"export a\n"


def test_a_link_result_never_passes_for_a_unit(engine: Engine) -> None:
    """Kinds of results have keys of their own."""
    stencil = UnitStencil(backend="s", fingerprint="", target="", path="", source=b"", options=OPTIONS)
    assert compute_cache_key("link", "", stencil) != compute_cache_key("compile_codegen_unit", "", stencil)
