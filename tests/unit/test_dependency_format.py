"""The dependency formats of each crate type.

`tests/differential` compares them with those of rustc.
"""

from __future__ import annotations

import pickle
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.errors import GraphError, LinkageConflictError
from cratewright.rules.dependency_format import (
    Available,
    DependencyFormats,
    Linkage,
    Recorded,
    calculate,
    load_order,
    resolve,
)
from cratewright.rules.graph import CrateGraph
from cratewright.rules.linkage_conflict import Conflict, ConflictKind
from cratewright.values.crate_type import CrateType

STATIC, DYNAMIC, INCLUDED = Linkage
BIN, RLIB, DYLIB, CDYLIB, STATICLIB, OBJECT = CrateType
LINKED_TYPES = (BIN, DYLIB, CDYLIB, STATICLIB)


def rlib(name: str) -> Available:
    return Available(name, rlib=True, dylib=False)


def dylib(name: str, *recorded: tuple[str, Linkage]) -> Available:
    return Available(name, rlib=False, dylib=True, recorded=recorded)


def both(name: str, *recorded: tuple[str, Linkage]) -> Available:
    return Available(name, rlib=True, dylib=True, recorded=recorded)


def linkages_of(kind: CrateType, *crates: Available, prefer_dynamic: bool = False) -> list[Linkage]:
    formats = calculate("app", kind, crates, prefer_dynamic=prefer_dynamic)
    assert list(formats.crates) == [crate.name for crate in crates]
    return list(formats.linkages)


@pytest.mark.parametrize("kind", LINKED_TYPES)
def test_static_by_default(kind: CrateType) -> None:
    assert linkages_of(kind, both("b"), rlib("a")) == [STATIC, STATIC]


@pytest.mark.parametrize("prefer_dynamic", [False, True])
def test_rlib_links_nothing(prefer_dynamic: bool) -> None:
    crates = [rlib("a"), dylib("b")]
    assert calculate("app", RLIB, crates, prefer_dynamic=prefer_dynamic) == DependencyFormats()


@pytest.mark.parametrize("kind", [BIN, DYLIB, CDYLIB])
def test_prefer_dynamic_selects_dylibs(kind: CrateType) -> None:
    assert linkages_of(kind, both("b"), rlib("a"), prefer_dynamic=True) == [DYNAMIC, STATIC]


def test_staticlib_ignores_prefer_dynamic() -> None:
    assert linkages_of(STATICLIB, both("b"), prefer_dynamic=True) == [STATIC]


def test_crate_without_an_rlib_selects_all_dylibs() -> None:
    crates = [both("b", ("a", STATIC)), rlib("a"), dylib("c"), rlib("d")]
    assert linkages_of(BIN, *crates) == [DYNAMIC, INCLUDED, DYNAMIC, STATIC]


@pytest.mark.parametrize(("kind", "allowed"), [(STATICLIB, False), (OBJECT, False), (BIN, True), (CDYLIB, True)])
@pytest.mark.parametrize("prefer_dynamic", [False, True])
def test_static_crate_type_lists_all_crates_without_an_rlib(
    kind: CrateType, allowed: bool, prefer_dynamic: bool
) -> None:
    crates = [dylib("a"), rlib("b"), dylib("c")]
    wrong = (Conflict("a", ConflictKind.NO_RLIB), Conflict("c", ConflictKind.NO_RLIB))
    assert resolve(kind, crates, prefer_dynamic=prefer_dynamic).conflicts == (() if allowed else wrong)


def test_recorded_linkages_leave_out_included_crates() -> None:
    formats = calculate("x", DYLIB, [both("b", ("a", STATIC)), rlib("a"), rlib("c")], prefer_dynamic=True)
    assert formats.recorded == (("b", DYNAMIC), ("c", STATIC))
    assert dict(zip(formats.crates, formats.linkages, strict=True)) == {"b": DYNAMIC, "a": INCLUDED, "c": STATIC}


def test_formats_are_equal_if_linkages_are() -> None:
    crates = [both("b"), rlib("a")]
    keys = {calculate("x", kind, crates) for kind in LINKED_TYPES}
    assert len(keys) == 1
    assert calculate("x", BIN, crates, prefer_dynamic=True) not in keys


def test_conflict_groups_dylibs_by_the_crates_they_contain() -> None:
    inside = (("core", STATIC), ("std", STATIC))
    crates = [both("std", ("core", STATIC)), rlib("core"), dylib("a", *inside), both("b", *inside)]
    with pytest.raises(LinkageConflictError) as caught:
        calculate("app", BIN, crates)
    assert str(caught.value).splitlines() == [
        "the dependencies of crate 'app' cannot be linked together",
        "  crate type: bin",
        "  twice:      std",
        "              inside the dylibs of a b; as its own dylib",
        "  twice:      core",
        "              inside the dylibs of std a b",
        "  hint:       give an rlib to a: then all is linked statically",
        "              or link a b with prefer_dynamic, and make what they share a dylib of its own",
    ]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_missing_dylib_names_its_users() -> None:
    crates = [dylib("b", ("a", DYNAMIC)), rlib("a"), dylib("c", ("a", DYNAMIC))]
    with pytest.raises(LinkageConflictError) as caught:
        calculate("app", CDYLIB, crates, prefer_dynamic=True)
    assert str(caught.value).splitlines() == [
        "the dependencies of crate 'app' cannot be linked together",
        "  crate type: cdylib",
        "  no dylib:   a",
        "              as its own dylib, used by the dylibs of b c",
        "  hint:       give an rlib to b c and do not prefer dynamic linking: then all is linked statically",
        "              or link the dylib of a again",
    ]


def test_crate_without_rlib_or_dylib_is_named() -> None:
    nothing = Available("a", rlib=False, dylib=False)
    resolution = resolve(BIN, [dylib("b"), nothing], prefer_dynamic=False)
    assert resolution.conflicts == (Conflict("a", ConflictKind.NO_RLIB),)


@pytest.mark.parametrize("swapped", [False, True])
def test_missing_dylib_beside_a_conflict_depends_on_order(swapped: bool) -> None:
    users = [dylib("shares", ("a", DYNAMIC)), dylib("contains", ("a", STATIC))]
    found = resolve(BIN, [*(reversed(users) if swapped else users), rlib("a")], prefer_dynamic=False).conflicts
    twice = Conflict("a", ConflictKind.TWICE, ("contains",), ("shares",))
    missing = Conflict("a", ConflictKind.NO_DYLIB, ("contains",), ("shares",))
    assert found == ((twice,) if swapped else (twice, missing))


def test_duplicate_and_missing_crates_are_errors() -> None:
    with pytest.raises(GraphError, match="'a' appears twice"):
        calculate("app", BIN, [rlib("a"), rlib("a")])
    with pytest.raises(GraphError, match="dylib of crate 'b' was linked with crate 'a'"):
        calculate("app", BIN, [dylib("b", ("a", STATIC))])


def test_load_order_puts_users_first() -> None:
    graph = CrateGraph(
        {"app": ["left", "right"], "left": ["base"], "right": ["extra", "base"], "base": [], "extra": []}
    )
    assert load_order(graph, "app") == ("left", "base", "right", "extra")
    assert load_order(graph, "base") == ()


def test_load_order_of_a_long_chain() -> None:
    names = [f"c{number}" for number in range(20_000)]
    graph = CrateGraph({name: names[number + 1 : number + 2] for number, name in enumerate(names)})
    assert load_order(graph, "c0") == tuple(names[1:])


def random_crates(seed: int) -> list[Available]:
    """Return random crates in load order, some with a dylib that is linked by our own rules."""
    chance = random.Random(seed)
    crates: dict[str, Available] = {}
    below: dict[str, list[str]] = {}
    for number in range(chance.randint(1, 8)):
        name = f"c{number}"
        below[name] = chance.sample(sorted(crates), chance.randint(0, len(crates)))
        order = load_order(CrateGraph(below), name)
        resolution = resolve(DYLIB, [crates[dep] for dep in order], prefer_dynamic=chance.random() < 0.7)
        has_dylib = not resolution.conflicts and chance.random() < 0.7
        recorded: Recorded = resolution.formats.recorded if has_dylib else ()
        crates[name] = Available(name, not has_dylib or chance.random() < 0.5, has_dylib, recorded)
    return [crates[name] for name in reversed(crates)]


@given(st.integers(0, 10**6), st.sampled_from(LINKED_TYPES), st.booleans())
def test_each_crate_is_linked_exactly_once(seed: int, kind: CrateType, dynamic: bool) -> None:
    crates = random_crates(seed)
    resolution = resolve(kind, crates, prefer_dynamic=dynamic)
    if resolution.conflicts:
        return
    found = dict(zip(resolution.formats.crates, resolution.formats.linkages, strict=True))
    contained = [
        name
        for crate in crates
        if found[crate.name] is DYNAMIC
        for name, linkage in crate.recorded
        if linkage is STATIC
    ]
    assert len(contained) == len(set(contained))
    for crate in crates:
        times = (found[crate.name] in (STATIC, DYNAMIC)) + contained.count(crate.name)
        assert times == 1, crate
        assert (found[crate.name] is INCLUDED) == (crate.name in contained)


@given(st.integers(0, 10**6), st.sampled_from(LINKED_TYPES), st.booleans())
def test_first_hint_resolves_the_conflict(seed: int, kind: CrateType, dynamic: bool) -> None:
    crates = random_crates(seed)
    if not resolve(kind, crates, prefer_dynamic=dynamic).conflicts:
        return
    with pytest.raises(LinkageConflictError) as caught:
        calculate("app", kind, crates, prefer_dynamic=dynamic)
    first = caught.value.hint.splitlines()[0]
    words = first.removesuffix(": then all is linked statically").split()
    changed = [Available(c.name, c.rlib or c.name in words, c.dylib, c.recorded) for c in crates]
    dynamic = dynamic and "prefer" not in words
    assert set(calculate("app", kind, changed, prefer_dynamic=dynamic).linkages) == {STATIC}
