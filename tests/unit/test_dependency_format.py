"""What crates are linked as.

Knows nothing of rustc; that its answers are the same is checked in `tests/differential`.
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


def decided(kind: CrateType, *crates: Available, prefer_dynamic: bool = False) -> list[Linkage]:
    formats = calculate("app", kind, crates, prefer_dynamic=prefer_dynamic)
    assert list(formats.crates) == [crate.name for crate in crates]
    return list(formats.linkages)


@pytest.mark.parametrize("kind", LINKED_TYPES)
def test_everything_is_static_if_it_can_be(kind: CrateType) -> None:
    assert decided(kind, both("b"), rlib("a")) == [STATIC, STATIC]


@pytest.mark.parametrize("prefer_dynamic", [False, True])
def test_an_rlib_links_nothing(prefer_dynamic: bool) -> None:
    crates = [rlib("a"), dylib("b")]
    assert calculate("app", RLIB, crates, prefer_dynamic=prefer_dynamic) == DependencyFormats()


@pytest.mark.parametrize("kind", [BIN, DYLIB, CDYLIB])
def test_dylibs_are_taken_where_they_are_preferred(kind: CrateType) -> None:
    assert decided(kind, both("b"), rlib("a"), prefer_dynamic=True) == [DYNAMIC, STATIC]


def test_a_staticlib_does_not_listen_to_prefer_dynamic() -> None:
    assert decided(STATICLIB, both("b"), prefer_dynamic=True) == [STATIC]


def test_one_crate_without_an_rlib_makes_every_dylib_be_taken() -> None:
    crates = [both("b", ("a", STATIC)), rlib("a"), dylib("c"), rlib("d")]
    assert decided(BIN, *crates) == [DYNAMIC, INCLUDED, DYNAMIC, STATIC]


@pytest.mark.parametrize(("kind", "allowed"), [(STATICLIB, False), (OBJECT, False), (BIN, True), (CDYLIB, True)])
@pytest.mark.parametrize("prefer_dynamic", [False, True])
def test_what_must_be_static_says_every_crate_without_an_rlib(
    kind: CrateType, allowed: bool, prefer_dynamic: bool
) -> None:
    crates = [dylib("a"), rlib("b"), dylib("c")]
    wrong = (Conflict("a", ConflictKind.NO_RLIB), Conflict("c", ConflictKind.NO_RLIB))
    assert resolve(kind, crates, prefer_dynamic=prefer_dynamic).conflicts == (() if allowed else wrong)


def test_what_was_recorded_is_what_was_linked() -> None:
    formats = calculate("x", DYLIB, [both("b", ("a", STATIC)), rlib("a"), rlib("c")], prefer_dynamic=True)
    assert formats.recorded == (("b", DYNAMIC), ("c", STATIC))
    assert dict(zip(formats.crates, formats.linkages, strict=True)) == {"b": DYNAMIC, "a": INCLUDED, "c": STATIC}


def test_formats_are_equal_exactly_if_they_link_the_same() -> None:
    crates = [both("b"), rlib("a")]
    keys = {calculate("x", kind, crates) for kind in LINKED_TYPES}
    assert len(keys) == 1
    assert calculate("x", BIN, crates, prefer_dynamic=True) not in keys


def test_two_dylibs_that_contain_the_same_crates_are_one_row() -> None:
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


def test_a_dylib_that_is_gone_says_who_needs_it() -> None:
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


def test_crates_with_neither_form_are_named() -> None:
    nothing = Available("a", rlib=False, dylib=False)
    resolution = resolve(BIN, [dylib("b"), nothing], prefer_dynamic=False)
    assert resolution.conflicts == (Conflict("a", ConflictKind.NO_RLIB),)


@pytest.mark.parametrize("swapped", [False, True])
def test_the_first_dylib_decides_what_is_missing_beside_a_conflict(swapped: bool) -> None:
    users = [dylib("shares", ("a", DYNAMIC)), dylib("contains", ("a", STATIC))]
    found = resolve(BIN, [*(reversed(users) if swapped else users), rlib("a")], prefer_dynamic=False).conflicts
    twice = Conflict("a", ConflictKind.TWICE, ("contains",), ("shares",))
    missing = Conflict("a", ConflictKind.NO_DYLIB, ("contains",), ("shares",))
    assert found == ((twice,) if swapped else (twice, missing))


def test_crates_are_unique_and_complete() -> None:
    with pytest.raises(GraphError, match="'a' appears twice"):
        calculate("app", BIN, [rlib("a"), rlib("a")])
    with pytest.raises(GraphError, match="dylib of crate 'b' was linked with crate 'a'"):
        calculate("app", BIN, [dylib("b", ("a", STATIC))])


def test_a_crate_is_loaded_before_its_dependencies() -> None:
    graph = CrateGraph(
        {"app": ["left", "right"], "left": ["base"], "right": ["extra", "base"], "base": [], "extra": []}
    )
    assert load_order(graph, "app") == ("left", "base", "right", "extra")
    assert load_order(graph, "base") == ()


def test_a_long_chain_needs_no_recursion() -> None:
    names = [f"c{number}" for number in range(20_000)]
    graph = CrateGraph({name: names[number + 1 : number + 2] for number, name in enumerate(names)})
    assert load_order(graph, "c0") == tuple(names[1:])


def graph_of(seed: int) -> list[Available]:
    """Return crates in load order, each with the dylib that our own rules make, if they make one."""
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
    crates = graph_of(seed)
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
def test_the_first_way_out_of_a_conflict_is_one(seed: int, kind: CrateType, dynamic: bool) -> None:
    crates = graph_of(seed)
    if not resolve(kind, crates, prefer_dynamic=dynamic).conflicts:
        return
    with pytest.raises(LinkageConflictError) as caught:
        calculate("app", kind, crates, prefer_dynamic=dynamic)
    first = caught.value.hint.splitlines()[0]
    words = first.removesuffix(": then all is linked statically").split()
    changed = [Available(c.name, c.rlib or c.name in words, c.dylib, c.recorded) for c in crates]
    dynamic = dynamic and "prefer" not in words
    assert set(calculate("app", kind, changed, prefer_dynamic=dynamic).linkages) == {STATIC}
