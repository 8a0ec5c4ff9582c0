"""The particles example: its outputs, rebuilds after edits, and determinism."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.spirv.conftest import CopyExample, Validate
from tests.support.scons_project import SconsProject

_COUNTS = re.compile(r"crate (\S+): \d+ (unit|image)s?: (.*)")

ENTRIES = {
    "spawn.comp": "compute",
    "simulate.comp": "compute",
    "cull.comp": "compute",
    "particle.vert": "vertex",
    "particle.frag": "fragment",
    "sky.vert": "vertex",
    "sky.frag": "fragment",
}


@pytest.fixture
def project(tmp_path: Path, scons_form: str, copy_example: CopyExample) -> SconsProject:
    return SconsProject(copy_example(tmp_path / "particles"), form=scons_form)


@pytest.fixture
def images(project: SconsProject) -> SconsProject:
    """Build one image for each entry point."""
    project.set_up_once("particles", lambda: project.scons("multimodule=1"))
    return project


def _edit(project: SconsProject, name: str, old: str, new: str) -> tuple[dict[str, str], set[str]]:
    """Edit a source and rebuild; return what was rebuilt of each crate, and the images that differ."""
    before = project.snapshot()
    text = project.read(name)
    assert text.count(old) == 1
    project.write({name: text.replace(old, new)})
    project.scons("multimodule=1")
    rebuilt = {f"{m[1]} {m[2]}": m[3] for line in project.built() if (m := _COUNTS.fullmatch(line))}
    after = project.snapshot()
    assert project.scons("multimodule=1").count("is up to date") == 2
    changed = {each for each, digest in after.items() if digest != before[each]}
    prefix, suffix = "particles.spvs/", ".spv"
    return rebuilt, {each[len(prefix) : -len(suffix)] for each in changed if each.startswith(prefix)}


def test_one_module_has_every_entry_point(project: SconsProject, validate: Validate) -> None:
    output = project.scons()
    manifest = json.loads(project.read("particles.spv.json"))
    assert manifest["module"] == "particles.spv"
    assert len(manifest["entry_points"]) == len(set(manifest["entry_points"])) == len(ENTRIES)
    assert {(row["name"], row["stage"]) for row in manifest["entries"]} == {
        (name.partition(".")[0], stage) for name, stage in ENTRIES.items()
    }
    assert {row["renamed_from"] for row in manifest["entries"]} == {"main"}
    validate(project.path / "particles.spv")
    size = (project.path / "particles.spv").stat().st_size
    report = output.splitlines()[-1]
    assert report.startswith(f"particles.spv, {size} bytes: spawn (compute), ")
    assert report.endswith("sky (fragment)")


def test_second_run_is_up_to_date(project: SconsProject) -> None:
    project.scons()
    before = project.snapshot()
    assert "particles.spv.json' is up to date" in project.scons()
    assert project.steps() == []
    assert "particles.spv, " in project.output
    assert project.snapshot() == before


def test_multimodule_has_one_image_per_entry_point(images: SconsProject, validate: Validate) -> None:
    manifest = json.loads(images.read("particles.spv.json"))
    paths = {f"particles.spvs/{name}.spv": stage for name, stage in ENTRIES.items()}
    assert {row["module"]: row["stage"] for row in manifest["entries"]} == paths
    assert sorted(manifest["module"].values()) == sorted(paths)
    assert {row["name"] for row in manifest["entries"]} == {"main"}
    assert {path.name for path in (images.path / "particles.spvs").iterdir()} == {Path(each).name for each in paths}
    for path in paths:
        validate(images.path / path)


@pytest.mark.parametrize(
    ("source", "old", "new", "crate", "users", "linked"),
    [
        ("maths/frustum.glsl", "-radius *", "-2.0 * radius *", "maths", {"cull.comp"}, 1),
        ("maths/noise.glsl", "1.1)", "1.2)", "maths", {"particle.frag", "sky.frag"}, 3),
        ("physics/wind.hlsl", "0.25 * time", "0.5 * time", "physics", {"simulate.comp"}, 1),
        ("physics/spawn.glsl", "5.0 + 2.0", "6.0 + 2.0", "physics", {"spawn.comp", "simulate.comp"}, 2),
        ("lighting/tone.glsl", "16.0", "9.0", "lighting", {"particle.frag", "sky.frag"}, 2),
    ],
)
def test_library_edit_rebuilds_its_crate_and_users(
    images: SconsProject, source: str, old: str, new: str, crate: str, users: set[str], linked: int
) -> None:
    rebuilt, changed = _edit(images, source, old, new)
    units = {"maths": 4, "physics": 5, "lighting": 3}[crate]
    assert rebuilt.pop(f"{crate} unit") == f"1 compiled, {units - 1} reused"
    # simulate.comp uses another function of the noise unit, so it is relinked to the same bytes.
    assert rebuilt == {"particles image": f"{linked} linked, {len(ENTRIES) - linked} reused"}
    assert changed == users


def test_include_edit_rebuilds_its_readers(images: SconsProject) -> None:
    rebuilt, changed = _edit(images, "include/constants.h", "BALL_RADIUS 1.0", "BALL_RADIUS 1.25")
    rebuilt.pop("particles image")
    # All units read the file, but only one uses the constant.
    assert rebuilt == {
        "maths unit": "0 compiled, 4 reused",
        "physics unit": "1 compiled, 4 reused",
        "lighting unit": "0 compiled, 3 reused",
        "particles unit": "0 compiled, 7 reused",
    }
    assert changed == {"simulate.comp"}


def test_include_edit_rebuilds_nothing_else(images: SconsProject) -> None:
    rebuilt, changed = _edit(images, "include/lighting.h", "vec3 colour;", "vec3 colour;  // its own")
    assert "maths unit" not in rebuilt
    assert "physics unit" not in rebuilt
    assert rebuilt["lighting unit"] == "0 compiled, 3 reused"
    assert rebuilt["particles unit"] == "0 compiled, 7 reused"
    assert not changed


def test_comment_changes_no_image(images: SconsProject) -> None:
    rebuilt, changed = _edit(images, "lighting/brdf.glsl", "// Schlick's", "// After Schlick: his")
    assert rebuilt == {"lighting unit": "0 compiled, 3 reused"}
    assert not changed


@pytest.mark.parametrize("argument", ["multimodule=0", "multimodule=1"])
def test_same_bytes_in_any_directory(tmp_path: Path, scons_form: str, copy_example: CopyExample, argument: str) -> None:
    snapshots = []
    for name, jobs in (("here", "-j1"), ("elsewhere/and longer", "-j4")):
        project = SconsProject(copy_example(tmp_path / name), form=scons_form)
        project.scons(argument, jobs)
        snapshots.append(project.snapshot())
    assert snapshots[0] == snapshots[1]
    assert any(name.endswith(".spv") for name in snapshots[0])
