"""The crate graph: link order, cycles and unknown dependencies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.errors import GraphError
from cratewright.rules.graph import CrateGraph

DIAMOND = {"app": ["left", "right"], "left": ["base"], "right": ["base", "base"], "base": []}


def test_link_order() -> None:
    graph = CrateGraph(DIAMOND)
    assert graph.link_order("app") == ("right", "left", "base")
    assert graph.link_order("left") == ("base",)
    assert graph.link_order("base") == ()
    assert graph.dependencies("right") == ("base",)


def test_cycle_error_shows_its_path() -> None:
    with pytest.raises(GraphError, match="cycle") as caught:
        CrateGraph({"z": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]})
    assert caught.value.context == (("cycle", "a -> b -> c -> a"),)


def test_crate_that_depends_on_itself() -> None:
    with pytest.raises(GraphError) as caught:
        CrateGraph({"a": ["a"]})
    assert caught.value.context == (("cycle", "a -> a"),)


def test_unknown_dependency_has_a_suggestion() -> None:
    with pytest.raises(GraphError, match="crate 'app' depends on 'nois', which is not a crate") as caught:
        CrateGraph({"app": ["nois"], "noise": []})
    assert caught.value.hint == "did you mean 'noise'?"


@pytest.mark.parametrize("forward", [True, False])
def test_link_order_of_a_long_chain(forward: bool) -> None:
    count = 10_000
    names = range(count) if forward else range(count - 1, -1, -1)
    graph = CrateGraph({str(name): [str(name + 1)] if name + 1 < count else [] for name in names})
    assert graph.link_order("0") == tuple(str(name) for name in range(1, count))


@given(st.dictionaries(st.integers(0, 30), st.lists(st.integers(0, 30), max_size=5), max_size=20))
def test_crate_comes_before_its_dependencies(wishes: dict[int, list[int]]) -> None:
    names = set(wishes) | {dep for deps in wishes.values() for dep in deps}
    edges = {str(name): [str(dep) for dep in wishes.get(name, []) if dep < name] for name in sorted(names)}
    graph = CrateGraph(edges)
    for name in edges:
        order = graph.link_order(name)
        assert len(set(order)) == len(order) and name not in order
        for number, item in enumerate(order):
            assert all(dep in order[number + 1 :] for dep in edges[item])
