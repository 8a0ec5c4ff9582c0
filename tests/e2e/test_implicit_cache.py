"""`--max-drift`, `--implicit-cache` and `--implicit-deps-unchanged`: edits of includes still rebuild crates."""

from __future__ import annotations

import pytest

from tests.support.scons_project import SconsProject

PROJECT = """\
env.Command("gen/made.inc", "made.in", "cp $SOURCE $TARGET")
low = env.Crate("low", ["low.stub"])
app = env.Crate("app", ["a.stub"], deps=[low], crate_type="cdylib", include_dirs=["gen"], multimodule=True)
env.Command("copy.txt", app.images["a"], "cp $SOURCE $TARGET")
env.Install("out", app.image)
"""
DRIFT, IMPLICIT = 'SetOption("max_drift", 0)\n', 'SetOption("implicit_cache", 1)\n'


# With max_drift 0, SCons itself does not notice an edit of the file from which an include is generated.
@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
@pytest.mark.parametrize(
    ("head", "options", "seen"),
    [
        (DRIFT, (), False),
        (IMPLICIT, ("--max-drift=0",), False),
        (IMPLICIT, (), True),
        ("", ("--implicit-cache",), True),
        ("", ("--implicit-deps-unchanged",), True),
    ],
)
def test_edit_rebuilds_image_and_dependents(
    scons_project: SconsProject, jobs: str, head: str, options: tuple[str, ...], seen: bool
) -> None:
    words = [jobs, *options]
    scons_project.sconstruct(
        head + PROJECT,
        a="entry a\ninclude made.inc\ninclude there.inc\n",
        low="export low\n",
    )
    scons_project.write({"made.in": "export made\n", "there.inc": "export there\n"})
    scons_project.scons(*words)
    assert scons_project.up_to_date(*words)
    scons_project.write({"there.inc": "export there 2\n"})
    if seen:
        scons_project.write({"made.in": "export made 2\n"})
    scons_project.scons(*words)
    text = f"entry a\nexport made{' 2' * seen}\nexport there 2\n"
    assert [scons_project.read(name) for name in ("app.images/a", "copy.txt", "out/app.images/a")] == [text] * 3
    assert len(scons_project.steps()) == 2, scons_project.steps()
    assert scons_project.up_to_date(*words)
