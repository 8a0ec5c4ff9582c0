"""Our decorator for frozen dataclasses behaves like that of the standard library."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import inspect
import pickle
from typing import Any, ClassVar

import pytest

from cratewright.base import values


class Nothing:
    """No fields."""


class One:
    """One field."""

    a: int = 1


class Several:
    """Fields with and without defaults, a constant, a check."""

    LIMIT: ClassVar[int] = 9
    a: int
    b: tuple[str, ...] = ()
    c: list[int] | None = None

    def __post_init__(self) -> None:
        if self.a > self.LIMIT:
            raise ValueError(self.a)


class Own:
    """Its own special methods."""

    a: int
    b: int = 2

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.a == other.a

    def __hash__(self) -> int:
        return self.a

    def __repr__(self) -> str:
        return f"<{self.a}>"


CASES: list[tuple[type, dict[str, Any]]] = [
    (Nothing, {}),
    (One, {"a": 3}),
    (Several, {"a": 3, "b": ("x",)}),
    (Several, {"a": 3, "c": []}),
    (Own, {"a": 3}),
]


def _both(kind: type, kw_only: bool) -> tuple[Any, Any]:
    """Apply our decorator and the standard one; the classes become globals, so that pickle finds them."""
    made = []
    for decorator in (values.dataclass, dataclasses.dataclass):
        name = f"{kind.__name__}_{kw_only}_{decorator.__module__.replace('.', '_')}"
        copied = type(name, (), {**kind.__dict__, "__qualname__": name})
        made.append(decorator(frozen=True, slots=True, kw_only=kw_only)(copied))
        globals()[name] = made[-1]
    return made[0], made[1]


@pytest.mark.parametrize("kw_only", [False, True])
@pytest.mark.parametrize(("kind", "fields"), CASES)
def test_same_behaviour_as_the_standard_library(kind: type, fields: dict[str, Any], kw_only: bool) -> None:
    ours, theirs = _both(kind, kw_only)
    mine, other = ours(**fields), theirs(**fields)
    assert repr(mine) == repr(other).replace(theirs.__name__, ours.__name__)
    assert mine == ours(**fields) and other == theirs(**fields) and mine != other
    for value in (mine, other):
        assert pickle.loads(pickle.dumps(value)) == value == copy.deepcopy(value) == dataclasses.replace(value)
        assert not hasattr(value, "__dict__")
        for name in ("a", "unheard_of"):
            with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
                setattr(value, name, 1)
    assert dataclasses.asdict(mine) == dataclasses.asdict(other)
    assert ours.__match_args__ == theirs.__match_args__
    changed = dict(fields, a=4)
    if "a" in fields:
        assert ours(**changed) != mine and theirs(**changed) != other
    if fields.get("c") is None:
        assert hash(mine) == hash(ours(**fields)) == hash(other)
    else:
        for value in (mine, other):
            with pytest.raises(TypeError):
                hash(value)


def test_post_init_is_called() -> None:
    ours, _ = _both(Several, False)
    with pytest.raises(ValueError, match="10"):
        ours(a=10)


def test_state_of_another_class_is_rejected() -> None:
    ours, _ = _both(Several, False)
    value = ours(a=1)
    with pytest.raises(ValueError, match="zip"):
        value.__setstate__((1, 2))


class Mutable:
    """All kinds of fields."""

    a: int
    b: list[int] = dataclasses.field(default_factory=list)
    c: int = dataclasses.field(init=False)
    d: int = dataclasses.field(default=4, init=False)
    e: list[int] = dataclasses.field(default_factory=lambda: [5], init=False)
    f: int = dataclasses.field(default=6, kw_only=True)
    g: int = dataclasses.field(default=7, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "c", self.a + 1)


@pytest.mark.parametrize("frozen", [False, True])
def test_fields_of_all_kinds(frozen: bool) -> None:
    made: list[Any] = []
    for decorator in (values.dataclass, dataclasses.dataclass):
        copied = type("Mutable", (), {**Mutable.__dict__, "__qualname__": "Mutable"})
        made.append(decorator(frozen=frozen, slots=True)(copied))  # type: ignore[call-overload]
    ours, theirs = made
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    for words in ({}, {"b": [1]}, {"f": 9}, {"g": 1}):
        mine = ours(1, **words)
        assert repr(mine) == repr(theirs(1, **words))
        assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
        assert mine == ours(1, **{**words, "g": 8}) != ours(2, **words)
        assert mine.b is not ours(1).b
    if not frozen:
        mine.a = 5
        assert mine.a == 5
        with pytest.raises(TypeError, match="unhashable"):
            hash(mine)
    for kind in (ours, theirs):
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
            kind()
        with pytest.raises(TypeError, match="unexpected keyword argument 'c'"):
            kind(1, c=1)


@pytest.mark.parametrize("frozen", [False, True])
def test_inheritance(frozen: bool) -> None:
    base = values.dataclass(frozen=frozen, slots=True)(type("Base", (), {"__annotations__": {"a": int}}))
    for decorator in (values.dataclass, dataclasses.dataclass):
        kind = decorator(frozen=frozen, slots=True)(type("Kind", (base,), {"__annotations__": {"b": int}}))  # type: ignore[call-overload]
        value: Any = kind(1, 2)
        assert (value.a, value.b) == (1, 2) and value == kind(1, 2) != kind(2, 2)
        with pytest.raises(dataclasses.FrozenInstanceError) if frozen else contextlib.nullcontext():
            value.a = 3


def test_ordered_classes_use_the_standard_library() -> None:
    made: Any = values.dataclass(frozen=True, slots=True, order=True)(
        type("Point", (), {"__annotations__": {"a": int}})
    )
    assert made(1) == made(1) != made(2) and made(1) < made(2)
