"""Digests: equal for equal values, otherwise different."""

from __future__ import annotations

from dataclasses import dataclass, fields, make_dataclass, replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.diagnostic import Diagnostic, RelatedPlace, Severity
from cratewright.base.digest import content_digest, value_digest
from cratewright.values.crate import Crate, Source
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.module import (
    CanonicalForm,
    CompiledUnit,
    EntryPoint,
    ModuleCodegen,
    ModuleKind,
    Observed,
    Symbol,
)
from cratewright.values.options import Options
from cratewright.values.request import Artifact, LinkModule, LinkPart, LinkRequest, LinkResult
from cratewright.values.stencil import UnitStencil

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner).map(tuple), st.dictionaries(st.text(), inner)),
    max_leaves=12,
)


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Point:
    x: int
    y: object


@given(VALUES, VALUES)
def test_digests_are_equal_exactly_for_equal_values(left: Any, right: Any) -> None:
    assert (value_digest(left) == value_digest(right)) == (_typed(left) == _typed(right))


def _typed(value: Any) -> Any:
    """Return the value with its types, since `True == 1` in Python."""
    if isinstance(value, tuple):
        return ("t", *map(_typed, value))
    if isinstance(value, dict):
        return {"m": sorted((key, _key(_typed(item))) for key, item in value.items())}
    return (type(value).__name__, value)


def _key(value: Any) -> str:
    return repr(value)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("a", "b"), ("ab",)),
        (("ab", ""), ("", "ab")),
        ((("a",), "b"), ("a", ("b",))),
        (1, "1"),
        ("a", b"a"),
        (None, ""),
        (False, None),
        (Colour.RED, "red"),
        (Point(1, 2), (1, 2)),
        ({"a": None}, {}),
        ("é", "e\u0301"),
    ],
)
def test_similar_values_differ(left: object, right: object) -> None:
    assert value_digest(left) != value_digest(right)


def test_order_of_a_mapping_is_ignored() -> None:
    assert value_digest({"a": 1, "b": 2}) == value_digest({"b": 2, "a": 1})


def test_order_of_a_tuple_matters() -> None:
    assert value_digest((1, 2)) != value_digest((2, 1))


def test_digest_never_changes() -> None:
    """Another digest would invalidate every existing cache."""
    value = (None, True, 7, "é", b"x", {"k": Colour.RED}, Point(1, ()))
    assert value_digest(value)[:16] == "06da4346039aeb60"
    assert content_digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_strings_with_surrogates_differ() -> None:
    assert value_digest("\udcff") != value_digest("\udcfe")


@pytest.mark.parametrize("value", [1.5, {1, 2}, object(), (1, [2.0])])
def test_unsupported_types_are_rejected(value: object) -> None:
    with pytest.raises(TypeError):
        value_digest(value)


def test_names_of_class_and_fields_matter() -> None:
    one = make_dataclass("One", ["a"], frozen=True)
    two = make_dataclass("Two", ["a"], frozen=True)
    renamed = make_dataclass("One", ["b"], frozen=True)
    assert len({value_digest(kind(1)) for kind in (one, two, renamed)}) == 3


OPTIONS = Options((("defines", (("A", None),)),))
SYMBOL = Symbol("n", "d", "f", 1)
WARNING = Diagnostic(Severity.WARNING, "w", related=(RelatedPlace("t"),))
MODULE = ModuleCodegen(
    name="m",
    data=b"d",
    exports=(SYMBOL,),
    imports=(SYMBOL,),
    entry_points=(EntryPoint("s", "n"),),
    attributes=(("k", "v"),),
)
SAMPLES: list[Any] = [
    OPTIONS,
    SYMBOL,
    MODULE,
    EntryPoint("s", "n"),
    Observed("p", "d"),
    Source(path="p", name="n", options=OPTIONS),
    Artifact("p", b"d"),
    LinkModule("c", MODULE),
    LinkPart("p", (0,)),
    CompiledUnit(
        modules=(MODULE,), observed=(Observed("p", None),), diagnostics=(WARNING,), form=CanonicalForm(key=b"k")
    ),
    LinkResult(artifacts=(Artifact("p", b"d"),), report="r", diagnostics=(WARNING,)),
    UnitStencil(backend="b", fingerprint="f", target="t", path="p", source=b"s", options=OPTIONS),
    LinkRequest(crate="c", crate_type=CrateType.BIN, target="t", options=OPTIONS, modules=(LinkModule("c", MODULE),)),
    Crate(
        name="n",
        version="1",
        backend="b",
        target="t",
        profile="p",
        crate_types=(CrateType.BIN,),
        sources=(Source(path="p", name="n", options=OPTIONS),),
        dependencies=(CrateReference("d", "i", "f"),),
        options=OPTIONS,
        metadata=("m",),
    ),
    CrateReference("d", "i", "f"),
]


def changed(value: Any) -> Any:
    """Return a different value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, Enum):
        return next(member for member in type(value) if member is not value)
    if isinstance(value, (str, bytes)):
        return value + value[:1] if value else type(value)(b"x" if isinstance(value, bytes) else "x")
    if isinstance(value, int):
        return value + 1
    if isinstance(value, tuple):
        return value[:-1] if value else ("x",)
    if isinstance(value, Options):
        return Options((*value.values, ("more", "x")))
    if isinstance(value, CanonicalForm):
        return None
    if isinstance(value, ModuleCodegen):
        return replace(value, kind=ModuleKind.ALLOCATOR)
    raise AssertionError(f"no other {type(value).__name__}")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_every_field_matters(sample: Any) -> None:
    seen = {value_digest(sample)}
    for field in fields(sample):
        seen.add(value_digest(replace(sample, **{field.name: changed(getattr(sample, field.name))})))
    assert len(seen) == len(fields(sample)) + 1
