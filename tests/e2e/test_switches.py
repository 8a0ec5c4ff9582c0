"""SCons's own switches and methods, used on crates."""

from __future__ import annotations

import pytest

from cratewright.formats.metadata import decode_dylib
from tests.support.scons_project import SconsProject

PROJECT = """\
lib = env.Crate("lib", ["b.stub"])
app = env.Crate("app", ["a.stub"], deps=[lib], crate_type=["rlib", "cdylib"], multimodule={multimodule})
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a project that is not built yet."""
    scons_project.sconstruct(PROJECT.format(multimodule=False), a="entry a\nimport b\n", b="export b\n")
    return scons_project


def _append(project: SconsProject, text: str) -> None:
    project.write({"SConstruct": project.read("SConstruct") + text})


def test_dry_run(project: SconsProject) -> None:
    before = project.snapshot()
    project.scons("-n")
    assert "Linking app.cdylib.json" in project.steps()
    assert project.snapshot() == before and not project.exists(".app.rlink.state")
    assert project.built() == []
    project.scons()
    assert len(project.built()) == 3


def test_question(project: SconsProject) -> None:
    before = project.snapshot()
    project.scons("-q", expect=1)
    assert project.snapshot() == before
    project.scons()
    project.scons("-q")
    project.write({"b.stub": "export b 2\n"})
    project.scons("-q", expect=1)
    project.scons()
    assert "export b 2" in project.read("app.cdylib")


@pytest.mark.parametrize("multimodule", [False, True])
def test_clean(project: SconsProject, multimodule: bool) -> None:
    project.sconstruct(PROJECT.format(multimodule=multimodule))
    before = sorted(path.name for path in project.path.iterdir())
    project.scons()
    built = project.snapshot()
    project.scons("-c")
    left = sorted(path.name for path in project.path.iterdir())
    assert [name for name in left if name not in (".crate-cache", ".sconsign.dblite")] == before
    project.scons()
    assert all(" 0 compiled" in line or " 0 linked" in line for line in project.built()), project.output
    assert project.snapshot() == built


def test_keep_going(project: SconsProject) -> None:
    _append(project, 'env.Crate("other", ["c.stub"], crate_type="cdylib")\n')
    project.write({"a.stub": "error no\n", "c.stub": "entry c\n"})
    output = project.scons("-k", expect=2)
    assert "a.stub:1: error: no" in output
    assert project.read("other.cdylib") == "entry c\n"
    assert project.exists("liblib.rlib") and not project.exists("app.cdylib")
    project.write({"a.stub": "entry a\nimport b\n"})
    project.scons()
    assert project.steps() == ["Archiving libapp.rlib", "Compiling crate app.rlink", "Linking app.cdylib.json"]
    assert project.up_to_date()


def test_tree(project: SconsProject) -> None:
    output = project.scons("--tree=all")
    assert "+-app.rlink" in output and "+-liblib.rlib" in output
    assert project.up_to_date()
    project.scons("--tree=all,prune,status")


def test_debug_explain(project: SconsProject) -> None:
    project.scons()
    assert "scons: rebuilding" not in project.scons("--debug=explain")
    project.write({"b.stub": "export b 2\n"})
    output = project.scons("--debug=explain")
    assert "scons: rebuilding `lib.rlink' because `inputs of lib.rlink' changed" in output
    assert "scons: rebuilding `liblib.rlib' because:\n           `lib.rlink' changed\n" in output


def test_ninja_tool_is_refused(scons_project: SconsProject) -> None:
    """It would not rebuild a crate after an edit."""
    scons_project.sconstruct(
        'Environment(tools=["ninja"], CCDEPFLAGS="")\nenv.Crate("app", ["a.stub"], crate_type="cdylib")\n',
        a="entry a\n",
    )
    for _ in range(3):
        scons_project.scons()  # loading the tool is harmless; null builds take another path, so run several
    output = scons_project.scons("--experimental=ninja", expect=2)
    assert "SCons's ninja tool cannot build crates" in output and "line 5" in output


def test_one_target(project: SconsProject) -> None:
    project.scons("liblib.rlib")
    assert project.steps() == ["Archiving liblib.rlib", "Compiling crate lib.rlink"]
    assert project.up_to_date("liblib.rlib")


def test_explicit_targets_in_parallel(project: SconsProject) -> None:
    """SCons's default Environment must exist before worker threads need it."""
    project.scons("-j3", "app.cdylib", "libapp.rlib", "liblib.rlib")
    assert project.read("app.cdylib") == "entry a\nimport b\nexport b\n"


def test_default_and_alias(project: SconsProject) -> None:
    _append(project, 'Default(lib)\nenv.Alias("everything", [app, lib])\n')
    project.scons()
    assert project.steps() == ["Archiving liblib.rlib", "Compiling crate lib.rlink"]
    project.scons("everything")
    assert "Linking app.cdylib.json" in project.steps()
    assert project.up_to_date("everything")


def test_alias_with_keyword_arguments(project: SconsProject) -> None:
    _append(project, 'env.Alias(target="text", source="a.stub")\nenv.Alias(target="library", source=[lib])\n')
    project.scons("text")
    assert project.built() == []
    project.scons("library")
    assert project.exists("liblib.rlib") and project.up_to_date("library")


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_install_of_an_image(project: SconsProject, jobs: str) -> None:
    _append(project, 'env.Alias("install", [env.Install("prefix", [app.image, app.manifest, lib.rlib])])\n')
    project.scons(jobs, "install")
    assert project.read("prefix/app.cdylib") == "entry a\nimport b\nexport b\n"
    assert project.exists("prefix/liblib.rlib") and project.exists("prefix/app.cdylib.json")
    assert project.up_to_date(jobs, "install")
    project.write({"b.stub": "export b 2\n"})
    project.scons(jobs, "install")
    assert project.read("prefix/app.cdylib") == "entry a\nimport b\nexport b 2\n"
    assert project.up_to_date(jobs, "install")


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_install_of_a_directory_of_images(project: SconsProject, jobs: str) -> None:
    project.sconstruct(PROJECT.format(multimodule=True) + 'env.Alias("install", env.Install("prefix", app.image))\n')
    project.scons(jobs, "install")
    assert project.read("prefix/app.images/a") == "entry a\nimport b\nexport b\n"
    assert project.up_to_date(jobs, "install")
    project.write({"b.stub": "export b 2\n"})
    project.scons(jobs, "install")
    assert project.read("prefix/app.images/a") == "entry a\nimport b\nexport b 2\n"
    assert project.up_to_date(jobs, "install")


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
@pytest.mark.parametrize("multimodule", [False, True])
def test_image_as_source_of_a_command(project: SconsProject, jobs: str, multimodule: bool) -> None:
    pack = "cat app.cdylib.json > $TARGET; ls app.images >> $TARGET || cat app.cdylib >> $TARGET"
    project.sconstruct(PROJECT.format(multimodule=multimodule) + f'env.Command("packed.txt", app, "{pack}")\n')
    project.scons(jobs)
    packed = project.read("packed.txt")
    assert packed.endswith("a\n" if multimodule else "export b\n"), packed
    assert project.up_to_date(jobs)
    project.write({"a.stub": "entry z\nimport b\n"})
    project.scons(jobs)
    assert project.read("packed.txt").endswith("z\n" if multimodule else "export b\n")
    assert project.up_to_date(jobs)


@pytest.mark.parametrize("multimodule", [False, True])
def test_images_built_in_an_earlier_run_update_their_copies(project: SconsProject, multimodule: bool) -> None:
    """SCons alone would compare a directory only within the run that built it."""
    image = "app.images/a" if multimodule else "app.cdylib"
    uses = (
        f'env.Command("packed.txt", app.image, "cat {image} > $TARGET")\n'
        'env.Install("prefix", app.image)\nenv.InstallAs("other/copy", app.image)\n'
    )
    copies = ["packed.txt", f"prefix/{image}", "other/copy/a" if multimodule else "other/copy"]
    project.sconstruct(PROJECT.format(multimodule=multimodule) + uses)
    project.scons()
    for text in ("export b 2\n", "export b 3\n"):
        project.write({"b.stub": text})
        project.scons("app.cdylib.json", "app.images" if multimodule else "app.cdylib")
        assert [text in project.read(name) for name in copies] == [False, False, False]
        project.scons()
        assert project.steps() == []
        assert [text in project.read(name) for name in copies] == [True, True, True]
        assert project.up_to_date()


def test_depends_on_a_crate(project: SconsProject) -> None:
    _append(project, 'stamp = env.Command("stamp", [], Touch("$TARGET"))\nenv.Depends(stamp, app)\nDefault(stamp)\n')
    project.scons("-j4")
    assert project.exists("app.cdylib") and project.exists("stamp")
    assert project.up_to_date()


def test_crates_in_lists(project: SconsProject) -> None:
    _append(
        project,
        'more = env.Crate("more", ["c.stub"], deps=[lib])\nDefault([lib, [more]])\nassert len(lib + more) == 2\n',
    )
    project.write({"c.stub": "export c\n"})
    project.scons()
    assert project.exists("libmore.rlib") and not project.exists("app.rlink")


def test_every_crate_type(project: SconsProject) -> None:
    project.sconstruct(
        'env.Crate("all", ["a.stub"], deps=["lib"], crate_type=["rlib", "dylib", "cdylib", "staticlib"])\n'
        'env.Crate("prog", ["a.stub"], deps=["lib"], crate_type="bin")\n'
        'env.Crate("lib", ["b.stub"])\n'
    )
    project.scons("-j4")
    for name in ("all.cdylib", "all.staticlib", "prog.bin"):
        assert project.read(name) == "entry a\nimport b\nexport b\n"
    dylib = (project.path / "all.dylib").read_bytes()
    assert dylib.startswith(b"entry a\nimport b\nexport b\n") and decode_dylib(dylib, path="all.dylib")[0].name == "all"
    assert project.up_to_date()


def test_cache_off(project: SconsProject) -> None:
    project.environ["CRATE_CACHE"] = "off"
    project.scons()
    project.write({"a.stub": "entry a 2\nimport b\n"})
    project.scons()
    assert "crate app: 1 unit: 1 compiled, 0 reused" in project.built()
    assert not project.exists(".crate-cache")


def test_cache_shared_by_two_projects(project: SconsProject) -> None:
    other = SconsProject(project.path.parent / "other", form=project.form)
    other.write({name: project.read(name) for name in ("SConstruct", "a.stub", "b.stub")})
    project.environ["CRATE_CACHE"] = other.environ["CRATE_CACHE"] = str(project.path.parent / "shared")
    project.scons()
    other.scons()
    assert all(" 0 compiled" in line or " 0 linked" in line for line in other.built()), other.output
    assert other.snapshot() == project.snapshot()


def test_cache_set_in_the_sconstruct(project: SconsProject) -> None:
    del project.environ["CRATE_CACHE"]
    project.write({"SConstruct": project.read("SConstruct").replace('"stub")', '"stub", CRATE_CACHE="#kept")')})
    project.scons()
    assert project.exists("kept") and not project.exists(".crate-cache")
