"""SCons's CacheDir beside crates: what it may keep, and that it never serves what is stale.

Knows nothing of the cache of our own, but that it is off here: what comes back quickly comes from SCons.
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
    """Give a built project whose crates link into one image, or into a directory of them."""
    images = "app.images/*" if request.param else "app.cdylib"
    declared = PROJECT.format(multimodule=request.param, images=images)
    files = {"b.stub": "include f.inc\nexport b\n", "inc/f.inc": "export f 1\n", "plain.txt": "plain\n"}

    def build() -> None:
        scons_project.environ["CRATE_CACHE"] = "off"
        scons_project.sconstruct(declared, a="entry a\nimport f\n", c="entry c\n")
        scons_project.write(files)
        scons_project.scons()

    scons_project.begin_as(("cache dir", request.param), build)
    return scons_project


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_what_is_cleaned_comes_back(project: SconsProject, jobs: str) -> None:
    before = project.snapshot()
    project.scons("-c")
    output = project.scons(jobs)
    assert project.snapshot() == before
    # SCons keeps what it can, and crates are not among it.
    retrieved = [line for line in output.splitlines() if line.startswith("Retrieved")]
    assert sorted(retrieved) == ["Retrieved `copy.txt' from cache", "Retrieved `packed.txt' from cache"]
    assert len(project.steps()) == 4
    assert project.up_to_date(jobs)


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_what_was_edited_meanwhile_is_not_served_as_it_was(project: SconsProject, jobs: str) -> None:
    """SCons sees neither sources nor includes: what it looks up before they were read is the same for all."""
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
def test_switches_of_the_cache(project: SconsProject, switch: str) -> None:
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


def test_the_default_environment_is_still_to_be_made(scons_project: SconsProject) -> None:
    """The tool does not make it, so that its tools can be chosen after that; builds are the same."""
    chosen = "def mine(env): env['MINE'] = 1\nprint('MINE' in DefaultEnvironment(tools=[mine]))\n"
    declared = (
        "import cratewright, cratewright.testing\ncratewright.register(cratewright.testing)\n"
        'env = Environment(tools=[cratewright.tool], CRATE_BACKEND="stub")\n'
    )
    crate = 'env.Crate("app", ["a.stub"])\n'
    scons_project.write({"SConstruct": declared + chosen + crate, "a.stub": "export a\n"})
    for _ in range(3):  # made, checked, and known to have nothing to do
        assert scons_project.scons("-j4").startswith("True\n")
