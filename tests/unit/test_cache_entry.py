"""Keys and entries: what decides a key, and that nothing but a whole entry of that key is ever believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.diagnostic import Diagnostic, RelatedPlace, Severity
from cratewright.base.digest import content_digest, value_digest
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
from cratewright.cache.key import CacheKey, code_digest, fields_digest, key_fields, key_of
from cratewright.cache.results import ResultCache, damaged_entries, observed_files, without_observed
from cratewright.values.crate import CrateType
from cratewright.values.module import CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from cratewright.values.options import CORE_OPTIONS, Options
from cratewright.values.request import Artifact, LinkModule, LinkRequest, LinkResult, ThinBuffer, ThinModule
from cratewright.values.stencil import UnitParameters, UnitStencil, apply_parameters
from tests.support.memory_store import MemoryStore

KEY = content_digest(b"a key")
OTHER = content_digest(b"another key")
UNIT = CompiledUnit(modules=(ModuleCodegen(name=".o", data=b"data"),))
LINK = LinkResult(artifacts=(Artifact("app", b"data"),))
OPTIONS = Options(tuple(sorted((spec.name, spec.default) for spec in CORE_OPTIONS)))
STENCIL = UnitStencil(backend="b", fingerprint="f", target="t", path="p", source=b"s", options=OPTIONS)
MODULE = ModuleCodegen(name="m.o", data=b"d", exports=(Symbol("a", "a"),), attributes=(("k", "v"),))
REQUEST = LinkRequest(
    crate="c", crate_type=CrateType.BIN, target="t", options=OPTIONS, modules=(LinkModule("c", MODULE),)
)


def _others(value: object) -> Iterator[object]:
    """Yield values of the same type that differ, in every way that a field of them can."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, Enum):
        yield from (item for item in type(value) if item is not value)
    elif isinstance(value, str):
        yield from (value + "x", value + "x" * 500, value + "y" * 500)
    elif isinstance(value, bytes):
        yield value + b"x"
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, Options):
        for name, old in value.values:
            changed = [True] if old is None else [*_others(old)]
            if name == "defines":
                changed = [(("A", None),), (("A", ""),), (("A", "1"),), (("B", None),)]
            elif name == "include_dirs":
                changed = [("a",), ("a", "b"), ("b", "a"), ("a, b",), ("a" * 100, "b"), tuple("abcdefghi")]
            yield from (Options(tuple((n, c if n == name else v) for n, v in value.values)) for c in changed)
        yield Options(value.values[1:])
    elif isinstance(value, tuple):
        yield (*value, *value, "x")
        for index, item in enumerate(value):
            yield from ((*value[:index], other, *value[index + 1 :]) for other in _others(item))
    else:
        yield from _changed(value)


def _changed(value: object) -> Iterator[object]:
    """Yield a frozen dataclass with each field changed in turn."""
    for field in fields(value):  # type: ignore[arg-type]
        for other in _others(getattr(value, field.name)):
            yield replace(value, **{field.name: other})  # type: ignore[type-var]


@pytest.mark.parametrize("value", [STENCIL, REQUEST], ids=["stencil", "request"])
def test_every_field_of_what_decides_a_result_is_in_its_key(value: object) -> None:
    """Enumerated from the dataclass, so that a new field cannot be forgotten."""
    changed = list(_changed(value))
    assert len(changed) > 30
    keys = {key_of("kind", "salt", item) for item in [value, *changed]}
    assert len(keys) == 1 + len({repr(item) for item in changed})


def test_no_parameter_is_in_the_key() -> None:
    """A stencil cannot hold a parameter: what is applied afterwards has no way into the key."""
    parameters = {field.name for field in fields(UnitParameters)}
    assert parameters and not parameters & {field.name for field in fields(UnitStencil)}
    named = UnitParameters(name="n")
    changes: dict[str, tuple[object, object]] = {"name": ("one", "other"), "own_options": ({}, {"shout": True})}
    changes["variant"] = ("", "{}")
    assert parameters == set(changes)
    for name, values in changes.items():
        one, other = (replace(named, **{name: value}) for value in values)
        kept = result_of(result_bytes(UNIT))
        assert isinstance(kept, CompiledUnit)
        for parameters_ in (one, other):
            assert apply_parameters(kept, parameters_) == apply_parameters(UNIT, parameters_)
        assert apply_parameters(UNIT, one) != apply_parameters(UNIT, other)


def test_what_makes_a_result_is_in_its_key() -> None:
    rows = [("a", "s", 1, ""), ("b", "s", 1, ""), ("a", "t", 1, ""), ("a", "s", 2, ""), ("a", "s", 1, "f")]
    assert len({key_of(*row) for row in rows}) == len(rows)
    assert key_of("a", "s", STENCIL) == key_of("a", "s", replace(STENCIL))
    assert key_of("a", "s", STENCIL) != key_of("a", "s", REQUEST)


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=4))
def test_fields_do_not_run_into_one_another(rows: list[tuple[str, str]]) -> None:
    moved = [(name + text[:1], text[1:]) for name, text in rows]
    assert (fields_digest(tuple(rows)) == fields_digest(tuple(moved))) == (rows == moved)


def test_a_module_that_many_links_share_is_walked_once() -> None:
    known: dict[int, str] = {}
    first = key_fields("link", "", REQUEST, "", known)
    assert id(MODULE) in known
    assert key_fields("link", "", REQUEST, "", known) == first
    assert ("module c::m.o", known[id(MODULE)]) in first


def test_a_content_that_many_thin_modules_share_is_digested_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data, seen = b"shared", []
    monkeypatch.setattr("cratewright.cache.key.value_digest", lambda value: seen.append(value) or value_digest(value))
    thin = ThinModule(name="a", crate="c", data=data, imports=(ThinBuffer("b", b"other"),))
    known: dict[int, str] = {}
    keys = {fields_digest(key_fields("optimize_thin", "", thin, "", known))}
    for imports in ((ThinBuffer("b", data),), (ThinBuffer("c", data),), (ThinBuffer("b", data), ThinBuffer("c", data))):
        keys.add(fields_digest(key_fields("optimize_thin", "", replace(thin, imports=imports), "", known)))
    assert len(keys) == 4 and seen.count(data) == 1


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
def test_a_result_comes_back_equal(result: CompiledUnit | LinkResult | ModuleCodegen) -> None:
    assert result_of(result_bytes(result)) == result


@given(
    st.lists(st.builds(ObservedResult, st.lists(observed, max_size=3).map(tuple), st.binary(max_size=9)), max_size=3)
)
def test_worlds_come_back_in_order(alternatives: list[ObservedResult]) -> None:
    assert decode_alternatives(open_entry(KEY, seal_entry(KEY, encode_alternatives(alternatives)))) == tuple(
        alternatives
    )


def _fault(key: str, data: bytes) -> RecompileFault:
    with pytest.raises(RecompileError) as caught:
        open_entry(key, data)
    return caught.value.fault


def test_every_damage_is_found() -> None:
    """The marker of the version comes first, then the key, then the digest of all the rest."""
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
def test_what_is_no_result_is_refused(data: bytes) -> None:
    for decode in (result_of, decode_alternatives):
        with pytest.raises(RecompileError) as caught:
            decode(data)
        assert caught.value.fault is RecompileFault.FOREIGN


def test_every_result_that_can_name_files_is_one() -> None:
    """Enumerated from the types of results, so that another with such a field cannot be forgotten."""
    kinds = [kind for kind in RESULT_KINDS if is_dataclass(kind) and "observed" in {item.name for item in fields(kind)}]
    assert kinds == [type(result) for result in (UNIT, LINK)]


def found_or_kept(cache: ResultCache, key: str, make: Callable[[], CompiledUnit | LinkResult]) -> tuple[object, bool]:
    found = cache.find([CacheKey(key)])[0]
    if found.result is not None:
        return found.result, True
    result = make()
    cache.keep(CacheKey(key), result, found)
    return result, False


@pytest.mark.parametrize("bare", [UNIT, LINK], ids=["unit", "link"])
def test_files_decide_which_result_is_found(bare: CompiledUnit | LinkResult) -> None:
    files = {"a": "1"}
    cache = ResultCache(MemoryStore(), files.get)
    result = replace(bare, observed=(Observed("a", "1"), Observed("b", None)))
    assert observed_files(result) == result.observed and without_observed(result) == bare
    assert found_or_kept(cache, KEY, lambda: result) == (result, False)
    assert found_or_kept(cache, KEY, lambda: bare) == (result, True)
    files["b"] = "2"
    other = replace(bare, observed=(Observed("a", "1"), Observed("b", "2")))
    assert found_or_kept(cache, KEY, lambda: other) == (other, False)
    assert found_or_kept(cache, KEY, lambda: bare) == (other, True)
    del files["b"]
    assert found_or_kept(cache, KEY, lambda: bare) == (result, True)


def test_worlds_are_bounded() -> None:
    store, files = MemoryStore(), {"a": ""}
    cache = ResultCache(store, files.get)
    for number in range(20):
        files["a"] = str(number)
        found_or_kept(cache, KEY, lambda: replace(UNIT, observed=(Observed("a", files["a"]),)))
    found = [alternative.observed[0].digest for alternative in decode_alternatives(open_entry(KEY, store[KEY]))]
    assert found == ["19", "18", "17", "16"]


def test_entries_that_could_never_be_used() -> None:
    whole = seal_entry(KEY, encode_alternatives([ObservedResult((), result_bytes(UNIT))]))
    empty = seal_entry(KEY, encode_alternatives([ObservedResult((), b"junk")]))
    rows = [(KEY, whole), (OTHER, whole), (KEY, empty), (KEY, whole[:-1])]
    found = [error.fault for _, error in damaged_entries(rows)]
    assert found == [RecompileFault.KEY, RecompileFault.FOREIGN, RecompileFault.DAMAGE]


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


@pytest.mark.parametrize("wrong", [replace(UNIT, diagnostics=("a", 3)), replace(LINK, artifacts=[])])
def test_a_result_that_would_not_come_back_equal_is_not_kept(wrong: CompiledUnit | LinkResult) -> None:
    store = MemoryStore()
    ResultCache(store, {}.get).keep(KEY, wrong)
    assert not store


def test_an_entry_names_so_many_files_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
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
