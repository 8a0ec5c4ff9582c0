"""Cache keys cover everything that a result depends on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.digest import value_digest
from cratewright.cache.entry import (
    result_bytes,
    result_of,
)
from cratewright.cache.key import code_digest, fields_digest, key_fields, key_of
from cratewright.values.crate_type import CrateType
from cratewright.values.module import CompiledUnit, ModuleCodegen, Symbol
from cratewright.values.options import CORE_OPTIONS, Options
from cratewright.values.request import LinkModule, LinkRequest, ThinBuffer, ThinModule
from cratewright.values.stencil import UnitParameters, UnitStencil, apply_parameters

UNIT = CompiledUnit(modules=(ModuleCodegen(name=".o", data=b"data"),))
OPTIONS = Options(tuple(sorted((spec.name, spec.default) for spec in CORE_OPTIONS)))
STENCIL = UnitStencil(backend="b", fingerprint="f", target="t", path="p", source=b"s", options=OPTIONS)
MODULE = ModuleCodegen(name="m.o", data=b"d", exports=(Symbol("a", "a"),), attributes=(("k", "v"),))

REQUEST = LinkRequest(
    crate="c", crate_type=CrateType.BIN, target="t", options=OPTIONS, modules=(LinkModule("c", MODULE),)
)


def _others(value: object) -> Iterator[object]:
    """Yield different values of the same type, at least one for each field."""
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
    """Yield copies of a frozen dataclass, each with one field changed."""
    for field in fields(value):  # type: ignore[arg-type]
        for other in _others(getattr(value, field.name)):
            yield replace(value, **{field.name: other})  # type: ignore[type-var]


@pytest.mark.parametrize("value", [STENCIL, REQUEST], ids=["stencil", "request"])
def test_every_field_is_in_the_key(value: object) -> None:
    """Enumerated from the dataclass, so that a new field is not forgotten."""
    changed = list(_changed(value))
    assert len(changed) > 30
    keys = {key_of("kind", "salt", item) for item in [value, *changed]}
    assert len(keys) == 1 + len({repr(item) for item in changed})


def test_no_parameter_is_in_the_key() -> None:
    """A stencil has no parameters, so what is applied afterwards cannot reach the key."""
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


def test_call_code_and_value_are_in_the_key() -> None:
    rows = [("a", "s", 1, ""), ("b", "s", 1, ""), ("a", "t", 1, ""), ("a", "s", 2, ""), ("a", "s", 1, "f")]
    assert len({key_of(*row) for row in rows}) == len(rows)
    assert key_of("a", "s", STENCIL) == key_of("a", "s", replace(STENCIL))
    assert key_of("a", "s", STENCIL) != key_of("a", "s", REQUEST)


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=4))
def test_field_boundaries_are_in_the_digest(rows: list[tuple[str, str]]) -> None:
    moved = [(name + text[:1], text[1:]) for name, text in rows]
    assert (fields_digest(tuple(rows)) == fields_digest(tuple(moved))) == (rows == moved)


def test_module_shared_by_links_is_digested_once() -> None:
    known: dict[int, str] = {}
    first = key_fields("link", "", REQUEST, "", known)
    assert id(MODULE) in known
    assert key_fields("link", "", REQUEST, "", known) == first
    assert ("module c::m.o", known[id(MODULE)]) in first


def test_content_shared_by_thin_modules_is_digested_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data, seen = b"shared", []
    monkeypatch.setattr("cratewright.cache.key.value_digest", lambda value: seen.append(value) or value_digest(value))
    thin = ThinModule(name="a", crate="c", data=data, imports=(ThinBuffer("b", b"other"),))
    known: dict[int, str] = {}
    keys = {fields_digest(key_fields("optimize_thin", "", thin, "", known))}
    for imports in ((ThinBuffer("b", data),), (ThinBuffer("c", data),), (ThinBuffer("b", data), ThinBuffer("c", data))):
        keys.add(fields_digest(key_fields("optimize_thin", "", replace(thin, imports=imports), "", known)))
    assert len(keys) == 4 and seen.count(data) == 1


def test_code_digest_depends_only_on_python_files(tmp_path: Path) -> None:
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
