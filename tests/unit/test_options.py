"""Options: parsing, invalid values, overrides and profiles."""

from __future__ import annotations

import pytest

from cratewright.base.errors import ConfigurationError, UnknownNameError
from cratewright.values.crate_type import CrateType
from cratewright.values.option_spec import OptionKind, OptionSpec
from cratewright.values.options import (
    CORE_OPTIONS,
    DebugInfo,
    LtoMode,
    Options,
    OptLevel,
    parse_options,
    resolve_profile,
)

DEFAULTS = Options(tuple(sorted((spec.name, spec.default) for spec in CORE_OPTIONS)))


def _parse(**given: object) -> dict[str, object]:
    return dict(parse_options(given, CORE_OPTIONS, where="here"))


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("opt_level", 3, "3"),
        ("opt_level", "z", "z"),
        ("opt_level", OptLevel.SIZE, "s"),
        ("opt_level", None, "0"),
        ("lto", "thin-local", "thin-local"),
        ("lto", {"cdylib": "fat", CrateType.BIN: LtoMode.THIN}, (("bin", "thin"), ("cdylib", "fat"))),
        ("multimodule", True, True),
        ("multimodule", 1, True),
        ("multimodule", "no", False),
        ("multimodule", "", False),
        ("multimodule", "On", True),
        ("entry_point", "main", "main"),
        ("include_dirs", "inc", ("inc",)),
        ("include_dirs", ["b", "a"], ("b", "a")),
        ("exports", (), ()),
        ("defines", "A", (("A", None),)),
        ("defines", ["B=", "A=1=2"], (("A", "1=2"), ("B", ""))),
        ("defines", {"B": 1, "A": None}, (("A", None), ("B", "1"))),
        ("defines", [("A",), ("B", 2), "B=3"], (("A", None), ("B", "3"))),
    ],
)
def test_parse_option(name: str, given: object, value: object) -> None:
    assert _parse(**{name: given}) == {name: value}


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("multimodule", "perhaps", "takes true or false"),
        ("entry_point", ["a"], "takes one string"),
        ("include_dirs", [1], "takes a list of strings"),
        ("include_dirs", 1, "takes a list of strings"),
        ("defines", 1, "takes a mapping or a list"),
        ("defines", [1], "takes NAME, NAME=VALUE or"),
        ("defines", [("A", 1, 2)], "takes NAME, NAME=VALUE or"),
        ("defines", "1A", "'1A' is not a macro name"),
        ("defines", "=1", "'' is not a macro name"),
        ("defines", {"A B": 1}, "'A B' is not a macro name"),
        ("defines", {"twice(x)": "(x+x)"}, "in a header"),
    ],
)
def test_invalid_option(name: str, given: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=r"where: *here") as caught:
        _parse(**{name: given})
    assert message in str(caught.value)


def _one(kind: OptionKind, value: object, **bounds: int) -> object:
    return OptionSpec(name="n", kind=kind, default=None, help="", **bounds).parse(value, where="here")  # type: ignore[arg-type]


def test_numbers_and_sizes() -> None:
    for given, value in ((3, 3), ("-3", -3), (" 12 ", 12), (-(1 << 63) + 1, -(1 << 63) + 1), (None, None)):
        assert _one(OptionKind.INT, given) == value
    for given, value in ((0, 0), ("64K", 65536), ("2 MiB", 2 << 20), ("1GB", 1 << 30), ("1T", 1 << 40), (7, 7)):
        assert _one(OptionKind.SIZE, given) == value
    for kind, refused in (
        (OptionKind.INT, ("", "3.0", 3.0, "0x10", "1_000", "64K", True, [3], "\u0663", 1 << 63, "9" * 20, 10**5000)),
        (OptionKind.SIZE, ("", -1, "-16", "64k", "K", "1.5M", "64 K K", False, "9999999T", 1 << 63)),
    ):
        for given in refused:
            with pytest.raises(ConfigurationError, match=r"where: *here"):
                _one(kind, given)
    with pytest.raises(ConfigurationError, match=r"from 4 to 8, a multiple of 2, not 5(.|\n)*the next multiple is 6"):
        _one(OptionKind.INT, 5, least=4, most=8, step=2)
    with pytest.raises(ConfigurationError, match="a multiple of 4") as caught:
        _one(OptionKind.INT, 9, least=4, most=10, step=4)
    assert not caught.value.hint  # 12 is too large as well


def test_misspelt_name_has_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="unknown option 'opt_leve'") as caught:
        _parse(opt_leve="3")
    assert caught.value.hint == "did you mean 'opt_level'?"


def test_misspelt_value_has_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="'thinlocal' is not a value of 'lto'") as caught:
        _parse(lto="thinlocal")
    assert caught.value.hint == "did you mean 'thin-local'?"
    assert ("allowed", "off thin-local thin fat") in caught.value.context


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cdyli": "fat"}, "'cdyli' is not a crate type"),
        ({"cdylib": "fatt"}, "'fatt' is not a value of 'lto'"),
        ({"cdylib": {"bin": "fat"}}, "is not a value of 'lto'"),
    ],
)
def test_invalid_option_by_crate_type(given: object, message: str) -> None:
    with pytest.raises(UnknownNameError, match=r"where: *here") as caught:
        _parse(lto=given)
    assert message in str(caught.value)
    with pytest.raises(UnknownNameError, match="is not a value of 'opt_level'"):
        _parse(opt_level={"bin": "3"})


def test_lto_by_crate_type() -> None:
    assert DEFAULTS.override({"lto": "thin"}).lto_for(CrateType.RLIB) is LtoMode.THIN
    options = DEFAULTS.override({"lto": (("bin", "thin"), ("cdylib", "fat"))})
    modes = [options.lto_for(kind) for kind in (CrateType.BIN, CrateType.CDYLIB, CrateType.DYLIB)]
    assert modes == [LtoMode.THIN, LtoMode.FAT, LtoMode.OFF]


def test_order_of_defines_is_ignored() -> None:
    assert _parse(defines=["B", "A"]) == _parse(defines=["A", "B"])


def test_typed_values() -> None:
    options = DEFAULTS.override({"opt_level": "s", "debuginfo": "line", "lto": "fat", "defines": (("A", None),)})
    assert options.opt_level is OptLevel.SIZE and options.opt_level.for_size
    assert options.debuginfo is DebugInfo.LINE and options.lto_for(CrateType.BIN) is LtoMode.FAT
    assert options.defines == (("A", None),)
    assert options.text("entry_point") == "" and options.texts("exports") == () and not options.flag("multimodule")
    with pytest.raises(KeyError):
        options["nothing"]


def test_override_merges_defines_and_puts_include_directories_first() -> None:
    base = DEFAULTS.override({"defines": (("A", "1"), ("B", "1")), "include_dirs": ("crate",), "opt_level": "2"})
    over = base.override({"defines": (("B", "2"), ("C", None)), "include_dirs": ("source",), "opt_level": "3"})
    assert over.defines == (("A", "1"), ("B", "2"), ("C", None))
    assert over.texts("include_dirs") == ("source", "crate")
    assert over.opt_level is OptLevel.AGGRESSIVE
    assert [name for name, _ in over.values] == sorted(name for name, _ in over.values)
    assert base.opt_level is OptLevel.DEFAULT


def test_only_selects_options() -> None:
    assert DEFAULTS.only({"lto", "defines", "no such"}).values == (("defines", ()), ("lto", "off"))


PROFILES = {
    "dev": {"opt_level": "0", "debuginfo": "line"},
    "mine": {"inherits": "dev", "opt_level": "2"},
    "yours": {"inherits": "mine", "lto": "thin"},
    "loop": {"inherits": "pool"},
    "pool": {"inherits": "loop"},
    "lost": {"inherits": "deb"},
}


def test_profiles_inherit() -> None:
    assert resolve_profile("yours", PROFILES) == {"opt_level": "2", "debuginfo": "line", "lto": "thin"}
    assert resolve_profile("dev", PROFILES) == PROFILES["dev"]


def test_profile_cycle() -> None:
    with pytest.raises(ConfigurationError, match="inherits itself") as caught:
        resolve_profile("loop", PROFILES)
    assert caught.value.context == (("chain", "loop -> pool -> loop"),)


def test_unknown_profile_has_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="unknown profile 'deb'") as caught:
        resolve_profile("lost", PROFILES)
    assert caught.value.hint == "did you mean 'dev'?"
