"""Cache entries: round trips, and the rejection of damaged entries and of entries stored under another key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.diagnostic import Diagnostic, RelatedPlace, Severity
from cratewright.base.digest import content_digest
from cratewright.cache.entry import (
    RESULT_KINDS,
    ObservedResult,
    RecompileError,
    RecompileFault,
    decode_alternatives,
    encode_alternatives,
    open_entry,
    result_bytes,
    result_of,
    seal_entry,
)
from cratewright.cache.key import CacheKey
from cratewright.cache.results import ResultCache, damaged_entries, observed_files, without_observed
from cratewright.values.module import CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from cratewright.values.request import Artifact, LinkResult
from tests.support.memory_store import MemoryStore

KEY = content_digest(b"a key")
OTHER = content_digest(b"another key")
UNIT = CompiledUnit(modules=(ModuleCodegen(name=".o", data=b"data"),))
LINK = LinkResult(artifacts=(Artifact("app", b"data"),))
words = st.text(max_size=4)
observed = st.builds(Observed, words, st.none() | words)
symbols = st.builds(Symbol, words, words, words, st.integers(0, 9))

modules = st.builds(
    ModuleCodegen,
    name=words,
    data=st.binary(max_size=20),
    kind=st.sampled_from(ModuleKind),
    exports=st.lists(symbols, max_size=2).map(tuple),
    imports=st.lists(symbols, max_size=2).map(tuple),
    entry_points=st.lists(st.builds(EntryPoint, words, words), max_size=2).map(tuple),
    attributes=st.lists(st.tuples(words, words), max_size=2).map(tuple),
)

places = st.builds(RelatedPlace, words, words, st.integers(0, 9), st.integers(0, 9))

diagnostics = st.lists(
    st.builds(
        Diagnostic,
        severity=st.sampled_from(Severity),
        text=words,
        file=words,
        line=st.integers(0, 9),
        related=st.lists(places, max_size=2).map(tuple),
        rendered=words,
    ),
    max_size=3,
).map(tuple)

units = st.builds(
    CompiledUnit,
    modules=st.lists(modules, min_size=1, max_size=2).map(tuple),
    observed=st.lists(observed, max_size=2).map(tuple),
    diagnostics=diagnostics,
)

links = st.builds(
    LinkResult,
    artifacts=st.lists(st.builds(Artifact, words, st.binary(max_size=9), st.booleans()), max_size=2).map(tuple),
    report=words,
    diagnostics=diagnostics,
    observed=st.lists(observed, max_size=2).map(tuple),
)


@given(units | links | modules)
def test_result_round_trip(result: CompiledUnit | LinkResult | ModuleCodegen) -> None:
    assert result_of(result_bytes(result)) == result


@given(
    st.lists(st.builds(ObservedResult, st.lists(observed, max_size=3).map(tuple), st.binary(max_size=9)), max_size=3)
)
def test_alternatives_keep_their_order(alternatives: list[ObservedResult]) -> None:
    assert decode_alternatives(open_entry(KEY, seal_entry(KEY, encode_alternatives(alternatives)))) == tuple(
        alternatives
    )


def _fault(key: str, data: bytes) -> RecompileFault:
    with pytest.raises(RecompileError) as caught:
        open_entry(key, data)
    return caught.value.fault


def test_any_damage_is_detected() -> None:
    """The version marker is checked first, then the key, then the digest of the rest."""
    data = seal_entry(KEY, b"payload")
    assert open_entry(KEY, data) == b"payload"
    for position in range(len(data)):
        for bit in range(8):
            changed = data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]
            assert _fault(KEY, changed) in RecompileFault
        assert _fault(KEY, data[:position]) in RecompileFault
    assert _fault(KEY, data + b"x") is RecompileFault.DAMAGE
    assert _fault(KEY, b"") is RecompileFault.FOREIGN
    assert _fault(OTHER, data) is RecompileFault.KEY
    assert _fault(KEY, data.replace(b"entry 5", b"entry 6", 1)) is RecompileFault.VERSION


@pytest.mark.parametrize("data", [b"", b"junk", result_bytes(UNIT)[:-3], result_bytes(UNIT) + b"\0"])
def test_invalid_result_bytes_are_rejected(data: bytes) -> None:
    for decode in (result_of, decode_alternatives):
        with pytest.raises(RecompileError) as caught:
            decode(data)
        assert caught.value.fault is RecompileFault.FOREIGN


def test_all_result_types_with_observed_files_are_covered() -> None:
    """Enumerated from the result types, so that a new one with such a field is not forgotten."""
    kinds = [kind for kind in RESULT_KINDS if is_dataclass(kind) and "observed" in {item.name for item in fields(kind)}]
    assert kinds == [type(result) for result in (UNIT, LINK)]


def find_or_store(cache: ResultCache, key: str, make: Callable[[], CompiledUnit | LinkResult]) -> tuple[object, bool]:
    found = cache.find([CacheKey(key)])[0]
    if found.result is not None:
        return found.result, True
    result = make()
    cache.keep(CacheKey(key), result, found)
    return result, False


@pytest.mark.parametrize("bare", [UNIT, LINK], ids=["unit", "link"])
def test_lookup_selects_result_by_observed_files(bare: CompiledUnit | LinkResult) -> None:
    files = {"a": "1"}
    cache = ResultCache(MemoryStore(), files.get)
    result = replace(bare, observed=(Observed("a", "1"), Observed("b", None)))
    assert observed_files(result) == result.observed and without_observed(result) == bare
    assert find_or_store(cache, KEY, lambda: result) == (result, False)
    assert find_or_store(cache, KEY, lambda: bare) == (result, True)
    files["b"] = "2"
    other = replace(bare, observed=(Observed("a", "1"), Observed("b", "2")))
    assert find_or_store(cache, KEY, lambda: other) == (other, False)
    assert find_or_store(cache, KEY, lambda: bare) == (other, True)
    del files["b"]
    assert find_or_store(cache, KEY, lambda: bare) == (result, True)


def test_number_of_alternatives_is_bounded() -> None:
    store, files = MemoryStore(), {"a": ""}
    cache = ResultCache(store, files.get)
    for number in range(20):
        files["a"] = str(number)
        find_or_store(cache, KEY, lambda: replace(UNIT, observed=(Observed("a", files["a"]),)))
    found = [alternative.observed[0].digest for alternative in decode_alternatives(open_entry(KEY, store[KEY]))]
    assert found == ["19", "18", "17", "16"]


def test_damaged_entries_lists_unusable_entries() -> None:
    whole = seal_entry(KEY, encode_alternatives([ObservedResult((), result_bytes(UNIT))]))
    empty = seal_entry(KEY, encode_alternatives([ObservedResult((), b"junk")]))
    rows = [(KEY, whole), (OTHER, whole), (KEY, empty), (KEY, whole[:-1])]
    found = [error.fault for _, error in damaged_entries(rows)]
    assert found == [RecompileFault.KEY, RecompileFault.FOREIGN, RecompileFault.DAMAGE]


@pytest.mark.parametrize("wrong", [replace(UNIT, diagnostics=("a", 3)), replace(LINK, artifacts=[])])
def test_result_that_does_not_round_trip_is_not_stored(wrong: CompiledUnit | LinkResult) -> None:
    store = MemoryStore()
    ResultCache(store, {}.get).keep(KEY, wrong)
    assert not store


def test_number_of_observed_files_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    alternative = ObservedResult(tuple(Observed(str(number), None) for number in range(9)), b"")
    data = encode_alternatives([alternative] * 4)
    with pytest.raises(ValueError):
        encode_alternatives([alternative] * 5)
    monkeypatch.setattr("cratewright.cache.entry._MOST_FILES", 35)
    with pytest.raises(RecompileError):
        decode_alternatives(data)
    store = MemoryStore()
    ResultCache(store, {}.get).keep(KEY, replace(UNIT, observed=alternative.observed * 4))
    assert not store
