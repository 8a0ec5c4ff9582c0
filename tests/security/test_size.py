"""Huge or deeply nested input is refused or read within a time limit."""

from __future__ import annotations

import pytest

from cratewright.base.errors import ConfigurationError
from cratewright.values.options import CORE_OPTIONS, parse_options, resolve_profile
from cratewright.workspace.declaration import read_workspace
from cratewright.workspace.glob import expand_glob
from cratewright.workspace.picture import draw
from tests.support.bounds import cpu_below


def test_long_chain_of_profiles() -> None:
    count = 5000
    profiles = {f"p{at}": {"inherits": f"p{at + 1}", f"o{at}": at, "same": at} for at in range(count)}
    profiles[f"p{count}"] = {"last": True}
    with cpu_below(10):
        merged = resolve_profile("p0", profiles)
        assert len(merged) == count + 2 and merged["same"] == 0 and merged["last"] is True
        with pytest.raises(ConfigurationError, match="inherits itself") as caught:
            resolve_profile("p0", {**profiles, f"p{count}": {"inherits": "p1"}})
    assert len(str(caught.value)) < 500


def test_glob_with_many_wildcards() -> None:
    tree = {"": {"a": True, "x.c": False}}
    path = ""
    for _ in range(20):
        path = f"{path}/a" if path else "a"
        tree[path] = {"a": True, "x.c": False}
    tree[path] = {"x.c": False}

    listing = lambda directory: tree.get(directory, {})  # noqa: E731
    with cpu_below(10):
        assert len(expand_glob("**/" * 40 + "*.c", listing)) == 21
        assert len(expand_glob("**/*/" * 20 + "*.c", listing)) == 1
        assert len(expand_glob("**/a/" * 15 + "**/*.c", listing)) == 6
        assert expand_glob("a/**", listing)[-1] == "a/x.c"


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 50_000 + "]" * 50_000,
        "x = " + "{a=" * 5_000 + "1" + "}" * 5_000,
        "[" + "a." * 5_000 + "a]\nb = 1\n",
        "x = " + "1" * 10_000,
        "x = 0x" + "f" * 10_000,
        "x = 1e99999999999999999999",
        "[crate.a]\nopt-level = 0x" + "f" * 10_000,
        "\0",
        "x = 9999-99-99",
    ],
)
def test_huge_or_deep_toml_is_refused(text: str) -> None:
    with cpu_below(10), pytest.raises(ConfigurationError, match=r"f\.toml"):
        read_workspace(text.encode(), path="f.toml")


def test_option_values_too_large_to_print() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    for value in (10**10_000, nested, {"A": 10**10_000}, [("A", 10**10_000)], "a\0b"):
        for option in ("opt_level", "defines", "exports", "entry_point", "lto", "multimodule"):
            with pytest.raises(ConfigurationError, match=r"option|value|macro|crate type"):
                parse_options({option: value}, CORE_OPTIONS, where="")


def test_graph_labels_are_escaped() -> None:
    text = "[crate.a]\nsources=['x']\ndeps = [{ name = 'other', path = 'x\\\"];end\\u001b[2J<b>`|%.rlib' }]\n".replace(
        "'", '"'
    )
    workspace = read_workspace(text.encode(), path="f.toml")
    dot, mermaid = draw(workspace, "dot"), draw(workspace, "mermaid")
    assert '\\"];end' in dot and "\x1b" not in dot + mermaid
    assert '"];' not in mermaid and "<b>" not in mermaid
