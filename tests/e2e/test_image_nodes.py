"""Images as sources of other builders, in the first and later builds."""

from __future__ import annotations

import tarfile
import zipfile

import pytest

from tests.support.scons_project import SconsProject

SCONSTRUCT = """\
env.Tool("zip"); env.Tool("tar"); env.Tool("textfile")
early = env.Command("early.txt", "app.images/a", "cp $SOURCE $TARGET")
sources = ["a.stub", "b.stub", "sub/c.stub"] if not ARGUMENTS.get("fewer") else ["a.stub", "sub/c.stub"]
app = env.Crate("app", sources, crate_type="cdylib", multimodule=True)
assert list(app.images) == [name for name in ("a", "b", "c") if name != "b" or len(sources) == 3]
assert str(app.images["a"]) == "app.images/a"
assert "a" in app.images and "none" not in app.images and app.images.get("none") is None
assert app.images.get("a") is app.images["a"]
globbed = Glob("app.images/*")
assert [str(node) for node in globbed] == [f"app.images/{name}" for name in app.images], globbed
env.Command("late.txt", app.images["c"], "cp $SOURCE $TARGET")
env.Install("installed", globbed)
env.Install("whole", app.image)
env.Zip("images.zip", [app.image, "app.images/a"])
env.Tar("images.tar", [app.image])
env.Textfile("text.txt", [app.images["a"], app.images["c"]])
Default(".")
"""


def _names(project: SconsProject) -> list[str]:
    with tarfile.open(project.path / "images.tar") as file:
        return file.getnames()


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_images_as_sources(scons_project: SconsProject, jobs: str) -> None:
    scons_project.sconstruct(SCONSTRUCT, a="entry a\n", b="entry b\n")
    scons_project.write({"sub/c.stub": "entry c\n"})
    scons_project.scons(jobs)
    assert [scons_project.read(name) for name in ("early.txt", "late.txt")] == ["entry a\n", "entry c\n"]
    assert scons_project.read("text.txt") == "entry a\n\nentry c\n"
    assert scons_project.read("installed/b") == scons_project.read("whole/app.images/b") == "entry b\n"
    assert {"app.images/a", "app.images/b", "app.images/c"} <= set(
        zipfile.ZipFile(scons_project.path / "images.zip").namelist()
    )
    assert "app.images/b" in _names(scons_project)
    assert scons_project.up_to_date(jobs)
    scons_project.write({"a.stub": "entry a\nexport more\n"})
    scons_project.scons(jobs)
    assert scons_project.read("early.txt") == scons_project.read("installed/a") == "entry a\nexport more\n"
    assert "late.txt" not in scons_project.output and "installed/b" not in scons_project.output
    assert scons_project.up_to_date(jobs)
    scons_project.scons(jobs, "fewer=1")
    assert not scons_project.exists("app.images/b")
    assert "app.images/b" not in _names(scons_project)
    assert scons_project.up_to_date(jobs, "fewer=1")
    scons_project.scons("-c", "fewer=1")
    assert not scons_project.exists("app.images")
    scons_project.scons("early.txt")
    assert scons_project.exists("early.txt") and not scons_project.exists("late.txt")


def test_unknown_image_is_refused(scons_project: SconsProject) -> None:
    project = 'app = env.Crate("app", ["a.stub"], crate_type="cdylib", multimodule=True)\n'
    scons_project.sconstruct(project + 'env.Command("x.txt", "app.images/aa", "cp $SOURCE $TARGET")\n', a="entry a\n")
    output = scons_project.scons(expect=2)
    assert "app.images/aa is not an image in app.cdylib.json" in output
    assert "'app.images/a'" in output
    scons_project.sconstruct(project + 'app.images["aa"]\n', a="entry a\n")
    output = scons_project.scons(expect=2)
    assert "crate 'app' has no image 'aa'" in output and "line 5" in output


ACTIONS = """\
def say(target, source, env):
    print("SAY", target[0])
def early(target, source, env):
    print("SAY early", target[0])
env.Tool("zip")
env.AddPostAction("app.images", Action(early, None))
app = env.Crate("app", ["a.stub", "b.stub"], crate_type="cdylib", multimodule=True)
AddPreAction(app.image, Action(say, None))
AddPostAction(app, Action(say, None))
AddPostAction(app.images["a"], Action(say, None))
AddPostAction(app.images["a"], "echo export own >> $TARGET")
Default(env.Zip("images.zip", [app.image]))
"""


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_actions_around_images(scons_project: SconsProject, jobs: str) -> None:
    """Actions of the directory and of the crate run once around the link; those of an image run after it."""
    scons_project.sconstruct(ACTIONS, a="entry a\n", b="entry b\n")
    expected = ["SAY app.cdylib.json", "SAY early app.cdylib.json", "SAY app.cdylib.json", "SAY app.images/a"]
    for text in ("entry a\n", "entry a\nexport more\n"):
        scons_project.write({"a.stub": text})
        scons_project.scons(jobs)
        assert [line for line in scons_project.output.splitlines() if line.startswith("SAY")] == expected
        with zipfile.ZipFile(scons_project.path / "images.zip") as file:
            assert file.read("app.images/a").decode() == text + "export own\n"
        assert scons_project.up_to_date(jobs)


def test_target_of_an_action_is_the_manifest(scons_project: SconsProject) -> None:
    """`$TARGET` is the first output of the link, as for every builder; the image has to be named by its path."""
    scons_project.sconstruct(
        'app = env.Crate("app", ["a.stub"], crate_type="cdylib")\n'
        'AddPostAction(app.image, f"cp {app.image} latest; echo first is $TARGET")\n',
        a="entry a\n",
    )
    for text in ("entry a\n", "entry a\nexport more\n"):
        scons_project.write({"a.stub": text})
        assert "first is app.cdylib.json" in scons_project.scons()
        assert scons_project.read("latest") == text
        assert scons_project.up_to_date()
