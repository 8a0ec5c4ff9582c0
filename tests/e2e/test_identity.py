"""The identity of crates, and what an edit of a body or an interface rebuilds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cratewright.formats.crate_metadata import CrateMetadata
from cratewright.formats.metadata import decode_rlib, decode_rlink
from tests.support.scons_project import SconsProject

Golden = Callable[[str, str], None]

CHAIN = """\
base = env.Crate("base", ["base.stub"])
lib = env.Crate("lib", ["lib.stub"], deps=[base])
top = env.Crate("top", ["top.stub"], deps=["lib"], crate_type=["rlib", "dylib"])
env.Crate("app", ["app.stub"], deps=[top], crate_type="cdylib")
"""


@pytest.fixture
def chain(scons_project: SconsProject) -> SconsProject:
    """Return a built project of four crates, each of which depends on the one before."""
    scons_project.sconstruct(
        CHAIN,
        base="export ground\n",
        lib="export floor @ground\nimport ground\n",
        top="export roof @floor\nimport floor\n",
        app="entry main @roof\nimport roof\n",
    )
    scons_project.scons("-j4")
    assert scons_project.up_to_date()
    return scons_project


def _rlib(project: SconsProject, name: str) -> CrateMetadata:
    return decode_rlib((project.path / f"lib{name}.rlib").read_bytes(), path=name)


def test_rlib_records_the_interfaces_of_its_dependencies(chain: SconsProject) -> None:
    assert _rlib(chain, "lib").dependencies == (_rlib(chain, "base").reference,)
    assert _rlib(chain, "top").dependencies == (_rlib(chain, "lib").reference,)
    rlink = decode_rlink((chain.path / "lib.rlink").read_bytes(), path="lib.rlink")
    assert [(item.stable_id, item.interface) for item in rlink.dependencies] == [(_rlib(chain, "base").stable_id, "")]


def test_edit_of_a_body_only_relinks_dependents(chain: SconsProject) -> None:
    """Dependents are neither compiled nor archived again; only their images are linked."""
    before = chain.snapshot()
    chain.write({"base.stub": "export ground changed\n"})
    chain.scons("-j4")
    assert chain.steps() == [
        "Archiving libbase.rlib",
        "Compiling crate base.rlink",
        "Linking app.cdylib.json",
        "Linking top.dylib.json",
    ]
    after = chain.snapshot()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"base.stub", "base.rlink", "libbase.rlib", "top.dylib", "app.cdylib"}
    assert chain.up_to_date()


def test_edit_of_an_interface_rearchives_direct_dependents(chain: SconsProject) -> None:
    chain.write({"base.stub": "export ground\nexport underground\n"})
    chain.scons("-j4")
    assert [step for step in chain.steps() if "Linking" not in step] == [
        "Archiving libbase.rlib",
        "Archiving liblib.rlib",
        "Compiling crate base.rlink",
    ]
    assert _rlib(chain, "lib").dependencies == (_rlib(chain, "base").reference,)
    assert chain.up_to_date()
    incremental = chain.snapshot()
    chain.scons("-c")
    chain.scons("-j1")
    assert chain.snapshot() == incremental


def test_rlib_waits_for_the_interfaces_it_records(chain: SconsProject) -> None:
    chain.scons("-c")
    chain.scons("-j4", "liblib.rlib")
    assert chain.steps() == ["Archiving liblib.rlib", "Compiling crate base.rlink", "Compiling crate lib.rlink"]
    assert chain.up_to_date("liblib.rlib")


def test_archive_reports_damaged_rlink_of_a_dependency(chain: SconsProject) -> None:
    rlink = chain.path / "base.rlink"
    data = rlink.read_bytes()
    rlink.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
    chain.scons("liblib.rlib", expect=2)
    assert "base.rlink is truncated or damaged" in chain.output
    rlink.unlink()
    chain.scons()
    assert chain.up_to_date()


TWO = """\
old = env.Crate("noise", ["old.stub"], version="1.0.0")
Export("env")
new = SConscript("two/SConscript")
left = env.Crate("left", ["left.stub"], deps=[old])
right = env.Crate("right", ["right.stub"], deps=[new])
env.Crate("app", ["app.stub"], deps=[left, right], crate_type="{types}", {options})
"""
TWO_FILES = {
    "two/SConscript": 'Import("env")\nnew = env.Crate("noise", ["new.stub"], version="2.0.0")\nReturn("new")\n',
    "two/new.stub": "export noise2\n",
    "old.stub": "export noise1\n",
    "left.stub": "export left @noise1\nimport noise1\n",
    "right.stub": "export right @noise2\nimport noise2\n",
    "app.stub": "entry main @left @right\nimport left\nimport right\n",
}


@pytest.fixture
def two(scons_project: SconsProject) -> SconsProject:
    """Return a project with two versions of one crate."""
    scons_project.sconstruct(TWO.format(types="cdylib", options=""))
    scons_project.write(TWO_FILES)
    return scons_project


@pytest.mark.parametrize(
    ("types", "options"),
    [("cdylib", ""), ("dylib", ""), ("cdylib", 'lto="fat"'), ("cdylib", 'lto="thin"'), ("staticlib", "")],
)
def test_two_versions_of_one_crate(two: SconsProject, types: str, options: str) -> None:
    two.sconstruct(TWO.format(types=types, options=options))
    two.scons("-j4")
    if "lto" in options:
        assert "1 of noise 1.0.0" in two.output and "1 of noise 2.0.0" in two.output
    else:
        text = (two.path / f"app.{types}").read_bytes()
        assert b"export noise1" in text and b"export noise2" in text
    assert two.up_to_date()


def test_clashing_symbols_of_two_versions(two: SconsProject, golden: Golden) -> None:
    two.write({"two/new.stub": "export noise1\nexport noise2\n"})
    two.scons(expect=2)
    golden("errors/clash_of_versions.txt", two.errors)


def test_two_crates_with_the_same_identity(two: SconsProject, golden: Golden) -> None:
    text = two.read("two/SConscript")
    two.write({"two/SConscript": text.replace("2.0.0", "1.0.0")})
    two.scons("-j1", expect=2)
    golden("errors/crates_of_one_identity.txt", two.errors)
    for words in ('"1.0.0", metadata="simd"', '"1.0.0", metadata=["with", "words"]'):
        two.write({"two/SConscript": text.replace('"2.0.0"', words)})
        two.scons()
        assert two.up_to_date()


def test_metadata_in_a_workspace(scons_project: SconsProject) -> None:
    scons_project.sconstruct('env.CrateWorkspace("crates.toml")\n', a="export a\n")
    scons_project.write({"crates.toml": '[crate.a]\nsources = ["a.stub"]\nmetadata = ["simd"]\nversion = "3.0.0"\n'})
    scons_project.scons()
    assert (_rlib(scons_project, "a").metadata, _rlib(scons_project, "a").version) == (("simd",), "3.0.0")
    plain = _rlib(scons_project, "a").stable_id
    scons_project.write({"crates.toml": '[crate.a]\nsources = ["a.stub"]\nmetadata = "other"\nversion = "3.0.0"\n'})
    scons_project.scons()
    assert _rlib(scons_project, "a").stable_id != plain


def test_metadata_of_a_wrong_type(scons_project: SconsProject, golden: Golden) -> None:
    scons_project.sconstruct('env.Crate("a", ["a.stub"], metadata=3)\n', a="export a\n")
    scons_project.scons(expect=2)
    golden("errors/metadata_of_no_kind.txt", scons_project.output.replace(str(scons_project.path), "PROJECT"))
