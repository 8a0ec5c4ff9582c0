"""A clean build: its files and their contents, and a second run that does nothing."""

from __future__ import annotations

import json

from cratewright.formats.archive import read_archive
from cratewright.formats.metadata import decode_rlib
from tests.support.scons_project import SconsProject

BOTH_FORMS = True

PROJECT = """\
maths = env.Crate("maths", Glob("maths/*.stub"), include_dirs=["inc"])
app = env.Crate("app", ["a.stub", "b.stub"], deps=[maths], crate_type=["rlib", "cdylib"], multimodule=True)
assert maths.image is None and maths.manifest is None and str(maths.rlib) == "libmaths.rlib"
assert str(app.rlink) == "app.rlink" and str(app.image) == "app.images" and str(app.manifest) == "app.cdylib.json"
Default(app)
"""


def _write(project: SconsProject) -> None:
    project.sconstruct(PROJECT, a="entry a @square\nimport square\n", b="entry b\nimport cube\nwarning hm\n")
    project.write(
        {
            "maths/sq.stub": "include k.inc\nexport square K\n",
            "maths/cube.stub": "export cube @square\nimport square\n",
            "inc/k.inc": "# nothing\n",
        }
    )


def test_builds_rlib_image_and_manifest(scons_project: SconsProject) -> None:
    _write(scons_project)
    output = scons_project.scons()
    assert "b.stub:3: warning: hm\n" in output
    assert scons_project.built() == [
        "crate app: 2 images: 2 linked, 0 reused",
        "crate app: 2 units: 2 compiled, 0 reused",
        "crate maths: 2 units: 2 compiled, 0 reused",
    ]
    assert scons_project.steps() == [
        "Archiving libapp.rlib",
        "Archiving libmaths.rlib",
        "Compiling crate app.rlink",
        "Compiling crate maths.rlink",
        "Linking app.cdylib.json",
    ]
    assert scons_project.read("app.images/a") == "entry a @square\nimport square\nexport square K\n"
    assert (
        scons_project.read("app.images/b")
        == "entry b\nimport cube\nexport cube @square\nimport square\nexport square K\n"
    )
    assert json.loads(scons_project.read("app.cdylib.json")) == {"images": ["app.images/a", "app.images/b"]}
    rlib = (scons_project.path / "libmaths.rlib").read_bytes()
    names = [member.name for member in read_archive(rlib, path="rlib")]
    assert names == ["lib.rmeta", "maths/cube.stub.o", "maths/sq.stub.o"]
    assert decode_rlib(rlib, path="rlib").name == "maths"


def test_second_run_does_nothing(scons_project: SconsProject) -> None:
    _write(scons_project)
    scons_project.scons()
    before = scons_project.snapshot()
    assert scons_project.up_to_date()
    assert scons_project.up_to_date("-j4")
    assert scons_project.snapshot() == before


def test_silent_mode_prints_only_warnings(scons_project: SconsProject) -> None:
    _write(scons_project)
    assert scons_project.scons("-s") == "b.stub:3: warning: hm\n"


def test_warning_is_repeated_when_its_unit_is_reused(scons_project: SconsProject) -> None:
    _write(scons_project)
    scons_project.scons()
    scons_project.write({"a.stub": "entry a\nimport cube\n"})
    output = scons_project.scons()
    assert "crate app: 2 units: 1 compiled, 1 reused" in output
    assert "b.stub:3: warning: hm\n" in output


def test_outputs_depend_on_neither_jobs_nor_path(scons_project: SconsProject) -> None:
    """Checkouts at different paths, built with -j1 and -j4, are identical to the byte."""
    other = SconsProject(scons_project.path.parent / "a longer path" / "elsewhere", form=scons_project.form)
    _write(scons_project)
    _write(other)
    scons_project.scons("-j1")
    other.scons("-j4")
    assert scons_project.snapshot() == other.snapshot()
    assert "app.images/a" in scons_project.snapshot()


def test_changing_a_node_list_does_not_change_its_crate(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        """\
early = env.Command("early.txt", [], Touch("$TARGET"))
late = env.Command("late.txt", "liblib.rlib", Touch("$TARGET"))
everything = env.Crate("lib", "lib.stub")
other = env.Crate("other", "other.stub")
app = env.Crate("app", "app.stub", deps=["lib", "other"], crate_type="cdylib", multimodule=True)
Depends(app, [early, late])
nodes, libraries = app[:], [*everything, *other]
everything += other
other.clear()
image = app.pop(0)
packed = env.Crate("packed", "packed.stub", deps=everything, crate_type="cdylib")
everything += app
env.Command("all.txt", everything + packed + nodes, Touch("$TARGET"))
assert repr(packed) == "<crate packed>" and "<crate " not in repr(app) + repr(everything)
assert packed.is_crate and not app.is_crate
""",
        lib="export square\n",
        other="export cube\n",
        app="entry app @square @cube\n",
        packed="entry packed @square @cube\n",
    )
    steps = scons_project.scons("all.txt", "-Q")
    assert "Found dependency cycle" not in steps
    assert [line for line in scons_project.built() if "image" in line] == [
        "crate app: 1 image: 1 linked, 0 reused",
        "crate packed: 1 image: 1 linked, 0 reused",
    ]
    assert (scons_project.path / "all.txt").is_file()
