"""What a link reads beside its modules decides it as sources and includes decide a unit.

Knows nothing of linkers: the stub takes in the text of a library.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cratewright import cli
from tests.support.scons_project import SconsProject

LINK = "Linking app.bin.json"
LINKED = "crate app: 1 image: 1 linked, 0 reused"
REUSED = "crate app: 1 image: 0 linked, 1 reused"


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Give a built program that is linked with a library of a dependency, found in the second of two directories."""
    scons_project.sconstruct(
        'base = env.Crate("base", ["base.stub"], libs=["x"], lib_dirs=["one", "two"])\n'
        'env.Crate("app", ["app.stub"], deps=[base], crate_type="bin")\n',
        base="export base\n",
        app="entry main\nimport base\n",
    )
    scons_project.write({"one/other": "", "two/x.lib": "first\n"})
    scons_project.scons()
    assert scons_project.read("app.bin").endswith("library dylib=x\nfirst\n")
    assert scons_project.up_to_date()
    return scons_project


def _links(project: SconsProject, text: str, reason: str) -> None:
    project.scons()
    assert (project.steps(), project.built()) == ([LINK], [LINKED])
    assert f"crate app: because {reason}" in project.output
    assert project.read("app.bin").endswith(f"library dylib=x\n{text}")
    assert project.up_to_date()


def test_a_library_that_changes(project: SconsProject) -> None:
    project.write({"two/x.lib": "again\n"})
    _links(project, "again\n", "two/x.lib changed: ")


def test_a_library_that_appears_earlier(project: SconsProject) -> None:
    project.write({"one/x.lib": "near\n"})
    _links(project, "near\n", "one/x.lib appeared (1 image)")
    project.write({"two/x.lib": "behind\n"})
    assert project.up_to_date()
    project.remove("one/x.lib")
    _links(project, "behind\n", "one/x.lib went away (1 image)")


def test_a_library_that_is_gone(project: SconsProject) -> None:
    project.remove("two/x.lib")
    _links(project, "", "two/x.lib went away (1 image)")


def test_what_a_link_does_not_read(project: SconsProject) -> None:
    project.write({"one/y.lib": "", "two/y.lib": "", "x.lib": ""})
    assert project.up_to_date()


def test_the_libraries_of_before(project: SconsProject) -> None:
    project.write({"two/x.lib": "again\n"})
    project.scons()
    project.write({"two/x.lib": "first\n"})
    project.scons()
    assert (project.steps(), project.built()) == ([LINK], [REUSED])
    assert project.read("app.bin").endswith("first\n")
    assert project.up_to_date()


def test_another_checkout(project: SconsProject, tmp_path: Path) -> None:
    for name, text, built in (("same", "first\n", REUSED), ("other", "else\n", LINKED)):
        there = SconsProject(tmp_path / name, form=project.form)
        there.environ["CRATE_CACHE"] = project.environ["CRATE_CACHE"]
        shutil.copytree(project.path, there.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*", "*.rl*"))
        there.write({"two/x.lib": text})
        there.scons()
        assert built in there.built()
        assert there.read("app.bin").endswith(text)


def test_every_image_of_a_crate(project: SconsProject) -> None:
    source = "".join(f"entry main{number}\nimport base\n" for number in range(3))
    text = project.read("SConstruct").replace('crate_type="bin"', 'crate_type="bin", multimodule=True')
    project.write({"SConstruct": text.replace('["app.stub"]', '["a.stub", "b.stub"]')})
    project.write({"a.stub": source, "b.stub": "entry other\n"})
    project.scons()
    project.write({"one/x.lib": "near\n"})
    project.scons()
    assert "one/x.lib appeared" in project.output
    assert all(path.read_text().endswith("near\n") for path in (project.path / "app.images").iterdir())
    assert project.up_to_date()


def test_explained(project: SconsProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"two/x.lib": "again\n"})
    project.scons()
    monkeypatch.chdir(project.path)
    assert cli.main(["explain", "app.bin.json"]) == 0
    assert "  two/x.lib changed: " in capsys.readouterr().out


def test_verified(project: SconsProject) -> None:
    project.environ["CRATE_CACHE_VERIFY"] = "1"
    project.remove("app.bin")
    project.scons()
    assert project.built() == [REUSED]
