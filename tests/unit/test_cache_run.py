"""Cached compilation: hits, misses, damaged entries and failed units."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.cache.entry import seal_entry
from cratewright.cache.key import key_of
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.job import Job
from cratewright.values.module import CompiledUnit
from tests.support.cached_engine import Recorded, compile_source, data_of, stencil_of, unit_call


def test_hit_does_not_compile(engine: Engine) -> None:
    first = compile_source(engine, b"export a\n")
    second = compile_source(engine, b"export a\n")
    assert (first.hit, second.hit) == (False, True)
    assert first.result == second.result
    assert list(Recorded.compiled) == ["a.stub"]
    assert not compile_source(engine, b"export b\n").hit


def test_failure_is_not_cached(engine: Engine) -> None:
    for _ in range(2):
        outcome = compile_source(engine, b"error no\n")
        assert not outcome.hit and "a.stub:1: error: no" in str(outcome.error)
    assert len(Recorded.compiled) == 2


def test_changed_added_and_removed_includes(engine: Engine) -> None:
    root = Path(engine.root)
    source = b"include x.inc\n"
    (root / "second" / "x.inc").write_text("export second\n")
    assert data_of(compile_source(engine, source)) == b"export second\n"
    assert compile_source(engine, source).hit
    (root / "second" / "x.inc").write_text("export again\n")
    changed = compile_source(engine, source)
    assert not changed.hit and data_of(changed) == b"export again\n"
    # A file that was absent now shadows the other.
    (root / "first" / "x.inc").write_text("export first\n")
    shadowed = compile_source(engine, source)
    assert not shadowed.hit and data_of(shadowed) == b"export first\n"
    # The shadowed file no longer matters.
    (root / "second" / "x.inc").unlink()
    assert compile_source(engine, source).hit
    (root / "first" / "x.inc").unlink()
    assert "cannot find 'x.inc'" in str(compile_source(engine, source).error)
    (root / "second" / "x.inc").write_text("export second\n")
    back = compile_source(engine, source)
    assert back.hit and data_of(back) == b"export second\n"


def _damage(engine: Engine) -> None:
    engine.store.close()
    for file in sorted((Path(engine.root) / ".crate-cache").rglob("*")):
        file.write_bytes(b"damaged")


def test_damaged_cache_is_a_miss(engine: Engine) -> None:
    compile_source(engine, b"export a\n")
    _damage(engine)
    outcome = compile_source(engine, b"export a\n")
    assert not outcome.hit and data_of(outcome) == b"export a\n"
    assert compile_source(engine, b"export a\n").hit


def test_entry_without_a_result_is_a_miss(engine: Engine) -> None:
    stencil = stencil_of(b"export a\n", "a.stub")
    key = key_of("compile_codegen_unit", engine.code_digest("stub", "text"), stencil)
    compile_source(engine, b"export a\n")
    whole = engine.store.get(key)
    assert whole is not None
    for entry in (b"", b"junk", whole[:-1], seal_entry(key, b"junk"), seal_entry(key[::-1], b"")):
        engine.store.insert(key, entry)
        outcome = compile_source(engine, b"export a\n")
        assert not outcome.hit and data_of(outcome) == b"export a\n"
    assert compile_source(engine, b"export a\n").hit


def test_other_units_are_cached_when_one_fails(engine: Engine) -> None:
    jobs = [Job(unit_call(source, "a.stub"), "a.stub") for source in (b"export a\n", b"error no\n", b"export b\n")]
    outcomes = engine.run_cached("stub", "text", jobs)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    outcomes = engine.run_cached("stub", "text", jobs)
    assert [outcome.hit for outcome in outcomes] == [True, False, True]


def test_cached_warnings_keep_their_order(engine: Engine) -> None:
    source = b"".join(b"warning w%d\n" % number for number in (3, 1, 2, 1))
    first, second = compile_source(engine, source), compile_source(engine, source)
    assert second.hit and isinstance(second.result, CompiledUnit) and isinstance(first.result, CompiledUnit)
    assert [item.text for item in second.result.diagnostics] == ["w3", "w1", "w2", "w1"]
    assert first.result.diagnostics == second.result.diagnostics


def test_invalid_cache_setting_is_named(engine: Engine) -> None:
    for name, word in (("CRATE_CACHE_VERIFY", "perhaps"), ("CRATE_CACHE_SIZE", "much"), ("CRATE_CACHE_SIZE", "-1")):
        engine.environ, engine._store = {name: word}, None
        with pytest.raises(ConfigurationError, match=name):
            compile_source(engine, b"export a\n")
