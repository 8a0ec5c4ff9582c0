"""`CRATE_TIME_PASSES` reports where a build spends its time, and changes no output.

The stub reports a quarter of a second for its only pass.
"""

from __future__ import annotations

import re

import pytest

from tests.support.scons_project import SconsProject

CRATES = """\
u = env.Crate("util", ["util.stub"])
l = env.Crate("lib", ["lib.stub", "more.stub"], deps=[u], crate_type="cdylib", lto=ARGUMENTS.get("lto", "thin"))
"""
NAMES = ("util.rlink", "lib.rlink", "libutil.rlib", "lib.cdylib", "lib.cdylib.json")


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a project of two crates, not built yet, with the cache off."""
    sources = {"util": "export util\n", "more": "export more\n", "lib": "export entry @util\nimport util\n"}
    scons_project.sconstruct(CRATES, **sources)
    scons_project.environ["CRATE_CACHE"] = "off"
    return scons_project


def _times(project: SconsProject, crate: str) -> list[str]:
    return re.findall(rf"^crate {crate}: \d+\.\d{{3}} s in (.*)$", project.output, re.MULTILINE)


def test_off_by_default(project: SconsProject) -> None:
    project.scons()
    assert " s in " not in project.output


def test_each_stage_reports_calls_and_passes(project: SconsProject) -> None:
    project.environ["CRATE_TIME_PASSES"] = "1"
    project.scons("-j2")
    assert _times(project, "util") == ["1 call of compile_codegen_unit"]
    assert sorted(_times(project, "lib")) == [
        "1 call of finish_link",
        "1 call of link",
        "1 call of output_names",
        "1 call of run_thin_lto",
        "1 call of split_link",
        "2 calls of compile_codegen_unit",
        "3 calls of optimize_thin",
        "pass mark",
    ]
    assert "crate lib: 0.750 s in pass mark\n" in project.output
    assert project.output.index("in pass mark") < project.output.index("call of link")


def test_fat_lto_is_timed(project: SconsProject) -> None:
    project.environ["CRATE_TIME_PASSES"] = "1"
    project.scons("lto=fat")
    assert {"1 call of run_fat_lto", "1 call of optimize_fat"} <= set(_times(project, "lib"))
    assert "crate lib: 0.250 s in pass mark\n" in project.output


def test_timing_neither_rebuilds_nor_changes_outputs(project: SconsProject) -> None:
    project.scons()
    before = {name: (project.path / name).read_bytes() for name in NAMES}
    project.environ["CRATE_TIME_PASSES"] = "1"
    assert project.up_to_date()
    project.remove(*NAMES)
    project.scons()
    assert {name: (project.path / name).read_bytes() for name in NAMES} == before


def test_cache_hits_are_not_timed(project: SconsProject) -> None:
    """Timing does not change the key of a result."""
    project.environ["CRATE_CACHE"] = str(project.path / ".crate-cache")
    project.environ["CRATE_TIME_PASSES"] = "1"
    project.scons()
    project.remove(*NAMES)
    project.scons()
    # These are called in the build's own process each time.
    own = ["1 call of finish_link", "1 call of split_link", "2 calls of output_names"]
    assert sorted(_times(project, "lib")) == own and "0 compiled, 2 reused" in project.output
    project.remove(*NAMES)
    project.environ["CRATE_TIME_PASSES"] = "0"
    project.scons()
    assert "0 compiled, 2 reused" in project.output


def test_verified_hits_are_timed(project: SconsProject) -> None:
    project.environ |= {"CRATE_CACHE": str(project.path / ".crate-cache"), "CRATE_TIME_PASSES": "1"}
    project.scons()
    project.remove(*NAMES)
    project.environ["CRATE_CACHE_VERIFY"] = "1"
    project.scons()
    assert "2 calls of compile_codegen_unit" in _times(project, "lib")


def test_bad_value_is_refused(project: SconsProject) -> None:
    project.environ["CRATE_TIME_PASSES"] = "yes"
    assert "CRATE_TIME_PASSES takes 0 or 1, not 'yes'" in project.scons(expect=2)
