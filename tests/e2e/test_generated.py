"""Generated sources and includes."""

from __future__ import annotations

import pytest

from tests.support.scons_project import SconsProject

GENERATE = """\
import time
def make(target, source, env):
    time.sleep(0.3)  # long enough for -j to overtake a step that is not waited for
    with open(str(target[0]), "w") as out:
        out.write(source[0].get_text_contents())
"""


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_generated_source(scons_project: SconsProject, jobs: str) -> None:
    scons_project.sconstruct(
        GENERATE + 'made = env.Command("made.stub", "made.in", make)\n'
        'env.Crate("app", ["a.stub", made], crate_type="cdylib")\n',
        a="entry a\n",
    )
    scons_project.write({"made.in": "export made\n"})
    scons_project.scons(jobs)
    assert scons_project.read("app.cdylib") == "entry a\nexport made\n"
    assert scons_project.up_to_date(jobs)
    scons_project.write({"made.in": "export made 2\n"})
    scons_project.scons(jobs)
    assert scons_project.read("app.cdylib") == "entry a\nexport made 2\n"
    assert "crate app: 2 units: 1 compiled, 1 reused" in scons_project.built()
    assert scons_project.up_to_date(jobs)
    scons_project.remove("made.stub")
    scons_project.scons(jobs)
    # With -j the crate may be checked before its source is back; then it comes from the cache.
    assert all(" 0 compiled" in line or " 0 linked" in line for line in scons_project.built())
    scons_project.scons("-c")
    assert not scons_project.exists("made.stub")


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_undeclared_generated_includes(scons_project: SconsProject, jobs: str) -> None:
    """They are included by a source, an existing header, a generated header and through a macro."""
    scons_project.sconstruct(
        'app = env.Crate("app", ["a.stub"], crate_type="cdylib", include_dirs=["zgen"], defines={"OTHER": "d.inc"})\n'
        + GENERATE
        + 'for name in "abcd": env.Command(f"zgen/{name}.inc", f"{name}.in", make)\n'
        + 'env.Command("zgen/unrelated.inc", "e.in", make)\n'
        + 'Default("app.cdylib")\n',
        a="entry a\ninclude a.inc\ninclude there.inc\ninclude OTHER\n",
    )
    scons_project.write({"a.in": "include b.inc\n", "b.in": "export b\n", "c.in": "export c\n", "d.in": "export d\n"})
    scons_project.write({"e.in": "export e\n", "there.inc": "include c.inc\n"})
    scons_project.scons(jobs)
    assert scons_project.read("app.cdylib") == "entry a\nexport b\nexport c\nexport d\n"
    assert not scons_project.exists("zgen/unrelated.inc")
    assert scons_project.up_to_date(jobs)
    for name in "bcd":
        scons_project.write({f"{name}.in": f"export {name}{name}\n"})
    scons_project.scons(jobs)
    assert scons_project.read("app.cdylib") == "entry a\nexport bb\nexport cc\nexport dd\n"
    assert len(scons_project.steps()) == 2
    assert scons_project.up_to_date(jobs)
    # A new include in an existing header.
    scons_project.write({"there.inc": "include unrelated.inc\ninclude c.inc\n", "a.in": "export a\n"})
    scons_project.scons(jobs)
    assert scons_project.read("app.cdylib") == "entry a\nexport a\nexport e\nexport cc\nexport dd\n"
    assert scons_project.up_to_date(jobs)
    scons_project.scons("-c")
    assert not scons_project.exists("zgen/d.inc")


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_file_beside_an_outer_includer_does_not_hide_a_generated_include(
    scons_project: SconsProject, jobs: str
) -> None:
    """`b.inc` lies beside the file two includes up, where not all compilers look; the generated one counts."""
    scons_project.sconstruct(
        GENERATE + 'env.Command("zgen/b.inc", "b.in", make)\n'
        'env.Crate("app", ["a.stub"], crate_type="cdylib", include_dirs=["one", "zgen", "two"])\n'
        'Default("app.cdylib")\n',
        a="entry a\ninclude a.inc\n",
    )
    scons_project.write({"two/a.inc": "include c.inc\n", "one/c.inc": "include b.inc\n"})
    scons_project.write({"two/b.inc": "export hidden\n", "b.in": "export made\n"})
    scons_project.scons(jobs)
    assert scons_project.read("app.cdylib") == "entry a\nexport made\n"
    assert scons_project.up_to_date(jobs)


@pytest.mark.parametrize("duplicate", [0, 1])
def test_include_generated_beside_a_source(scons_project: SconsProject, duplicate: int) -> None:
    scons_project.sconstruct(
        GENERATE + f'SConscript("src/SConscript", "env make", variant_dir="out", duplicate={duplicate})\n'
    )
    scons_project.write(
        {
            "src/SConscript": 'Import("env make")\nenv.Command("made.inc", "made.in", make)\n'
            'env.Crate("app", ["a.stub"], crate_type="cdylib")\n',
            "src/a.stub": "entry a\ninclude made.inc\n",
            "src/made.in": "export made\n",
        }
    )
    for text in ("export made\n", "export made 2\n"):
        scons_project.write({"src/made.in": text})
        scons_project.scons("-j4")
        assert scons_project.read("out/app.cdylib") == f"entry a\n{text}"
        assert scons_project.up_to_date()


@pytest.mark.parametrize("duplicate", [0, 1])
def test_include_both_generated_and_beside_a_source(scons_project: SconsProject, duplicate: int) -> None:
    """With duplicated sources, SCons's own builders read the generated one, otherwise the other."""
    scons_project.sconstruct(
        GENERATE + f'SConscript("src/SConscript", "env make", variant_dir="out", duplicate={duplicate})\n'
    )
    scons_project.write(
        {
            "src/SConscript": 'Import("env make")\n'
            'env.Command("x.inc", "x.in", make)\n'
            'env.Crate("app", ["a.stub"], crate_type="cdylib")\n',
            "src/a.stub": "entry a\ninclude x.inc\n",
            "src/x.in": "export made\n",
            "src/x.inc": "export kept\n",
        }
    )
    output = scons_project.scons(expect=2 * duplicate)
    if not duplicate:
        assert scons_project.read("out/app.cdylib") == "entry a\nexport kept\n"
        assert scons_project.up_to_date()
        return
    assert "crate 'app' includes 'src/x.inc', but the build makes 'out/x.inc'" in output
    assert "includes 'src/x.inc'" in scons_project.scons(expect=2)
    scons_project.remove("src/x.inc")
    scons_project.scons()
    assert scons_project.read("out/app.cdylib") == "entry a\nexport made\n"


def test_include_generated_from_the_crate_itself_is_refused(scons_project: SconsProject) -> None:
    files = {"a": "entry a\ninclude made.inc\n"}
    scons_project.sconstruct('env.Crate("app", ["a.stub"], crate_type="cdylib")\n', **files)
    scons_project.write({"made.inc": "export made\n"})
    scons_project.scons()
    scons_project.sconstruct(
        'env.Command("made.inc", "app.cdylib", "cp $SOURCE $TARGET")\n'
        'env.Crate("app", ["a.stub"], crate_type="cdylib")\n',
        **files,
    )
    output = scons_project.scons(expect=2)
    assert "crate 'app' includes 'made.inc', which is made from the crate itself" in output
    assert "SConstruct:5" in output
    assert "made.inc <- app.cdylib <- app.rlink" in output


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
@pytest.mark.parametrize("node", ["app", "app.rlink"])
def test_declared_generated_include(scons_project: SconsProject, jobs: str, node: str) -> None:
    scons_project.sconstruct(
        GENERATE + 'made = env.Command("gen/made.inc", "made.in", make)\n'
        'app = env.Crate("app", ["a.stub"], crate_type=["rlib", "cdylib"], include_dirs=["gen"], multimodule=True)\n'
        f"env.Depends({node}, made)\n",
        a="entry a\ninclude made.inc\n",
    )
    scons_project.write({"made.in": "export made\n"})
    scons_project.scons(jobs)
    assert scons_project.read("app.images/a") == "entry a\nexport made\n"
    assert scons_project.up_to_date(jobs)
    scons_project.write({"made.in": "export made 2\n"})
    scons_project.scons(jobs)
    assert scons_project.read("app.images/a") == "entry a\nexport made 2\n"
    assert scons_project.up_to_date(jobs)


def test_generated_include_in_a_variant_directory(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        GENERATE + 'SConscript("src/SConscript", "env make", variant_dir="out", duplicate=False)\n'
    )
    scons_project.write(
        {
            "src/SConscript": 'Import("env make")\nmade = env.Command("gen/made.inc", "made.in", make)\n'
            'app = env.Crate("app", ["a.stub"], crate_type="cdylib", include_dirs=["gen", "inc"])\n'
            "env.Depends(app, made)\n",
            "src/a.stub": "entry a\ninclude made.inc\ninclude other.inc\n",
            "src/made.in": "export made\n",
            "src/inc/other.inc": "export other\n",
        }
    )
    scons_project.scons()
    assert scons_project.read("out/app.cdylib") == "entry a\nexport made\nexport other\n"
    assert scons_project.up_to_date()
    scons_project.write({"src/inc/other.inc": "export another\n"})
    scons_project.scons()
    assert scons_project.read("out/app.cdylib") == "entry a\nexport made\nexport another\n"
    assert scons_project.up_to_date()


def test_failing_generator(scons_project: SconsProject) -> None:
    scons_project.sconstruct(
        'env.Crate("app", [env.Command("made.stub", [], "exit 3")], crate_type="cdylib")\n',
    )
    scons_project.scons(expect=2)
    assert scons_project.steps() == []


def test_header_generated_by_two_environments(scons_project: SconsProject) -> None:
    """Crates leave SCons's own check in force."""
    scons_project.sconstruct(
        GENERATE + 'for name in "bc":\n'
        "    one = env.Clone(NAME=name)\n"
        '    one.Command("made.inc", f"{name}.in", "cp $SOURCE $TARGET; : $NAME")\n'
        '    one.Crate(f"app{name}", ["a.stub"], crate_type="cdylib")\n',
        a="entry a\ninclude made.inc\n",
    )
    scons_project.write({"b.in": "export b\n", "c.in": "export c\n"})
    output = scons_project.scons(expect=2)
    assert "made.inc" in output and 'SConstruct", line' in output, output
    assert "Compiling" not in output


def test_edits_in_interactive_mode(scons_project: SconsProject) -> None:
    """A generated include is changed, broken and repaired between the builds of one run."""
    scons_project.sconstruct(
        'env.Command("zgen/a.inc", "a.in", Copy("$TARGET", "$SOURCE"))\n'
        'env.Crate("app", ["a.stub"], crate_type="cdylib", include_dirs=["zgen"])\n',
        a="entry a\ninclude a.inc\n",
    )
    scons_project.write({"a.in": "export a\n", "bad": "exprt b\n", "good": "export c\n"})
    words = ["build", "shell cp bad a.in", "build", "shell cp good a.in", "build", "build", "exit"]
    out = scons_project.scons("--interactive", input="\n".join([*words, ""]), expect=None)
    assert out.count("Copy(") == 3 and out.count("Linking app") == 2, out
    assert "crate 'app': 1 of 1 units failed" in out and out.count("is up to date") == 1, out
    assert scons_project.read("app.cdylib") == "entry a\nexport c\n"
    assert scons_project.up_to_date()
