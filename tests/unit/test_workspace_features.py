"""Selection of features of crates in a workspace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.errors import ConfigurationError
from cratewright.workspace.declaration import read_workspace
from cratewright.workspace.features import Selection, select_features
from tests.support.paths import ROOT


def _select(text: str, *requests: str, default: bool = True) -> dict[str, Selection]:
    workspace = read_workspace(text.encode(), path="crates.toml")
    pairs = [(crate, feature) for crate, _, feature in (request.partition("/") for request in requests)]
    return select_features(workspace.document, workspace.features, pairs, default=default)


def _features(text: str, *requests: str, default: bool = True) -> dict[str, str]:
    return {name: " ".join(item.features) for name, item in _select(text, *requests, default=default).items()}


def _used(selection: Selection) -> list[str]:
    return [item.name for item in selection.dependencies]


SKY = """\
[crate.sky]
sources = ["s"]
deps = [
  "maths",
  { name = "noise", optional = true, default-features = false },
  { path = "libold.rlib", optional = true },
]
[crate.sky.features]
default = ["define:SKY"]
clouds = ["dep:noise", "noise/octaves", "define:CLOUDS=2"]
weak = ["noise?/fine"]
rays = ["maths/wide"]

[crate.noise]
sources = ["n"]
[crate.noise.features]
default = ["fine"]
fine = []
octaves = ["define:OCTAVES"]

[crate.maths]
sources = ["m"]
features = { default = [], wide = [] }
"""


def test_crate_without_features() -> None:
    assert _select("[crate.a]\nsources = ['x']\ndeps = ['b']\n")["a"].features == ()


def test_roots_and_dependencies_have_default_features() -> None:
    selections = _select(SKY)
    assert {name: item.features for name, item in selections.items()} == {
        "sky": ("default",),
        "noise": ("default", "fine"),
        "maths": ("default",),
    }
    assert selections["sky"].defines == (("SKY", None),)
    assert _used(selections["sky"]) == ["maths"]


def test_feature_enables_an_optional_dependency() -> None:
    selections = _select(SKY, "sky/clouds")
    assert _used(selections["sky"]) == ["maths", "noise"]
    assert selections["sky"].defines == (("CLOUDS", "2"), ("SKY", None))
    assert selections["noise"] == Selection(("octaves",), (), (("OCTAVES", None),))


def test_optional_prebuilt_dependency_is_a_feature() -> None:
    assert _used(_select(SKY, "sky/old")["sky"]) == ["maths", "old"]


@pytest.mark.parametrize("order", [("sky/weak", "sky/clouds"), ("sky/clouds", "sky/weak")])
def test_weak_request_applies_only_to_an_enabled_dependency(order: tuple[str, str]) -> None:
    assert _features(SKY, "sky/weak")["noise"] == "default fine", "it is a root"
    assert _features(SKY, "sky/weak", default=False)["noise"] == ""
    assert _features(SKY, *order)["noise"] == "fine octaves"


def test_requests_are_transitive() -> None:
    assert _features(SKY, "sky/rays", default=False) == {"sky": "rays", "noise": "", "maths": "default wide"}


def test_without_defaults() -> None:
    assert _features(SKY, default=False) == {"sky": "", "noise": "", "maths": "default"}


def test_requests_of_several_users_are_combined() -> None:
    """If one user disables the defaults and another does not, the crate is built once, with them."""
    text = """\
[crate.one]
sources = ["o"]
deps = [{ name = "lib", default-features = false, features = ["a"] }]
[crate.two]
sources = ["t"]
deps = [{ name = "lib", features = ["b"] }]
[crate.three]
sources = ["t"]
deps = [{ name = "lib", default-features = false }]
[crate.lib]
sources = ["l"]
features = { default = ["d"], a = [], b = [], d = ["define:D"], e = [] }
"""
    assert _features(text)["lib"] == "a b d default"
    first, _, rest = text.partition("[crate.two]")
    assert _features(first + "[crate.three]" + rest.partition("[crate.three]")[2])["lib"] == "a"


def test_features_may_be_cyclic() -> None:
    text = "[crate.a]\nsources = ['x']\nfeatures = { default = ['b'], b = ['c'], c = ['b'] }\n"
    assert _features(text)["a"] == "b c default"


def test_example_of_the_reference() -> None:
    page = (ROOT / "docs/reference/workspaces.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    terrain = _select(example)["terrain"]
    assert (terrain.features, terrain.defines) == (("default", "rocks"), (("ROCKS", "2"),))
    assert _used(terrain) == ["noise"]
    assert _features(example)["noise"] == "simplex"
    assert _used(_select(example, default=False)["terrain"]) == []


def test_long_chain_of_requests() -> None:
    crates = [
        f"[crate.c{number}]\nsources = ['x']\ndeps = ['c{number + 1}']\nfeatures = {{ f = ['c{number + 1}/f'] }}\n"
        for number in range(3000)
    ]
    text = "".join(crates) + "[crate.c3000]\nsources = ['x']\nfeatures = { f = [] }\n"
    assert set(_features(text, "c0/f").values()) == {"f"}


@pytest.mark.parametrize(
    ("request_", "message"),
    [("ski/clouds", "no crate 'ski'"), ("sky/cloud", "crate 'sky' has no feature 'cloud'")],
)
def test_unknown_crate_or_feature_has_a_suggestion(request_: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        _select(SKY, request_)
    assert caught.value.hint.startswith("did you mean")


@given(st.sets(st.sampled_from(["sky/clouds", "sky/weak", "sky/rays", "noise/fine", "maths/wide"])), st.data())
def test_more_requests_never_remove_features(requests: set[str], data: st.DataObject) -> None:
    fewer = data.draw(st.sets(st.sampled_from(sorted(requests)))) if requests else set()
    some, all_ = _select(SKY, *sorted(fewer), default=False), _select(SKY, *sorted(requests), default=False)
    assert all(set(some[name].features) <= set(all_[name].features) for name in some)
    assert _select(SKY, *sorted(requests, reverse=True), default=False) == all_
