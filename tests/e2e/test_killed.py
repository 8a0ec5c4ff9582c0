"""A build that was killed has made files that SCons does not know of: the next one is not to take them for its own."""

from __future__ import annotations

import shutil

import pytest

from tests.support.scons_project import SconsProject

CRATES = """\
base = env.Crate("base", ["base.stub"])
env.Crate("app", ["app.stub"], deps=[base], crate_type="cdylib", lto={lto!r}, defines=ARGUMENTS.get("defines", "A"))
"""


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
def test_what_a_killed_build_made_is_not_what_was_asked(scons_project: SconsProject, lto: str) -> None:
    """SCons writes what it remembers when it ends; a source and an option are as they were before."""
    project = scons_project
    project.sconstruct(CRATES.format(lto=lto), base="export base\n", app="entry app\nimport base\n")
    project.scons()
    made = project.snapshot()
    memory = project.path / ".sconsign.dblite"
    shutil.copy(memory, project.path / ".kept")
    project.write({"base.stub": "export base\nexport more\n"})
    project.scons("defines=B")
    assert project.snapshot() != made
    shutil.copy(project.path / ".kept", memory)
    project.write({"base.stub": "export base\n"})
    project.scons()
    assert project.snapshot() == made
    assert project.up_to_date()
