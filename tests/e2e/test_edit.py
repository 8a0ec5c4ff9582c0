"""An edit rebuilds exactly what depends on it, once."""

from __future__ import annotations

import pytest

from tests.support.scons_project import SconsProject

COMPILE_MATHS = "Compiling crate maths.rlink"
COMPILE_APP = "Compiling crate app.rlink"
ARCHIVE_MATHS = "Archiving libmaths.rlib"
LINK_APP = "Linking app.cdylib.json"
PROJECT = """\
maths = env.Crate("maths", Glob("maths/*.stub"), include_dirs=["first", "inc"], {maths})
app = env.Crate("app", ["a.stub", "b.stub"], deps=[maths], crate_type="cdylib", {app})
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a built project of two crates with two units each."""
    sources = {"a": "entry a\nimport square\n", "b": "entry b\nimport cube\n"}
    library = {
        "maths/sq.stub": "include k.inc\nexport square\n",
        "maths/cube.stub": "export cube\n",
        "inc/k.inc": "export k 1\n",
    }

    def build() -> None:
        scons_project.sconstruct(PROJECT.format(maths="", app=""), **sources)
        scons_project.write(library)
        scons_project.scons()

    scons_project.set_up_once("edit", build)
    return scons_project


def _declare(project: SconsProject, **options: str) -> None:
    text = project.read("SConstruct")
    head = text[: text.index("maths =")]
    project.write({"SConstruct": head + PROJECT.format(**{"maths": "", "app": "", **options})})


def _rebuilds(project: SconsProject, steps: list[str], counts: list[str]) -> None:
    """Check the steps of the next run, that a run after it does nothing, and that a clean build is the same."""
    project.scons("-j4")
    assert project.steps() == sorted(steps), project.output
    assert project.built() == sorted(counts), project.output
    assert project.up_to_date()
    incremental = project.snapshot()
    project.scons("-c")
    project.environ["CRATE_CACHE"] = "off"
    project.scons("-j1")
    assert project.snapshot() == incremental


def test_edited_source_rebuilds_dependents(project: SconsProject) -> None:
    project.write({"maths/cube.stub": "export cube 3\n"})
    _rebuilds(
        project,
        [COMPILE_MATHS, ARCHIVE_MATHS, LINK_APP],
        ["crate maths: 2 units: 1 compiled, 1 reused", "crate app: 1 image: 1 linked, 0 reused"],
    )
    assert "export cube 3" in project.read("app.cdylib")


def test_codegen_does_not_wait_for_dependencies(project: SconsProject) -> None:
    """A crate compiles even if its dependency is broken."""
    project.scons("-c")
    project.write({"maths/cube.stub": "error broken\n"})
    project.scons("app.rlink")
    assert project.steps() == ["Compiling crate app.rlink"]
    assert not project.exists("maths.rlink") and not project.exists("libmaths.rlib")


def test_touched_source_rebuilds_nothing(project: SconsProject) -> None:
    (project.path / "maths/cube.stub").touch()
    assert project.up_to_date()


def test_early_cutoff_after_edit_of_a_comment(project: SconsProject) -> None:
    """The crate is compiled to the same bytes, so nothing downstream is rebuilt."""
    project.write({"maths/cube.stub": "# a remark\nexport cube\n"})
    project.scons()
    assert COMPILE_MATHS in project.steps()
    # Symbols record their lines, so the archive changed; the image linked from it did not.
    before = project.read("app.cdylib")
    assert project.up_to_date()
    project.write({"maths/cube.stub": "# other words\nexport cube\n"})
    project.scons()
    assert project.steps() == [COMPILE_MATHS]
    assert project.read("app.cdylib") == before


def test_reverted_edit_compiles_nothing(project: SconsProject) -> None:
    before = project.snapshot()
    project.write({"a.stub": "entry a 2\nimport square\n"})
    project.scons()
    project.write({"a.stub": "entry a\nimport square\n"})
    project.scons()
    assert project.built() == ["crate app: 1 image: 0 linked, 1 reused", "crate app: 2 units: 0 compiled, 2 reused"]
    assert project.snapshot() == before


def test_edited_include_rebuilds_dependents(project: SconsProject) -> None:
    project.write({"inc/k.inc": "export k 2\n"})
    _rebuilds(
        project,
        [COMPILE_MATHS, ARCHIVE_MATHS, LINK_APP],
        ["crate maths: 2 units: 1 compiled, 1 reused", "crate app: 1 image: 1 linked, 0 reused"],
    )


def test_edit_within_the_clock_resolution_is_seen(project: SconsProject) -> None:
    """The edit keeps the length of the file."""
    project.write({"inc/k.inc": "export k 7\n"})
    project.scons()
    assert COMPILE_MATHS in project.steps()
    assert "export k 7" in project.read("app.cdylib")


def test_shadowing_include_appears_and_disappears(project: SconsProject) -> None:
    before = project.snapshot()
    project.write({"first/k.inc": "export k 9\n"})
    project.scons()
    assert project.steps() == [ARCHIVE_MATHS, COMPILE_MATHS, LINK_APP]
    assert "export k 9" in project.read("app.cdylib")
    assert project.up_to_date()
    project.remove("first/k.inc")
    project.scons()
    assert "crate maths: 2 units: 0 compiled, 2 reused" in project.built()
    assert project.snapshot() == before
    assert project.up_to_date()


def test_link_option_compiles_nothing(project: SconsProject) -> None:
    _declare(project, app="shout=True")
    project.scons()
    assert "crate app: 2 units: 0 compiled, 2 reused" in project.built()
    assert COMPILE_MATHS not in project.steps()
    assert "ENTRY A" in project.read("app.cdylib")
    assert project.up_to_date()


def test_unit_option_compiles_its_crate(project: SconsProject) -> None:
    _declare(project, app='defines=["X=1"]')
    project.scons()
    assert project.built() == ["crate app: 2 units: 2 compiled, 0 reused"]
    assert project.steps() == [COMPILE_APP]
    assert project.up_to_date()


def test_option_of_one_source_compiles_that_source(project: SconsProject) -> None:
    text = project.read("SConstruct")
    project.write({"SConstruct": text.replace('"b.stub"', '("b.stub", {"defines": {"cube": "square"}})')})
    _rebuilds(
        project,
        [COMPILE_APP, LINK_APP],
        ["crate app: 2 units: 1 compiled, 1 reused", "crate app: 1 image: 1 linked, 0 reused"],
    )
    assert "import cube" not in project.read("app.cdylib")


def test_same_options_from_another_profile_compile_nothing(project: SconsProject) -> None:
    project.write({"SConstruct": project.read("SConstruct").replace('"stub")', '"stub", CRATE_PROFILE="release")')})
    project.scons()
    assert all(" 0 compiled" in line for line in project.built() if "unit" in line), project.built()


def test_source_added_and_removed(project: SconsProject) -> None:
    before = project.snapshot()
    project.write({"maths/new.stub": "export new\n"})
    project.scons()
    assert "crate maths: 3 units: 1 compiled, 2 reused" in project.built()
    assert project.up_to_date()
    project.remove("maths/new.stub")
    project.scons()
    assert "crate maths: 2 units: 0 compiled, 2 reused" in project.built()
    assert project.snapshot() == before
    assert project.up_to_date()


def test_order_of_sources_changes_the_image(project: SconsProject) -> None:
    project.write({"SConstruct": project.read("SConstruct").replace('["a.stub", "b.stub"]', '["b.stub", "a.stub"]')})
    project.scons()
    assert project.steps() == [COMPILE_APP, LINK_APP]
    assert project.read("app.cdylib").startswith("entry b")


@pytest.mark.parametrize("name", ["app.cdylib", "app.cdylib.json", "app.rlink", "libmaths.rlib", "maths.rlink"])
def test_deleted_output_is_restored_from_the_cache(project: SconsProject, name: str) -> None:
    before = project.snapshot()
    project.remove(name)
    project.scons()
    assert all(", 0 reused" not in line for line in project.built()), project.output
    assert project.snapshot() == before
    assert project.up_to_date()


def test_deleted_image_of_a_directory_is_restored(project: SconsProject) -> None:
    _declare(project, app="multimodule=True")
    project.scons()
    before = project.snapshot()
    project.remove("app.images/b")
    project.scons()
    assert project.steps() == [LINK_APP]
    assert project.built() == ["crate app: 2 images: 0 linked, 2 reused"]
    assert project.snapshot() == before


def test_removed_entry_point_removes_its_image(project: SconsProject) -> None:
    _declare(project, app="multimodule=True")
    project.scons()
    project.write({"b.stub": "entry c\nimport cube\n"})
    project.scons()
    assert project.built() == ["crate app: 2 images: 1 linked, 1 reused", "crate app: 2 units: 1 compiled, 1 reused"]
    assert sorted(path.name for path in (project.path / "app.images").iterdir()) == ["a", "c"]
    assert project.up_to_date()


def test_deleted_state_file_rebuilds_its_stage(project: SconsProject) -> None:
    project.remove(".maths.rlink.state")
    project.scons()
    assert project.built() == ["crate maths: 2 units: 0 compiled, 2 reused"]
    assert project.up_to_date()


def test_damaged_cache_recompiles(project: SconsProject) -> None:
    before = project.snapshot()
    for path in (project.path / ".crate-cache").rglob("*"):
        if path.is_file():
            path.write_bytes(b"?" * path.stat().st_size)
    project.scons("-c")
    project.scons()
    assert all(", 0 reused" in line for line in project.built()), project.output
    assert project.snapshot() == before


EDITS = '''\
import os, cratewright
from cratewright.testing import StubBackend

class Edits(StubBackend):
    """While it compiles the first source, an editor saves a header that the second includes as well."""

    NAME = "edits"

    def compile_codegen_unit(self, stencil):
        unit = super().compile_codegen_unit(stencil)
        saved, header = (os.path.join(self.session.root, path) for path in ("saved.inc", "f.inc"))
        if stencil.path == "a.stub" and os.path.exists(saved):
            os.replace(saved, header)
        return unit

@cratewright.hookimpl
def cratewright_register_backend():
    return Edits
'''


@pytest.mark.parametrize("cache", ["off", "kept"])
def test_header_saved_between_two_compilations(scons_project: SconsProject, cache: str) -> None:
    """One unit saw the old header, the other the new one: the next build recompiles only the first."""
    project = scons_project
    project.environ["CRATE_CACHE"] = cache
    project.write({"site_scons/edits.py": EDITS, "f.inc": "export f 1\n", "saved.inc": "export f 2\n"})
    project.write({"a.stub": "include f.inc\nexport a\n", "b.stub": "include f.inc\nexport b\n"})
    project.write(
        {
            "SConstruct": "import sys\nsys.path.insert(0, 'site_scons')\nimport cratewright, edits\n"
            "DefaultEnvironment(tools=[]), cratewright.register(edits)\n"
            'env = Environment(tools=[cratewright.tool], CRATE_BACKEND="edits")\n'
            'env.Crate("app", ["a.stub", "b.stub"])\n'
        }
    )
    project.scons("-j1")
    assert project.built() == ["crate app: 2 units: 2 compiled, 0 reused"]
    project.scons("-j1")
    reused = 1 if cache == "kept" else 0
    assert project.built() == [f"crate app: 2 units: {2 - reused} compiled, {reused} reused"]
    assert project.up_to_date()
