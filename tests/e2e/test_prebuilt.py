"""Prebuilt rlibs as dependencies, and features that select dependencies."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.support.scons_project import SconsProject

IMAGE = "entry a\nimport f\nexport f @g\nimport g\nexport g\n"


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a project without an SConstruct, with rlibs of `lib` and of its dependency `base`."""
    maker = SconsProject(scons_project.path.parent / "maker", form=scons_project.form)

    def build() -> None:
        maker.sconstruct(
            'env.Crate("lib", ["f.stub"], deps=["base"], target=ARGUMENTS.get("target"))\n'
            'env.Crate("base", ["g.stub"], target=ARGUMENTS.get("target"))\n',
            f="export f @g\nimport g\n",
            g="export g\n",
        )
        maker.scons()

    maker.set_up_once("prebuilt", build)
    scons_project.write({"a.stub": "entry a\nimport f\n", "pre/README": "rlibs of others\n"})
    for name in ("liblib.rlib", "libbase.rlib"):
        shutil.copy(maker.path / name, scons_project.path / "pre" / name)
    return scons_project


def _rebuild_lib(project: SconsProject, text: str, *arguments: str) -> None:
    """Replace the prebuilt rlib of `lib` by one from another source."""
    maker = SconsProject(project.path.parent / "maker", form=project.form)
    maker.write({"f.stub": text})
    maker.scons(*arguments)
    shutil.copy(maker.path / "liblib.rlib", project.path / "pre/liblib.rlib")


PYTHON = 'env.Crate("app", ["a.stub"], deps={deps}, crate_type="cdylib")\n'
TOML = '[crate.app]\nsources = ["a.stub"]\ntype = "cdylib"\ndeps = [{deps}]\n'


@pytest.mark.parametrize(
    "deps", ['[File("pre/liblib.rlib")]', '["pre/liblib.rlib"]', 'Glob("pre/*.rlib")', "[toml]"], ids=str
)
@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_prebuilt_rlib_is_linked(project: SconsProject, deps: str, jobs: str) -> None:
    if deps == "[toml]":
        project.sconstruct('env.CrateWorkspace("crates.toml")\n')
        project.write({"crates.toml": TOML.format(deps='{ path = "pre/liblib.rlib" }')})
    else:
        project.sconstruct(PYTHON.format(deps=deps))
    project.scons(jobs)
    assert project.read("app.cdylib") == IMAGE, "dependencies beside an rlib are found, as rustc does"
    assert project.steps() == ["Compiling crate app.rlink", "Linking app.cdylib.json"]
    assert project.up_to_date(jobs)
    _rebuild_lib(project, "export f 2\n")
    project.scons(jobs)
    assert project.steps() == ["Linking app.cdylib.json"]
    assert project.read("app.cdylib") == "entry a\nimport f\nexport f 2\n"
    assert project.up_to_date(jobs)
    project.scons("-c")
    assert project.exists("pre/liblib.rlib") and not project.exists("app.cdylib")


def test_prebuilt_rlib_may_depend_on_a_built_crate(project: SconsProject) -> None:
    project.remove("pre/libbase.rlib")
    project.sconstruct(PYTHON.format(deps='["pre/liblib.rlib"]') + 'env.Crate("base", ["b.stub"])\n', b="export g 2\n")
    project.scons()
    assert project.read("app.cdylib") == IMAGE.replace("export g\n", "export g 2\n")
    assert project.up_to_date()


def test_rlib_node_of_a_crate_is_a_dependency_on_the_crate(project: SconsProject) -> None:
    project.sconstruct('lib = env.Crate("lib", ["f.stub"])\n' + PYTHON.format(deps="[lib.rlib]"), f="export f\n")
    project.scons("app.cdylib")
    assert project.read("app.cdylib") == "entry a\nimport f\nexport f\n"


@pytest.mark.parametrize("duplicate", [False, True])
def test_prebuilt_rlib_in_a_variant_directory(project: SconsProject, duplicate: bool) -> None:
    project.sconstruct(f'SConscript("src/SConscript", "env", variant_dir="out", duplicate={duplicate})\n')
    shutil.move(project.path / "pre", project.path / "src/pre")
    project.write(
        {
            "src/SConscript": 'Import("env")\n' + PYTHON.format(deps='["pre/liblib.rlib"]'),
            "src/a.stub": "entry a\nimport f\n",
        }
    )
    project.scons()
    assert project.read("out/app.cdylib") == IMAGE
    assert project.up_to_date()


def test_prebuilt_rlib_in_a_repository(project: SconsProject) -> None:
    here = SconsProject(project.path.parent / "here", form=project.form)
    here.sconstruct(PYTHON.format(deps='["pre/liblib.rlib"]'))
    here.write({"SConstruct": f"Repository({str(project.path)!r})\n" + here.read("SConstruct")})
    here.scons()
    assert here.read("app.cdylib") == IMAGE
    assert here.up_to_date()


MISTAKES = {
    "not_there": PYTHON.format(deps='["pre/liblob.rlib"]'),
    "not_built_by_a_crate": 'made = env.Command("x.rlib", [], "touch $TARGET")\n' + PYTHON.format(deps="[made]"),
    "no_rlib": 'open("bad.rlib", "w").write("not an archive")\n' + PYTHON.format(deps='["bad.rlib"]'),
    "of_another_crate_of_the_name": PYTHON.format(deps='["pre/liblib.rlib", "pre/copy.rlib"]'),
    "not_there_in_toml": 'env.CrateWorkspace("crates.toml")\n',
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(project: SconsProject, golden: Callable[[str, str], None], name: str) -> None:
    shutil.copy(project.path / "pre/liblib.rlib", project.path / "pre/copy.rlib")
    project.write({"crates.toml": TOML.format(deps='\n  { path = "pre/liblob.rlib" },\n')})
    project.sconstruct(MISTAKES[name])
    output = project.scons(expect=2).replace(str(project.path), "PROJECT")
    golden(f"workspace/prebuilt_{name}.txt", output)
    assert not project.exists("app.rlink")


def test_prebuilt_rlib_for_another_target_is_refused(project: SconsProject) -> None:
    project.sconstruct(PYTHON.format(deps='["pre/liblib.rlib"]'))
    _rebuild_lib(project, "export f\n", "target=text2")
    assert "crate 'app' and its dependency 'lib' differ in target" in project.scons(expect=2)
    assert not project.exists("app.cdylib")


FEATURES = """\
[crate.app]
sources = ["a.stub"]
type = "cdylib"
deps = [{ name = "lib", optional = true }, { path = "pre/libbase.rlib" }]
[crate.app.features]
default = ["define:f=g"]
far = ["dep:lib", "lib/more", "define:f=f"]
near = ["define:a=b"]
[crate.lib]
sources = ["l.stub"]
features = { more = ["define:less=f"] }
"""


def test_features(project: SconsProject) -> None:
    project.sconstruct(
        'env.CrateWorkspace("crates.toml", features=ARGUMENTS.get("f", "").split())\nDefault("app.cdylib")\n'
    )
    project.write({"crates.toml": FEATURES, "l.stub": "export less\n"})
    project.scons()
    assert project.read("app.cdylib") == "entry a\nimport g\nexport g\n"
    assert project.up_to_date()
    project.scons("f=app/near")
    assert project.read("app.cdylib") == "entry b\nimport g\nexport g\n"
    assert project.steps() == ["Compiling crate app.rlink", "Linking app.cdylib.json"]
    assert "cannot have features 'default' and 'far' together" in project.scons("f=app/far", expect=2)
    project.write({"SConstruct": project.read("SConstruct").replace("split()", "split(), default_features=False")})
    project.scons("f=app/far")
    assert project.read("app.cdylib") == "entry a\nimport f\nexport f\n"
    assert project.up_to_date("f=app/far")
    assert "is not a feature of a crate" in project.scons("f=far", expect=2)
    assert "did you mean 'far'?" in project.scons("f=app/fare", expect=2)
