"""LTO through SCons: which crate types share it, what is printed, and what is optimized again after an edit.

The stub backend marks modules as optimized.
"""

from __future__ import annotations

import re

import pytest

from cratewright.formats.stage_record import decode_record
from tests.support.scons_project import SconsProject

CRATES = """\
u = env.Crate("util", ["util.stub", "rare.stub"], crate_type=["rlib", "dylib"])
l = env.Crate("lib", ["lib.stub"], deps=[u], crate_type=["rlib", "staticlib", "cdylib", "dylib"], {options})
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return the sources of two crates, without an SConstruct."""
    scons_project.write(
        {
            "util.stub": "export util\n",
            "rare.stub": "export rare\n",
            "lib.stub": "export entry @util\nimport util\n",
        }
    )
    return scons_project


def _lines(project: SconsProject) -> list[str]:
    return [line.split(";")[0] for line in project.output.splitlines() if " LTO" in line]


def test_lto_runs_once_per_distinct_list_of_modules(project: SconsProject) -> None:
    """A staticlib includes its dependency, a dylib that prefers dynamic linking does not: two lists, two runs."""
    project.sconstruct(CRATES.format(options='prefer_dynamic=True, lto={"staticlib": "fat", "dylib": "fat"}'))
    project.scons("-j4")
    assert sorted(re.sub(r", \d+ -> .*", "", line) for line in _lines(project)) == [
        "crate lib: fat LTO: 1 optimized, 0 reused",
        "crate lib: fat LTO: 1 optimized, 0 reused, with 2 of util",
    ]
    assert "internal util" in project.read("lib.staticlib")
    assert "dylib util" in (project.path / "lib.dylib").read_bytes().decode(errors="replace")
    assert project.read("lib.staticlib").count("optimized fat") == 1
    assert project.up_to_date()


def test_crate_types_with_equal_lists_share_lto(project: SconsProject) -> None:
    project.sconstruct(CRATES.format(options='lto={"staticlib": "thin", "cdylib": "thin"}'))
    project.scons("-j4")
    shared, run = sorted(_lines(project), key=len)
    assert shared == "crate lib: thin LTO shared with another crate type"
    assert run.startswith("crate lib: thin LTO: 2 optimized, 0 reused, with 2 of util")
    assert project.read("lib.staticlib") == project.read("lib.cdylib")


def test_edit_reoptimizes_only_importing_modules(project: SconsProject) -> None:
    project.sconstruct(CRATES.format(options='lto={"cdylib": "thin"}'))
    project.scons()
    project.write({"rare.stub": "export rare more\n"})  # nothing imports it
    project.scons()
    assert _lines(project)[0].startswith("crate lib: thin LTO: 0 optimized, 2 reused")
    project.write({"util.stub": "export util more\n"})
    project.scons()
    assert _lines(project)[0].startswith("crate lib: thin LTO: 2 optimized, 0 reused")
    assert "export util more\noptimized thin" in project.read("lib.cdylib")
    assert project.up_to_date()


def test_state_file_records_what_lto_did(project: SconsProject) -> None:
    project.sconstruct(CRATES.format(options='lto={"cdylib": "thin"}'))
    project.scons()
    record = decode_record((project.path / ".lib.cdylib.json.state").read_bytes())
    assert record is not None
    report = record.report_rows()
    assert (report["mode"], report["optimized"], report["offered"]) == ("thin", 2, {"util": 2})


def test_parallel_lto_gives_the_same_bytes(project: SconsProject) -> None:
    project.sconstruct(CRATES.format(options='lto="thin", prefer_dynamic=True'))
    project.scons("-j1")
    names = ("lib.staticlib", "lib.cdylib", "lib.dylib", "liblib.rlib")
    before = [(project.path / name).read_bytes() for name in names]
    project.scons("-c")
    project.environ["CRATE_CACHE"] = "off"
    project.scons("-j4")
    assert [(project.path / name).read_bytes() for name in names] == before


def test_clean_removes_lto_outputs_of_other_modes(project: SconsProject) -> None:
    """Files with similar names stay."""
    project.sconstruct(CRATES.format(options=""))
    project.scons("CRATE_LTO=fat", "lib.staticlib", "lib.cdylib")
    made = {path.name for path in project.path.glob("lib*.lto")}
    assert made
    project.write({"lib.bin.lto": "mine", "lib.x-cdylib.lto": "mine"})

    project.scons("-c")

    assert {path.name for path in project.path.glob("*lib*.lto*")} == {"lib.bin.lto", "lib.x-cdylib.lto"}
    assert not list(project.path.glob(".lib.*"))
