"""Include and library directories: every spelling, and those that crates export."""

from __future__ import annotations

from tests.support.scons_project import SconsProject


def test_every_spelling_of_include_directories(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        'env["CRATE_INCLUDE_DIRS"] = ["#inc"]\n'
        'env.CrateProfile("mine", inherits="dev", defines=["X=1"])\n'
        'SConscript("src/SConscript", "env")\n'
    )
    scons_project.write(
        {
            "src/SConscript": 'Import("env")\nenv.Crate("one", ["a.stub"], crate_type="cdylib", profile="mine")\n'
            'env.Crate("two", ["a.stub"], crate_type="cdylib", include_dirs=["own", Dir("#inc")])\n'
            'env.Crate("three", [("a.stub", {"include_dirs": ["own"]})], crate_type="cdylib")\n',
            "src/a.stub": "include i.inc\n",
            "inc/i.inc": "entry X\n",
            "src/own/i.inc": "entry own\n",
        }
    )
    scons_project.scons()
    images = [scons_project.read(f"src/{name}.cdylib") for name in ("one", "two", "three")]
    assert images == ["entry 1\n", "entry own\n", "entry own\n"]
    assert scons_project.up_to_date()


def test_variables_in_include_directories_are_expanded_once(scons_project: SconsProject) -> None:
    """`$$` is a dollar; a variable may hold several directories."""
    scons_project.sconstruct(
        'env.Replace(DIRS=[Dir("in 1"), Dir("in 2")], NONE="")\n'
        'env.Crate("a", ["$$a.stub"], include_dirs=["$NONE", "$$dirs", "$DIRS"], crate_type="cdylib")\n'
        'own = {"include_dirs": ["$$dirs", "$DIRS"]}\n'
        'env.Crate("b", [("#$$a.stub", own)], include_dirs=None, crate_type="cdylib")\n'
    )
    scons_project.write({"$a.stub": "include i.inc\ninclude j.inc\n", "$dirs/i.inc": "entry i\n", "in 2/j.inc": ""})
    scons_project.scons()
    assert [scons_project.read(f"{name}.cdylib") for name in "ab"] == ["entry i\n"] * 2
    assert scons_project.up_to_date()


def test_include_directories_of_a_wrong_type_are_refused(scons_project: SconsProject) -> None:
    caught = 'for item in (5, True, [None], {"inc"}, b"inc", range(2), "\\0", "\\udcff"):\n'
    caught += '    try:\n        env.Crate("a", [], include_dirs=item)\n'
    caught += "    except Exception as error:\n        print(str(error).splitlines()[0])\n"
    scons_project.sconstruct(caught)
    messages = [line for line in scons_project.scons().splitlines() if not line.startswith("scons")]
    items = ("5", "True", "None", "{'inc'}", "b'inc'", "range(0, 2)")
    assert messages[:-2] == [f"option 'include_dirs' takes a list of strings, not {item}" for item in items]
    assert all("has characters in its name" in line for line in messages[-2:])


def test_library_directories_are_relative_to_the_script(scons_project: SconsProject) -> None:
    show = (
        "(build,) = env.fs.cratewright_builds.values()\n"
        "for crate in build.crates.values():\n"
        "    print(crate.name, *crate.crate.options.texts('lib_dirs'))\n"
    )
    scons_project.sconstruct(
        'env["CRATE_LIB_DIRS"] = ["#all"]\nSConscript("src/SConscript", "env", variant_dir="out", duplicate=False)\n'
        + show
    )
    scons_project.write(
        {
            "src/SConscript": 'Import("env")\nenv.Crate("one", ["a.stub"], lib_dirs=["own", Dir("#top")])\n'
            'env.Crate("two", ["a.stub"])\n',
            "src/a.stub": "export a\n",
        }
    )
    output = scons_project.scons("-n")
    assert "one out/own src/own top\n" in output
    assert "two all\n" in output
    scons_project.write({"all": "a file\n"})
    assert "library directory '#all' is not a directory" in scons_project.scons("-n", expect=2)


def test_sources_outside_the_project(scons_project: SconsProject) -> None:
    outside = scons_project.path.parent / "outside.stub"
    outside.write_text("entry o\n")
    scons_project.sconstruct(f'env.Crate("app", [{str(outside)!r}], crate_type="cdylib")\n')
    scons_project.scons()
    assert scons_project.read("app.cdylib") == "entry o\n"
    outside.write_text("entry o 2\n")
    scons_project.scons()
    assert scons_project.read("app.cdylib") == "entry o 2\n"
    assert scons_project.up_to_date()


def test_exported_include_directories_reach_all_dependents(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        'SConscript("base/SConscript", "env")\n'
        'env.Crate("mid", ["m.stub"], deps=["base"])\n'
        'env.Crate("app", ["a.stub"], deps=["mid"], include_dirs=["own"], crate_type="cdylib")\n',
        m="include base.inc\nexport m\n",
        a="include base.inc\ninclude other.inc\nentry a\nimport m\n",
    )
    scons_project.write(
        {
            "base/SConscript": 'Import("env")\nenv.Crate("base", ["b.stub"], export_include_dirs=["api"])\n',
            "base/b.stub": "include base.inc\nexport b\n",
            "base/api/base.inc": "# api\n",
            "base/api/other.inc": "export theirs\n",
            "own/other.inc": "export mine\n",
        }
    )
    scons_project.scons("-j4")
    # A crate's own directories come first.
    assert scons_project.read("app.cdylib") == "export mine\nentry a\nimport m\nexport m\n"
    assert scons_project.up_to_date()
    scons_project.write({"base/api/base.inc": "export shared\n"})
    scons_project.scons(expect=2)  # every crate includes it, so every crate was compiled again
    assert "symbol 'shared' is defined twice" in scons_project.output
