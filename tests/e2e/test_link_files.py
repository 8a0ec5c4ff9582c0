"""Libraries that a link reads are its inputs, as sources and includes are a unit's.

The stub backend appends the text of a library.
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
    """Return a built program with a dependency's library, which is found in the second of two directories."""
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


def _relinks(project: SconsProject, text: str, reason: str) -> None:
    project.scons()
    assert (project.steps(), project.built()) == ([LINK], [LINKED])
    assert f"crate app: because {reason}" in project.output
    assert project.read("app.bin").endswith(f"library dylib=x\n{text}")
    assert project.up_to_date()


def test_changed_library_relinks(project: SconsProject) -> None:
    project.write({"two/x.lib": "again\n"})
    _relinks(project, "again\n", "two/x.lib changed: ")


def test_library_in_an_earlier_directory_relinks(project: SconsProject) -> None:
    project.write({"one/x.lib": "near\n"})
    _relinks(project, "near\n", "one/x.lib appeared (1 image)")
    project.write({"two/x.lib": "behind\n"})
    assert project.up_to_date()
    project.remove("one/x.lib")
    _relinks(project, "behind\n", "one/x.lib went away (1 image)")


def test_removed_library_relinks(project: SconsProject) -> None:
    project.remove("two/x.lib")
    _relinks(project, "", "two/x.lib went away (1 image)")


def test_unused_library_does_not_relink(project: SconsProject) -> None:
    project.write({"one/y.lib": "", "two/y.lib": "", "x.lib": ""})
    assert project.up_to_date()


def test_restored_library_reuses_the_first_link(project: SconsProject) -> None:
    project.write({"two/x.lib": "again\n"})
    project.scons()
    project.write({"two/x.lib": "first\n"})
    project.scons()
    assert (project.steps(), project.built()) == ([LINK], [REUSED])
    assert project.read("app.bin").endswith("first\n")
    assert project.up_to_date()


def test_other_checkouts_reuse_a_link_with_the_same_library(project: SconsProject, tmp_path: Path) -> None:
    for name, text, built in (("same", "first\n", REUSED), ("other", "else\n", LINKED)):
        there = SconsProject(tmp_path / name, form=project.form)
        there.environ["CRATE_CACHE"] = project.environ["CRATE_CACHE"]
        shutil.copytree(project.path, there.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*", "*.rl*"))
        there.write({"two/x.lib": text})
        there.scons()
        assert built in there.built()
        assert there.read("app.bin").endswith(text)


def test_library_relinks_every_image(project: SconsProject) -> None:
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


def test_explain_names_the_library(
    project: SconsProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"two/x.lib": "again\n"})
    project.scons()
    monkeypatch.chdir(project.path)
    assert cli.main(["explain", "app.bin.json"]) == 0
    assert "  two/x.lib changed: " in capsys.readouterr().out


def test_cache_verify_accepts_the_link(project: SconsProject) -> None:
    project.environ["CRATE_CACHE_VERIFY"] = "1"
    project.remove("app.bin")
    project.scons()
    assert project.built() == [REUSED]
