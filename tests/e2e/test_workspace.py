"""Crates declared in TOML: builds, paths and errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from tests.support.scons_project import SconsProject

TOML = """\
[profile.loud]
inherits = "release"
shout = true

[crate.app]
sources = ["a.stub"]
deps = ["lib"]
type = ["rlib", "cdylib"]

[crate.lib]
sources = ["lib/**/*.stub", { path = "extra.stub", name = "more", defines = { N = 2 } }]
include-dirs = ["inc"]
"""
FILES = {
    "crates.toml": TOML,
    "a.stub": "entry a\nimport f\n",
    "lib/f.stub": "include f.inc\nexport f @g\nimport g\nimport x\n",
    "lib/deep/g.stub": "export g\n",
    "extra.stub": "export x N\n",
    "inc/f.inc": "export i\n",
}
USE = 'w = env.CrateWorkspace("crates.toml")\nDefault(w["app"])\n'
IMAGE = "entry a\nimport f\nexport g\nexport i\nexport f @g\nimport g\nimport x\nexport x 2\n"

IN_SRC = {f"src/{name}": text for name, text in FILES.items()}
SCRIPT = {"src/SConscript": 'Import("env")\nenv.CrateWorkspace("crates.toml")\n'}


def test_workspace_builds(scons_project: SconsProject) -> None:
    scons_project.sconstruct(USE + "print(type(w).__name__, list(w), w['app'].image, w['lib'].rlib)\n")
    scons_project.write(FILES)
    assert "WorkspaceTargets ['app', 'lib'] app.cdylib liblib.rlib" in scons_project.scons()
    assert scons_project.read("app.cdylib") == IMAGE
    assert scons_project.exists("libapp.rlib")
    assert "crate lib: 3 units: 3 compiled, 0 reused" in scons_project.built()
    scons_project.sconstruct(USE)
    scons_project.scons()
    assert scons_project.up_to_date()


def test_edit_of_the_toml_rebuilds_only_what_it_changes(scons_project: SconsProject) -> None:
    scons_project.sconstruct(USE)
    scons_project.write(FILES)
    scons_project.scons()
    scons_project.write({"crates.toml": "# a remark\n" + TOML})
    assert scons_project.up_to_date()
    scons_project.write({"crates.toml": TOML.replace("[crate.app]", "[crate.app]\nshout = true")})
    scons_project.scons()
    assert scons_project.read("app.cdylib") == IMAGE.upper()
    assert all(" 0 compiled" in line for line in scons_project.built() if "unit" in line)
    scons_project.write({"crates.toml": TOML, "lib/deep/h.stub": "export h\n"})
    scons_project.scons()
    assert "crate lib: 4 units: 1 compiled, 3 reused" in scons_project.built()
    scons_project.remove("lib/deep/h.stub")
    scons_project.scons()
    assert scons_project.read("app.cdylib") == IMAGE


@pytest.mark.parametrize("order", ["{toml}{python}", "{python}{toml}"])
def test_crates_of_toml_and_sconstruct_depend_on_one_another(scons_project: SconsProject, order: str) -> None:
    python = 'env.Crate("lib", ["b.stub"], deps=["base"])\n'
    toml = 'w = env.CrateWorkspace("crates.toml")\n'
    use = 'env.Crate("top", ["c.stub"], deps=[w["app"]], crate_type="cdylib")\n'
    scons_project.sconstruct(order.format(python=python, toml=toml) + use)
    scons_project.write(
        {
            "crates.toml": '[crate.app]\nsources = ["a.stub"]\ndeps = ["lib"]\n[crate.base]\nsources = ["d.stub"]\n',
            "a.stub": "export a\nimport b\n",
            "b.stub": "export b\nimport d\n",
            "c.stub": "entry c\nimport a\n",
            "d.stub": "export d\n",
        }
    )
    scons_project.scons("-j2")
    assert scons_project.read("top.cdylib") == "entry c\nimport a\nexport a\nimport b\nexport b\nimport d\nexport d\n"


def test_profiles_and_variables(scons_project: SconsProject) -> None:
    scons_project.sconstruct('env["CRATE_PROFILE"] = ARGUMENTS.get("profile", "dev")\n' + USE)
    scons_project.write(FILES)
    scons_project.scons("profile=loud")
    assert scons_project.read("app.cdylib") == IMAGE.upper()
    scons_project.sconstruct('env["CRATE_SHOUT"] = False\nenv["CRATE_PROFILE"] = "loud"\n' + USE)
    scons_project.scons()
    assert scons_project.read("app.cdylib") == IMAGE
    # Profiles of a TOML file are for its own crates; they may inherit from those of the Environment.
    scons_project.write({"crates.toml": TOML.replace('"release"', '"mine"').replace("shout = true\n", "")})
    scons_project.sconstruct('env.CrateProfile("mine", shout=True)\nenv["CRATE_PROFILE"] = "loud"\n' + USE)
    scons_project.scons()
    assert scons_project.read("app.cdylib") == IMAGE.upper()
    scons_project.sconstruct('env.CrateProfile("mine")\n' + USE + 'env.Crate("other", ["a.stub"], profile="loud")\n')
    assert "unknown profile 'loud'" in scons_project.scons(expect=2)


def test_options_by_target(scons_project: SconsProject) -> None:
    scons_project.sconstruct('env["CRATE_TARGET"] = ARGUMENTS.get("target", "text")\n' + USE)
    scons_project.write(FILES)
    scons_project.write({"crates.toml": TOML + "[crate.app.target.text2]\nshout = true\n"})
    scons_project.scons()
    assert scons_project.read("app.cdylib") == IMAGE
    scons_project.scons("target=text2")
    assert scons_project.read("app.cdylib") == IMAGE.upper()


LIST = """\
[crate.top]
sources = ["t.stub"]
type = "cdylib"
deps = ["app"]
target = "text2"

[crate.app]
sources = ["a.stub"]
type = ["rlib", "cdylib"]
deps = ["lib"]
target = ["text", "text2"]

[crate.lib]
sources = ["lib/b.stub"]

[target.text2]
shout = true
"""


def test_list_of_targets(scons_project: SconsProject) -> None:
    """Outputs lie in a directory per target; libraries without a target are built for each, in any order."""
    scons_project.sconstruct(
        'w = env.CrateWorkspace("crates.toml")\nassert list(w["app"].targets) == ["text", "text2"]\n'
        'x = env.Crate("x", ["x.stub"], deps=[w["lib"]], crate_type="cdylib", target=["text2"])\n'
        'Default(w["app"], w["top"], x)\n',
        t="entry t\nimport a\n",
        x="entry x\nimport b\n",
    )
    scons_project.write({"a.stub": "export a\nimport b\n", "lib/b.stub": "export b\n", "crates.toml": LIST})
    scons_project.scons("-j4")
    made = {str(path.relative_to(scons_project.path)) for path in scons_project.path.rglob("*.cdylib")}
    assert made == {"text/app.cdylib", "text2/app.cdylib", "top.cdylib", "text2/x.cdylib"}
    assert scons_project.read("text/app.cdylib").upper() == scons_project.read("text2/app.cdylib")
    assert "EXPORT B" in scons_project.read("top.cdylib") and "export b" in scons_project.read("text2/x.cdylib")
    assert scons_project.exists("text2/liblib.rlib") and not scons_project.exists("liblib.rlib")
    assert scons_project.up_to_date()
    # The same holds for a single target other than the default.
    scons_project.write({"crates.toml": LIST.replace('["text", "text2"]', '"text2"')})
    scons_project.sconstruct('env.CrateWorkspace("crates.toml")\nDefault("top.cdylib")\n')
    scons_project.scons()
    for change, message in (
        (('["text", "text2"]', '["text"]'), "crates.toml:4: crate 'top' is for target 'text2', but 'app' is not"),
        (('["lib/b.stub"]', '["lib/*.stub"]\ntarget = "text"'), "crate 'app' is for target 'text2', but 'lib' is not"),
        (('["text", "text2"]', '["text", "text"]'), "crates.toml:11: crate 'app' is for one target twice"),
        (('["text", "text2"]', "[]"), "crates.toml:11: crate 'app' is for no target"),
        (('["text", "text2"]', '["text2", "text3"]'), "backend 'stub' has no target 'text3'"),
        (('["text", "text2"]', '["text", 2]'), "'target' takes"),
    ):
        scons_project.write({"crates.toml": LIST.replace(*change)})
        output = scons_project.scons(expect=2)
        assert message in output and 'SConstruct", line' in output, output


def test_paths_are_relative_to_the_file(scons_project: SconsProject) -> None:
    scons_project.sconstruct('w = env.CrateWorkspace("src/crates.toml")\nenv.Crate("util", ["u.stub"])\n')
    scons_project.write({**IN_SRC, "u.stub": "export u\n"})
    scons_project.scons()
    assert scons_project.read("src/app.cdylib") == IMAGE
    assert scons_project.exists("libutil.rlib"), "the directory of the SConstruct stays the current one"
    assert scons_project.up_to_date()


@pytest.mark.parametrize("duplicate", [False, True])
def test_variant_directories(scons_project: SconsProject, duplicate: bool) -> None:
    scons_project.sconstruct(
        "for target in ('text', 'text2'):\n"
        "    env2 = env.Clone(CRATE_TARGET=target)\n"
        f"    SConscript('src/SConscript', {{'env': env2}}, variant_dir=target, duplicate={duplicate})\n"
    )
    scons_project.write({**IN_SRC, **SCRIPT})
    scons_project.scons("-j2")
    assert scons_project.read("text/app.cdylib") == scons_project.read("text2/app.cdylib") == IMAGE
    assert scons_project.up_to_date()
    scons_project.remove("src/lib/deep/g.stub")
    scons_project.write({"src/lib/f.stub": "export f\nimport x\n"})
    scons_project.scons()
    assert scons_project.read("text/app.cdylib") == "entry a\nimport f\nexport f\nimport x\nexport x 2\n"


def test_variant_directory_below_its_sources(scons_project: SconsProject) -> None:
    scons_project.sconstruct("SConscript('src/SConscript', 'env', variant_dir='src/out')\n")
    scons_project.write({**IN_SRC, **SCRIPT, "src/crates.toml": TOML.replace("lib/**", "**/lib/**")})
    scons_project.scons()
    assert scons_project.read("src/out/app.cdylib") == IMAGE
    assert scons_project.exists("src/out/lib/f.stub"), "SCons's copies exist, and the pattern must not match them"
    assert scons_project.up_to_date()


def test_repository(scons_project: SconsProject) -> None:
    there = SconsProject(scons_project.path.parent / "there")
    there.write(FILES)
    scons_project.sconstruct(f"Repository({str(there.path)!r})\n" + USE)
    scons_project.write({"lib/deep/g.stub": "export g local\n"})
    scons_project.scons()
    assert scons_project.read("app.cdylib") == IMAGE.replace("export g\n", "export g local\n")


def test_patterns_match_generated_sources_before_they_exist(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        'env.Command("lib/gen.stub", [], lambda target, source, env: '
        'open(str(target[0]), "w").write("export gen\\n") and None)\n' + USE
    )
    scons_project.write({**FILES, "a.stub": "entry a\nimport gen\n"})
    scons_project.scons()
    assert "export gen\n" in scons_project.read("app.cdylib")
    assert scons_project.up_to_date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Changes that break a good project."""

    toml: str = TOML
    sconstruct: str = USE
    files: Mapping[str, str] = field(default_factory=dict)


MISTAKES = {
    "scons_unknown_key": Mistake(toml=TOML.replace("sources", "sorces", 1)),
    "scons_no_such_file": Mistake(sconstruct='env.CrateWorkspace("crate.toml")\n'),
    "scons_directory": Mistake(sconstruct='env.CrateWorkspace(Dir("lib"))\n'),
    "scons_two_files": Mistake(sconstruct='env.CrateWorkspace(["crates.toml", "a.toml"])\n'),
    "scons_glob_of_nothing": Mistake(toml=TOML.replace("lib/**/*", "lib/**/x*")),
    "scons_missing_source": Mistake(toml=TOML.replace("a.stub", "b.stub")),
    "scons_wrong_suffix": Mistake(toml=TOML.replace("a.stub", "crates.toml")),
    "scons_unknown_backend": Mistake(toml=TOML.replace("[crate.lib]", '[crate.lib]\nbackend = "stab"')),
    "scons_no_backend": Mistake(sconstruct='env["CRATE_BACKEND"] = ""\n' + USE),
    "scons_unknown_target": Mistake(toml=TOML.replace("[crate.lib]", '[crate.lib]\ntarget = "text3"')),
    "scons_unknown_profile": Mistake(toml=TOML.replace("[crate.lib]", '[crate.lib]\nprofile = "lowd"')),
    "scons_unknown_dependency": Mistake(toml=TOML.replace('deps = ["lib"]', 'deps = [\n  "lib",\n  "bli",\n]')),
    "scons_crate_twice": Mistake(sconstruct='env.Crate("lib", ["a.stub"])\n' + USE),
    "scons_cycle_through_both": Mistake(
        toml=TOML.replace('"lib"', '"top"'), sconstruct=USE + 'env.Crate("top", ["a.stub"], deps=[w["app"]])\n'
    ),
    "scons_no_such_crate": Mistake(sconstruct=USE.replace('"app"', '"ap"')),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(scons_project: SconsProject, golden: Callable[[str, str], None], name: str) -> None:
    mistake = MISTAKES[name]
    scons_project.sconstruct(mistake.sconstruct)
    scons_project.write({**FILES, "crates.toml": mistake.toml, **mistake.files})
    scons_project.scons(expect=2)
    # Which other backends there are depends on what is installed.
    shown = scons_project.output.replace(str(scons_project.path), "PROJECT").replace(
        "known: spirv, stub", "known: stub"
    )
    golden(f"workspace/{name}.txt", shown)
    scons_project.sconstruct(USE)
    scons_project.write(FILES)
    scons_project.scons()
    assert scons_project.read("app.cdylib") == IMAGE


@pytest.mark.parametrize("path", ["a\\u0000.stub", "a/" * 3000])
def test_impossible_path_is_refused(scons_project: SconsProject, path: str) -> None:
    scons_project.sconstruct('env.CrateWorkspace("crates.toml")\n')
    scons_project.write({"crates.toml": f'[crate.a]\nsources = ["{path}"]\n'})
    output = scons_project.scons(expect=2)
    assert "crates.toml:2" in output and "cannot be the path of a file" in output
    assert len(output) < 1000
