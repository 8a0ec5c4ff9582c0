"""Where sources and results lie: variant directories, SConscript hierarchies, repositories, several environments."""

from __future__ import annotations

import pytest

from tests.support.scons_project import STUB, SconsProject

SCRIPT = """\
Import("env")
lib = env.Crate("lib", Glob("lib/*.stub"), include_dirs=["inc"])
env.Crate("app", ["a.stub"], deps=[lib], crate_type="cdylib")
"""
FILES = {
    "src/SConscript": SCRIPT,
    "src/a.stub": "entry a\nimport f\n",
    "src/lib/f.stub": "include f.inc\nexport f\n",
    "src/inc/f.inc": "export g\n",
}
IMAGE = "entry a\nimport f\nexport g\nexport f\n"


@pytest.mark.parametrize("duplicate", [False, True])
def test_variant_directory(scons_project: SconsProject, duplicate: bool) -> None:
    scons_project.sconstruct(f'SConscript("src/SConscript", "env", variant_dir="out", duplicate={duplicate})\n')
    scons_project.write(FILES)
    scons_project.scons("-j4")
    assert scons_project.read("out/app.cdylib") == IMAGE
    assert scons_project.up_to_date()
    assert not scons_project.exists("src/app.cdylib")
    scons_project.write({"src/inc/f.inc": "export g 2\n"})
    scons_project.scons()
    assert scons_project.steps() == [
        "Archiving out/liblib.rlib",
        "Compiling crate out/lib.rlink",
        "Linking out/app.cdylib.json",
    ]
    assert "export g 2" in scons_project.read("out/app.cdylib")
    scons_project.write({"src/lib/f.stub": "export f 2\n"})
    scons_project.scons()
    assert scons_project.read("out/app.cdylib") == "entry a\nimport f\nexport f 2\n"
    assert scons_project.up_to_date()
    scons_project.write({"src/lib/f2.stub": "export h\n"})
    scons_project.scons()
    assert "crate lib: 2 units: 1 compiled, 1 reused" in scons_project.built()
    scons_project.remove("src/lib/f2.stub")
    if duplicate:
        # Glob() finds SCons's own copy first; this is how SCons treats its other builders, too.
        assert "src/lib/f2.stub: no such source" in scons_project.scons(expect=2)
    scons_project.scons()
    assert "crate lib: 1 unit: 0 compiled, 1 reused" in scons_project.built()
    assert scons_project.up_to_date()


@pytest.mark.parametrize("duplicate", [0, 1])
def test_variant_directories_within_each_other(scons_project: SconsProject, duplicate: int) -> None:
    """The outer one is declared later, and SCons lets it change what the inner one has said of its files."""
    scons_project.sconstruct(
        f'SConscript("src/in/SConscript", "env", variant_dir="out/in", duplicate={duplicate})\n'
        'SConscript("src/SConscript", "env", variant_dir="out", duplicate=1)\n'
    )
    crate = 'Import("env")\nenv.Crate("{0}", ["a.stub"], crate_type=["rlib", "cdylib"], multimodule=True)\n'
    scons_project.write({"src/in/SConscript": crate.format("in"), "src/SConscript": crate.format("out")})
    scons_project.write({"src/in/a.stub": "entry i\n", "src/a.stub": "entry o\n"})
    scons_project.scons()
    assert scons_project.up_to_date()
    scons_project.write({"src/in/a.stub": "entry j\n"})
    scons_project.scons()
    assert scons_project.read("out/in/in.images/j") == "entry j\n"
    assert scons_project.up_to_date()
    scons_project.scons("-c")
    assert not [path for path in (scons_project.path / "out").rglob(".*")]


@pytest.mark.parametrize("duplicate", [0, 1])
def test_a_variant_directory_of_a_variant_directory(scons_project: SconsProject, duplicate: int) -> None:
    scons_project.sconstruct('SConscript("src/SConscript", "env", variant_dir="out", duplicate=0)\n')
    inner = f'SConscript("in/SConscript", "env", variant_dir="again", duplicate={duplicate})\n'
    crate = 'Import("env")\nenv.Crate("app", ["app.stub"], include_dirs=["inc"])\n'
    sources = {"app.stub": "include beside.h\ninclude far.h\n", "beside.h": "export a 1\n", "inc/far.h": "export b 1\n"}
    written = {f"src/in/{name}": text for name, text in sources.items()}
    scons_project.write({"src/SConscript": 'Import("env")\n' + inner, "src/in/SConscript": crate, **written})
    scons_project.scons()

    scons_project.write({"src/in/inc/far.h": "export b 2\n"})
    scons_project.scons()

    assert scons_project.built() == ["crate app: 1 unit: 1 compiled, 0 reused"]
    assert scons_project.up_to_date()


def test_a_variant_directory_reuses_what_the_source_directory_compiled(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        'SConscript("src/SConscript", "env")\nSConscript("src/SConscript", "env", variant_dir="out", duplicate=False)\n'
    )
    scons_project.write(FILES)
    scons_project.scons()
    assert scons_project.read("out/app.cdylib") == scons_project.read("src/app.cdylib")
    assert scons_project.built().count("crate app: 1 unit: 0 compiled, 1 reused") == 1
    assert scons_project.up_to_date()


def test_two_targets_in_variant_directories(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        "for target in ('text', 'text2'):\n"
        "    env2 = env.Clone(CRATE_TARGET=target, CRATE_PROFILE='release')\n"
        "    SConscript('src/SConscript', {'env': env2}, variant_dir=target, duplicate=False)\n"
    )
    scons_project.write(FILES)
    scons_project.scons("-j4")
    assert scons_project.read("text/app.cdylib") == scons_project.read("text2/app.cdylib") == IMAGE
    assert all(" 0 reused" in line for line in scons_project.built()), scons_project.output
    assert scons_project.up_to_date()


def test_one_declaration_for_several_targets(scons_project: SconsProject) -> None:
    """Libraries follow, those that name no target of their own."""
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


def test_a_dependency_of_another_target_is_refused(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        'lib = env.Crate("lib", ["b.stub"], target="text2")\n'
        'env.Crate("app", ["a.stub"], deps=[lib], crate_type="cdylib")\n',
        a="entry a\n",
        b="export b\n",
    )
    output = scons_project.scons(expect=2)
    assert "crate 'app' is for target 'text', and 'lib' is not" in output
    assert "SConstruct" in output
    assert not scons_project.exists("app.cdylib")
    # By name, it is not known before all crates are; nothing has been built by then.
    by_name = 'env.Crate("app", ["a.stub"], deps=["lib"], crate_type="cdylib", target="text2")\n'
    scons_project.sconstruct(by_name + 'env.Crate("lib", ["b.stub"], target="text")\n')
    output = scons_project.scons(expect=2)
    assert "crate 'app' is for target 'text2', and 'lib' is not" in output
    assert "declared in: SConstruct:4" in output and "text, SConstruct:5" in output
    assert "Compiling crate app" not in output


@pytest.mark.parametrize("order", [1, -1])
def test_names_follow_the_target(scons_project: SconsProject, order: int) -> None:
    """Whatever is declared first; through several crates, other directories, and a cycle, which is told as one."""
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


def test_a_name_in_two_directories_is_not_guessed(scons_project: SconsProject) -> None:
    script = 'Import("env")\nenv.Crate("lib", ["l.stub"])\n'
    scons_project.sconstruct(
        'SConscript(["one/SConscript", "two/SConscript"], "env")\nenv.Crate("app", ["a.stub"], deps=["lib"])\n',
        a="entry a\n",
    )
    for name in ("one", "two"):
        scons_project.write({f"{name}/SConscript": script, f"{name}/l.stub": f"export {name}\n"})
    output = scons_project.scons(expect=2)
    assert "crate 'app' depends on 'lib', and there are 2 of that name" in output


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


def test_repository(scons_project: SconsProject) -> None:
    there = SconsProject(scons_project.path.parent / "repository", form=scons_project.form)
    there.write({**FILES, "src/lib/k.stub": "export k\n"})
    scons_project.write({"SConstruct": f"Repository({str(there.path)!r})\n{STUB}SConscript('src/SConscript', 'env')\n"})
    scons_project.scons()
    assert scons_project.read("src/app.cdylib") == IMAGE
    assert scons_project.up_to_date()
    there.write({"src/inc/f.inc": "export g 2\n"})
    scons_project.scons()
    assert "export g 2" in scons_project.read("src/app.cdylib")
    # A file of one's own hides the one in the repository.
    scons_project.write({"src/lib/f.stub": "export f mine\n"})
    scons_project.scons()
    assert scons_project.read("src/app.cdylib") == "entry a\nimport f\nexport f mine\n"
    assert scons_project.up_to_date()


@pytest.mark.parametrize("duplicate", ["0", "1"])
def test_include_directory_of_a_variant_only_in_a_repository(scons_project: SconsProject, duplicate: str) -> None:
    """It is found, and comes before the next one of the project."""
    scons_project.write(
        {
            "SConstruct": f"Repository('there')\n{STUB}"
            f"SConscript('src/SConscript', 'env', variant_dir='out', duplicate={duplicate})\n",
            "src/SConscript": "Import('env')\nenv.Crate('app', ['a.stub'], include_dirs=['inc', '#other'])\n",
            "src/a.stub": "include f.inc\n",
            "there/src/inc/f.inc": "export f\n",
            "other/f.inc": "export other\n",
        }
    )
    scons_project.scons()
    assert b"export f" in (scons_project.path / "out/app.rlink").read_bytes()
    assert scons_project.up_to_date()
    scons_project.write({"src/inc/f.inc": "export mine\n"})
    scons_project.scons()
    assert b"export mine" in (scons_project.path / "out/app.rlink").read_bytes()
    scons_project.remove("src/inc/f.inc")
    scons_project.scons()
    assert b"export f" in (scons_project.path / "out/app.rlink").read_bytes()
    assert scons_project.up_to_date()


@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_a_repository_that_is_built(scons_project: SconsProject, jobs: str) -> None:
    """SCons takes what is up to date there for the local file, which is none: it is made here, to the same bytes."""
    there = SconsProject(scons_project.path.parent / "repository", form=scons_project.form)
    script = f"{STUB}SConscript('src/SConscript', 'env')\n"
    there.write({**FILES, "SConstruct": script})
    there.scons()
    before = there.snapshot()
    scons_project.write({**FILES, "SConstruct": f"Repository({str(there.path)!r})\n{script}"})
    scons_project.scons(jobs)
    assert scons_project.read("src/app.cdylib") == IMAGE
    assert scons_project.snapshot()["src/liblib.rlib"] == before["src/liblib.rlib"]
    assert scons_project.up_to_date(jobs)
    scons_project.write({"src/lib/f.stub": "export f mine\n"})
    scons_project.scons(jobs)
    assert scons_project.read("src/app.cdylib") == "entry a\nimport f\nexport f mine\n"
    assert scons_project.up_to_date(jobs)
    assert there.snapshot() == before


def test_include_directories_by_every_spelling(scons_project: SconsProject) -> None:
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


def test_names_are_expanded_once_as_scons_does(scons_project: SconsProject) -> None:
    """A doubled dollar is one dollar; a variable stands for as many directories as it holds."""
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


def test_what_is_no_directory_is_not_made_to_one(scons_project: SconsProject) -> None:
    caught = 'for item in (5, True, [None], {"inc"}, b"inc", range(2), "\\0", "\\udcff"):\n'
    caught += '    try:\n        env.Crate("a", [], include_dirs=item)\n'
    caught += "    except Exception as error:\n        print(str(error).splitlines()[0])\n"
    scons_project.sconstruct(caught)
    told = [line for line in scons_project.scons().splitlines() if not line.startswith("scons")]
    items = ("5", "True", "None", "{'inc'}", "b'inc'", "range(0, 2)")
    assert told[:-2] == [f"option 'include_dirs' takes a list of strings, not {item}" for item in items]
    assert all("has characters in its name" in line for line in told[-2:])


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


def test_what_a_crate_exports_all_that_depend_on_it_can_include(scons_project: SconsProject) -> None:
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
    scons_project.scons(expect=2)  # everyone has it now, so everyone was compiled again
    assert "symbol 'shared' is defined twice" in scons_project.output


REPOSITORY = """\
libraries = SConscript("src/SConscript", "env")
env.Crate("app", ["app.stub"], deps=libraries, crate_type="cdylib")
"""
IN_REPOSITORY = {
    "app.stub": "include top.inc\nentry a\nimport f\n",
    "top.inc": "export top\n",
    "src/SConscript": 'Import("env")\nlib = env.Crate("lib", ["lib/f.stub"], include_dirs=["inc"])\nReturn("lib")\n',
    "src/lib/f.stub": "include near.inc\ninclude far.inc\nexport f\nwarning look here\n",
    "src/lib/near.inc": "include deep/more.inc\nexport near\nwarning or here\n",
    "src/lib/deep/more.inc": "export more\n",
    "src/inc/far.inc": "export far\n",
}


def test_a_repository_does_not_show(scons_project: SconsProject) -> None:
    """Where a repository lies on this machine is in no output and in no warning; a file of one's own goes before."""
    outputs = []
    for place in ("one", "another/place"):
        there = SconsProject(scons_project.path.parent / place / "repository", form=scons_project.form)
        there.write(IN_REPOSITORY)
        here = SconsProject(scons_project.path.parent / place / "here", form=scons_project.form)
        here.write({"SConstruct": f"Repository({str(there.path)!r})\n{STUB}{REPOSITORY}"})
        output = here.scons()
        assert "src/lib/f.stub:4: warning: look here" in output.splitlines()
        assert "src/lib/near.inc:3: warning: or here" in output.splitlines()
        files = ("src/lib.rlink", "src/liblib.rlib", "app.rlink", "app.cdylib")
        outputs.append([(here.path / name).read_bytes() for name in files])
        assert not any(str(there.path).encode() in data for data in outputs[-1])
        assert here.up_to_date()
    assert outputs[0] == outputs[1]
    there.write({"src/lib/deep/more.inc": "export other\n"})
    here.scons()
    assert b"export other" in (here.path / "src/lib.rlink").read_bytes()
    here.write({"src/lib/deep/more.inc": "export mine\n"})
    here.scons()
    assert b"export mine" in (here.path / "src/lib.rlink").read_bytes()
    assert here.up_to_date()
