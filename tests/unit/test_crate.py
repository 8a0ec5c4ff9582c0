"""Names of crates, crate types and names of units."""

from __future__ import annotations

import pytest

from cratewright.base.errors import ConfigurationError, UnknownNameError
from cratewright.values.crate import check_crate_name, parse_crate_types, unit_name
from cratewright.values.crate_type import CrateType


@pytest.mark.parametrize("name", ["a", "noise", "_x", "a-b_2"])
def test_valid_names(name: str) -> None:
    assert check_crate_name(name) == name


@pytest.mark.parametrize("name", ["", "2a", "-a", "a b", "a/b", "a.b", "é", "a\n", 3, None])
def test_invalid_names(name: object) -> None:
    with pytest.raises(ConfigurationError, match="is not a crate name"):
        check_crate_name(name)


@pytest.mark.parametrize(
    ("given", "types"),
    [
        ("rlib", (CrateType.RLIB,)),
        (CrateType.BIN, (CrateType.BIN,)),
        (["cdylib", "rlib"], (CrateType.CDYLIB, CrateType.RLIB)),
        (("rlib", "rlib"), (CrateType.RLIB,)),
        ([CrateType.DYLIB, "staticlib"], (CrateType.DYLIB, CrateType.STATICLIB)),
    ],
)
def test_parse_crate_types(given: object, types: tuple[CrateType, ...]) -> None:
    assert parse_crate_types(given, crate="c") == types


@pytest.mark.parametrize("given", [(), [], None, 3])
def test_missing_crate_type(given: object) -> None:
    with pytest.raises(ConfigurationError, match="asks for no crate type"):
        parse_crate_types(given, crate="c")


def test_bin_excludes_other_crate_types() -> None:
    with pytest.raises(ConfigurationError, match="mixes 'bin'"):
        parse_crate_types(["bin", "rlib"], crate="c")


def test_misspelt_crate_type_has_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="unknown crate type 'cdylb'") as caught:
        parse_crate_types(["rlib", "cdylb"], crate="c")
    assert caught.value.hint == "did you mean 'cdylib'?"


@pytest.mark.parametrize(
    ("path", "directory", "name"),
    [
        ("a.glsl", "", "a.glsl"),
        ("src/a.glsl", "", "src/a.glsl"),
        ("src/a.glsl", "src", "a.glsl"),
        ("src/x/a.glsl", "src", "x/a.glsl"),
        ("./src//a.glsl", "src/", "a.glsl"),
        ("a.glsl", "src", "__/a.glsl"),
        ("lib/a.glsl", "src/deep", "__/__/lib/a.glsl"),
        ("src/a.glsl", "src/deep", "__/a.glsl"),
        ("../a.glsl", "", "__/a.glsl"),
        ("../a.glsl", "src", "__/__/a.glsl"),
        ("/usr/a.glsl", "src", "__root/usr/a.glsl"),
        ("/out/src/a.glsl", "/out", "src/a.glsl"),
        ("/usr/a.glsl", "/out/x", "__/__/usr/a.glsl"),
        ("src", "src", "__/src"),
        ("src/.a/b.glsl", "src", ".a/b.glsl"),
        ("src/./a.glsl", "src", "a.glsl"),
        ("src/x/../a.glsl", "src", "x/__/a.glsl"),
        ("srcs/a.glsl", "src", "__/srcs/a.glsl"),
        ("a.b/c.glsl", "", "a.b/c.glsl"),
    ],
)
def test_unit_names(path: str, directory: str, name: str) -> None:
    assert unit_name(path, directory) == name
