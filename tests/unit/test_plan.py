"""Checks of a crate before anything is built."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cratewright.base.errors import ConfigurationError, CratewrightError, UnknownNameError, UnsupportedError
from cratewright.pipeline.plan import check_buildable, check_target, option_table
from cratewright.testing import StubBackend
from cratewright.values.capability import Capability
from cratewright.values.crate import Crate, Source
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.option_spec import OptionValue
from cratewright.values.options import CORE_OPTIONS, Options

OPTIONS = Options(tuple(sorted((spec.name, spec.default) for spec in CORE_OPTIONS)))


def _source(path: str, name: str = "") -> Source:
    return Source(path=path, name=name or path, options=OPTIONS)


CRATE = Crate(
    name="app",
    version="0",
    backend="stub",
    target="text",
    profile="dev",
    crate_types=(CrateType.RLIB,),
    sources=(_source("a.stub"), _source("b.stub")),
    dependencies=(),
    options=OPTIONS,
)


def _linked(options: dict[str, OptionValue], *types: CrateType) -> Crate:
    return replace(CRATE, crate_types=types or (CrateType.BIN,), options=OPTIONS.override(options))


class Modest(StubBackend):
    """A backend with few capabilities."""

    NAME = "modest"
    supported_crate_types = frozenset({CrateType.RLIB, CrateType.BIN})
    capabilities = frozenset({Capability.FAT_LTO})

    def check_crate(self, crate: Crate) -> None:
        """Reject one name."""
        if crate.name == "bad":
            raise ConfigurationError("not this one")


def test_valid_crate() -> None:
    check_buildable(CRATE, Modest())
    check_buildable(_linked({"lto": "fat"}), Modest())
    # An LTO mode for all crate types, such as that of a profile, does not apply to an rlib.
    check_buildable(_linked({"lto": "thin"}, CrateType.RLIB), Modest())


def test_one_source_with_two_names() -> None:
    twice = (_source("a.stub", "one"), _source("a.stub", "two"))
    check_buildable(replace(CRATE, sources=twice), Modest())


@pytest.mark.parametrize(
    ("crate", "kind", "message"),
    [
        (replace(CRATE, sources=()), ConfigurationError, "crate 'app' has no sources"),
        (replace(CRATE, sources=CRATE.sources * 2), ConfigurationError, "given the source 'a.stub' twice"),
        (
            replace(CRATE, sources=(_source("a.stub", "x"), _source("b.stub", "x"))),
            ConfigurationError,
            "given the unit 'x' twice",
        ),
        (replace(CRATE, sources=(_source("a.glsl"),)), UnknownNameError, "backend 'modest' does not compile '.glsl'"),
        (replace(CRATE, sources=(_source("Makefile"),)), UnknownNameError, "does not compile 'Makefile'"),
        (replace(CRATE, sources=(_source("a.stub", "../x"),)), ConfigurationError, "cannot be the name of a unit"),
        (replace(CRATE, sources=(_source("a.stub", "/x"),)), ConfigurationError, "cannot be the name of a unit"),
        (replace(CRATE, sources=(_source("a\n.stub"),)), ConfigurationError, "cannot be the name of a unit"),
        (replace(CRATE, sources=(_source("\udcff.stub"),)), ConfigurationError, "cannot be the name of a unit"),
        (
            replace(CRATE, crate_types=(CrateType.RLIB, CrateType.DYLIB)),
            UnsupportedError,
            "cannot make crate type 'dylib'",
        ),
        (_linked({"lto": "thin"}), UnsupportedError, "cannot do lto='thin'"),
        (_linked({"lto": "thin-local"}), UnsupportedError, "lto='thin-local'"),
        (_linked({"lto": (("rlib", "fat"),)}, CrateType.RLIB), UnsupportedError, "asks for lto='fat' of its rlib"),
        (_linked({"lto": (("bin", "off"),)}, CrateType.RLIB), ConfigurationError, "sets lto for crate type 'bin'"),
        (_linked({"libs": ("m",)}), UnsupportedError, "has no native libraries"),
        (_linked({"allocator": "needs"}), UnsupportedError, "has no allocator"),
        (
            replace(CRATE, dependencies=(CrateReference("dep", whole=True),)),
            UnsupportedError,
            "cannot link a crate whole",
        ),
        (_linked({"prefer_dynamic": True}), UnsupportedError, "has no dynamic linkage"),
        (replace(CRATE, name="bad"), ConfigurationError, "not this one"),
    ],
)
def test_invalid_crate(crate: Crate, kind: type[CratewrightError], message: str) -> None:
    with pytest.raises(kind) as caught:
        check_buildable(crate, Modest())
    assert message in str(caught.value)


def test_crate_types_with_equal_file_names_conflict() -> None:
    both = (CrateType.DYLIB, CrateType.RLIB, CrateType.CDYLIB)
    check_buildable(_linked({}, *both), StubBackend())
    with pytest.raises(ConfigurationError, match="two files with the same name") as caught:
        check_buildable(_linked({"multimodule": True}, *both), StubBackend())
    assert caught.value.context == (("name", "app.images/"), ("crate types", "dylib cdylib"))


def test_check_target() -> None:
    assert check_target("", StubBackend) == "text"
    assert check_target("text2", StubBackend) == "text2"
    with pytest.raises(UnknownNameError, match="backend 'stub' has no target 'txet'") as caught:
        check_target("txet", StubBackend)
    assert caught.value.hint == "did you mean 'text'?"


def test_option_table_includes_those_of_the_backend() -> None:
    names = [spec.name for spec in option_table(StubBackend)]
    assert names[: len(CORE_OPTIONS)] == [spec.name for spec in CORE_OPTIONS]
    assert "shout" in names
    assert len(set(names)) == len(names)
