"""Crates for several targets, and finding dependencies by name."""

from __future__ import annotations

import pytest

from tests.support.scons_project import SconsProject


def test_one_declaration_for_several_targets(scons_project: SconsProject) -> None:
    """Libraries without a target of their own are built for each target that needs them."""
    scons_project.sconstruct(
        'lib = env.Crate("lib", ["b.stub"])\n'
        'app = env.Crate("app", ["a.stub"], deps=[lib], crate_type="cdylib", target=["text", "text2"])\n'
        'assert list(app.targets) == ["text", "text2"]\n'
        "Default(app)\n",
        a="entry a\nimport b\n",
        b="export b\n",
    )
    scons_project.scons("-j4")
    assert scons_project.read("text/app.cdylib") == scons_project.read("text2/app.cdylib")
    assert scons_project.exists("text2/liblib.rlib") and not scons_project.exists("text/liblib.rlib")
    assert scons_project.up_to_date()
    scons_project.sconstruct('env.Crate("app", ["a.stub"], target=["text", "text"])\n', a="entry a\n")
    assert "for one target twice" in scons_project.scons(expect=2)


def test_dependency_for_another_target_is_refused(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        'lib = env.Crate("lib", ["b.stub"], target="text2")\n'
        'env.Crate("app", ["a.stub"], deps=[lib], crate_type="cdylib")\n',
        a="entry a\n",
        b="export b\n",
    )
    output = scons_project.scons(expect=2)
    assert "crate 'app' is for target 'text', but 'lib' is not" in output
    assert "SConstruct" in output
    assert not scons_project.exists("app.cdylib")
    # A dependency by name is resolved after all declarations, but before anything is built.
    by_name = 'env.Crate("app", ["a.stub"], deps=["lib"], crate_type="cdylib", target="text2")\n'
    scons_project.sconstruct(by_name + 'env.Crate("lib", ["b.stub"], target="text")\n')
    output = scons_project.scons(expect=2)
    assert "crate 'app' is for target 'text2', but 'lib' is not" in output
    assert "declared in: SConstruct:4" in output and "text, SConstruct:5" in output
    assert "Compiling crate app" not in output


@pytest.mark.parametrize("order", [1, -1])
def test_dependencies_by_name_are_built_for_the_target(scons_project: SconsProject, order: int) -> None:
    """In any order of declaration, through several crates and directories; a cycle is reported."""
    lines = [
        'SConscript("low/SConscript", "env")',
        'env.Crate("lib", ["b.stub"], deps=["low"])',
        'one = env.Crate("one", ["a.stub"], deps=["lib"], crate_type="cdylib", target="text2")',
        'app = env.Crate("app", ["a.stub"], deps=["lib"], crate_type="cdylib", target=["text", "text2"])',
    ]
    scons_project.sconstruct(
        "\n".join(lines[::order]) + "\nDefault(app, one)\n",
        a="entry a\nimport b\n",
        b="export b\nimport low\n",
    )
    scons_project.write(
        {"low/SConscript": 'Import("env")\nenv.Crate("low", ["l.stub"])\n', "low/l.stub": "export low\n"}
    )
    scons_project.scons("-j4")
    assert scons_project.read("text/app.cdylib") == scons_project.read("text2/app.cdylib")
    assert scons_project.read("one.cdylib") == scons_project.read("text2/app.cdylib")
    made = sorted(str(path.relative_to(scons_project.path)) for path in scons_project.path.rglob("*.rlib"))
    assert made == ["liblib.rlib", "low/liblow.rlib", "low/text2/liblow.rlib", "text2/liblib.rlib"]
    assert scons_project.up_to_date()
    scons_project.write({"low/l.stub": "export low\nexport more\n"})
    scons_project.scons("text2/app.cdylib")
    assert scons_project.steps() == [
        *("Archiving low/text2/liblow.rlib", "Archiving text2/liblib.rlib"),
        *("Compiling crate low/text2/low.rlink", "Linking text2/app.cdylib.json"),
    ]
    scons_project.write({"low/SConscript": 'Import("env")\nenv.Crate("low", ["l.stub"], deps=["lib"])\n'})
    assert "cycle" in scons_project.scons(expect=2)


def test_one_name_in_two_directories(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        'one = SConscript("one/SConscript", "env")\n'
        'two = SConscript("two/SConscript", "env")\n'
        'env.Crate("app", ["a.stub"], deps=[one, two], crate_type="cdylib")\n',
        a="entry a\nimport one\nimport two\n",
    )
    for name in ("one", "two"):
        scons_project.write(
            {
                f"{name}/SConscript": 'Import("env")\nlib = env.Crate("lib", ["l.stub"], metadata=["'
                + name
                + '"])\nReturn("lib")\n',
                f"{name}/l.stub": f"export {name}\n",
            }
        )
    scons_project.scons("-j4")
    assert scons_project.read("app.cdylib") == "entry a\nimport one\nimport two\nexport two\nexport one\n"
    assert scons_project.up_to_date()


def test_ambiguous_name_is_refused(scons_project: SconsProject) -> None:
    script = 'Import("env")\nenv.Crate("lib", ["l.stub"])\n'
    scons_project.sconstruct(
        'SConscript(["one/SConscript", "two/SConscript"], "env")\nenv.Crate("app", ["a.stub"], deps=["lib"])\n',
        a="entry a\n",
    )
    for name in ("one", "two"):
        scons_project.write({f"{name}/SConscript": script, f"{name}/l.stub": f"export {name}\n"})
    output = scons_project.scons(expect=2)
    assert "crate 'app' depends on 'lib', but there are 2 of that name" in output


def test_names_of_the_same_directory_come_first(scons_project: SconsProject) -> None:
    script = (
        'Import("env")\nenv.Crate("app", ["a.stub"], deps=["lib"], crate_type="cdylib")\nenv.Crate("lib", ["l.stub"])\n'
    )
    scons_project.sconstruct('SConscript(["one/SConscript", "two/SConscript"], "env")\n')
    for name in ("one", "two"):
        scons_project.write(
            {
                f"{name}/SConscript": script,
                f"{name}/a.stub": f"entry {name}\nimport f\n",
                f"{name}/l.stub": f"export f {name}\n",
            }
        )
    scons_project.scons()
    assert scons_project.read("two/app.cdylib") == "entry two\nimport f\nexport f two\n"
    assert scons_project.up_to_date()
