"""A killed build leaves outputs that SCons has not recorded; the next build must not take them as up to date."""

from __future__ import annotations

import shutil

import pytest

from tests.support.scons_project import SconsProject

CRATES = """\
base = env.Crate("base", ["base.stub"])
env.Crate("app", ["app.stub"], deps=[base], crate_type="cdylib", lto={lto!r}, defines=ARGUMENTS.get("defines", "A"))
"""


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
def test_outputs_of_a_killed_build_are_rebuilt(scons_project: SconsProject, lto: str) -> None:
    """SCons writes its database only when it ends; then the source and the option change back."""
    project = scons_project
    project.sconstruct(CRATES.format(lto=lto), base="export base\n", app="entry app\nimport base\n")
    project.scons()
    made = project.snapshot()
    database = project.path / ".sconsign.dblite"
    shutil.copy(database, project.path / ".kept")
    project.write({"base.stub": "export base\nexport more\n"})
    project.scons("defines=B")
    assert project.snapshot() != made
    shutil.copy(project.path / ".kept", database)
    project.write({"base.stub": "export base\n"})
    project.scons()
    assert project.snapshot() == made
    assert project.up_to_date()
