"""SCons's CacheDir beside crates: what it keeps, and that it never serves anything stale.

Cratewright's own cache is off, so whatever is not rebuilt comes from CacheDir.
"""

from __future__ import annotations

import pytest

from tests.support.scons_project import SconsProject

PROJECT = """\
CacheDir("kept")
lib = env.Crate("lib", ["b.stub"], include_dirs=["inc"])
app = env.Crate("app", ["a.stub", "c.stub"], deps=[lib], crate_type="cdylib", multimodule={multimodule})
packed = env.Command("packed.txt", app, "cat app.cdylib.json > $TARGET; cat {images} >> $TARGET")
env.Command("copy.txt", "plain.txt", Copy("$TARGET", "$SOURCE"))
"""


@pytest.fixture(params=[False, True], ids=["one image", "a directory"])
def project(scons_project: SconsProject, request: pytest.FixtureRequest) -> SconsProject:
    """Return a built project whose crates link into one image or into a directory of images."""
    images = "app.images/*" if request.param else "app.cdylib"
    declared = PROJECT.format(multimodule=request.param, images=images)
    files = {"b.stub": "include f.inc\nexport b\n", "inc/f.inc": "export f 1\n", "plain.txt": "plain\n"}

    def build() -> None:
        scons_project.environ["CRATE_CACHE"] = "off"
        scons_project.sconstruct(declared, a="entry a\nimport f\n", c="entry c\n")
        scons_project.write(files)
        scons_project.scons()

    scons_project.set_up_once(("cache dir", request.param), build)
    return scons_project


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_build_after_clean_restores_only_other_targets(project: SconsProject, jobs: str) -> None:
    before = project.snapshot()
    project.scons("-c")
    output = project.scons(jobs)
    assert project.snapshot() == before
    # CacheDir keeps no crates.
    retrieved = [line for line in output.splitlines() if line.startswith("Retrieved")]
    assert sorted(retrieved) == ["Retrieved `copy.txt' from cache", "Retrieved `packed.txt' from cache"]
    assert len(project.steps()) == 4
    assert project.up_to_date(jobs)


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_edit_after_clean_is_not_served_stale(project: SconsProject, jobs: str) -> None:
    """SCons sees neither sources nor includes, so its key alone would not tell the edits apart."""
    first = project.read("packed.txt")
    assert "export f 1\n" in first
    project.scons("-c")
    project.write({"inc/f.inc": "export f 2\n"})
    project.scons(jobs)
    assert project.read("packed.txt") == first.replace("export f 1", "export f 2")
    assert project.up_to_date(jobs)
    project.scons("-c")
    project.write({"a.stub": "entry a 9\nimport f\n"})
    project.scons(jobs)
    assert "entry a 9\n" in project.read("packed.txt")
    project.write({"a.stub": "entry a\nimport f\n", "inc/f.inc": "export f 1\n"})
    project.scons(jobs)
    assert project.read("packed.txt") == first
    assert project.up_to_date(jobs)


@pytest.mark.parametrize("switch", ["--cache-force", "--cache-show", "--cache-disable", "--cache-readonly"])
def test_cache_switches_of_scons(project: SconsProject, switch: str) -> None:
    before = project.snapshot()
    project.scons(switch)
    project.scons("-c", switch)
    project.write({"inc/f.inc": "export f 2\n"})
    project.scons(switch)
    assert "export f 2\n" in project.read("packed.txt")
    project.write({"inc/f.inc": "export f 1\n"})
    project.scons(switch)
    assert {name: digest for name, digest in project.snapshot().items() if not name.startswith("kept/")} == {
        name: digest for name, digest in before.items() if not name.startswith("kept/")
    }


def test_tool_does_not_create_the_default_environment(scons_project: SconsProject) -> None:
    """An SConstruct can still choose the tools of the default environment after loading ours."""
    chosen = "def mine(env): env['MINE'] = 1\nprint('MINE' in DefaultEnvironment(tools=[mine]))\n"
    declared = (
        "import cratewright, cratewright.testing\ncratewright.register(cratewright.testing)\n"
        'env = Environment(tools=[cratewright.tool], CRATE_BACKEND="stub")\n'
    )
    crate = 'env.Crate("app", ["a.stub"])\n'
    scons_project.write({"SConstruct": declared + chosen + crate, "a.stub": "export a\n"})
    for _ in range(3):  # a build, a check, and a build known to have nothing to do
        assert scons_project.scons("-j4").startswith("True\n")
