"""Why something was rebuilt: the line printed for each crate, and `cratewright explain`."""

from __future__ import annotations

from tests.e2e.test_cache import SOURCES, command, project
from tests.support.scons_project import SconsProject

__all__ = ["project"]


def test_build_prints_one_reason_per_stage(project: SconsProject) -> None:
    def because() -> list[str]:
        project.scons()
        return [line for line in project.output.splitlines() if ": because " in line]

    project.write({"a.stub": SOURCES["a"].replace("entry a", "entry a 2")})
    lines = because()
    assert len(lines) == 2, lines
    assert lines[0].startswith("crate app: because a.stub changed: ") and lines[0].endswith(" (1 unit)")
    assert lines[1].startswith("crate app: because module app::a.stub.o changed: ")
    project.write({"first/x.inc": "export x\n"})
    assert because()[0] == "crate lib: because first/x.inc appeared (1 unit)"
    project.write({"SConstruct": project.read("SConstruct").replace("multimodule", 'defines={"X": "7"}, multimodule')})
    assert because() == ["crate app: because define X appeared: '7' (2 units)"]
    project.write({"SConstruct": project.read("SConstruct").replace('"7"', '"8"')})
    assert because() == ["crate app: because define X changed: '7' -> '8' (2 units)"]
    project.write({"SConstruct": project.read("SConstruct").replace("multimodule", "shout=True, multimodule")})
    assert because() == ["crate app: because option shout changed: False -> True (2 images)"]
    project.write({"a.stub": SOURCES["a"]})
    project.scons("-s")
    assert "because" not in project.output


def test_explain_command(project: SconsProject) -> None:
    assert command(project, "explain", "app.rlink") == (
        "app.rlink: 2 made, 0 reused\n  new\n    crate 'app': a.stub\n    crate 'app': c.stub\n"
    )
    project.write({"a.stub": SOURCES["a"].replace("entry a", "entry a 2")})
    project.scons()
    text = command(project, "explain", "app.cdylib.json")
    assert text.startswith("app.cdylib.json: 1 made, 1 reused\n  module app::a.stub.o changed: ")
    assert "app.rlink: 1 made, 1 reused\n  a.stub changed: " in text
    assert command(project, "explain", "app.images/a") == text
    assert command(project, "explain", "libapp.rlib") == text[text.index("app.rlink") :]
    assert command(project, "explain", str(project.path / "liblib.rlib")).endswith("  new\n    crate 'lib': b.stub\n")
    assert "no record of how no.such was made" in command(project, "explain", "no.such", expect=2)
    project.scons("-c")
    command(project, "explain", "app.rlink", expect=2)


EXPLAINED = """\
env.Append(CPPPATH=["."])
if "more" in ARGUMENTS: env.Append(LIBS=["m"], ARFLAGS="rcsD", _CPPDEFFLAGS="-DX", OWNFLAGS="-x", ENV={"PATH": ""})
base = env.Crate("base", ["b.stub"])
env.Crate("app", ["a.stub"], deps=[base], crate_type=["rlib", "cdylib"], lto="fat", CXXFLAGS="-g")
env.Crate("other", ["a.stub"], deps=[base], crate_type="cdylib", CPPPATH=[])
"""


def test_explain_follows_stages_and_lists_ignored_variables(scons_project: SconsProject) -> None:
    """It covers link, LTO and codegen, and lists each variable that the backend ignores once."""
    scons_project.sconstruct(EXPLAINED, a="entry a\nimport b\n", b="export b\n")
    # SCons's default tools define the variables of C compilers.
    usual = scons_project.read("SConstruct").replace("tools=[", 'tools=["default", ')
    scons_project.write({"SConstruct": usual})
    scons_project.scons()
    text = command(scons_project, "explain", "app.cdylib.json")
    heads = [line.partition(":")[0] for line in text.splitlines() if not line.startswith((" ", "variables"))]
    assert heads == ["app.cdylib.json", "app.cdylib.lto", "app.rlink"]
    assert text.endswith("variables of the Environment that backend 'stub' ignores: CPPPATH CXXFLAGS\n  app.rlink\n")
    scons_project.write({"b.stub": "export b 2\n"})
    scons_project.scons()
    text = command(scons_project, "explain", "app.cdylib")
    # Only link and LTO ran; the last run of codegen is shown as well.
    assert "  module app::merged changed: " in text and "  module base::b.stub.o changed: " in text
    assert "app.rlink: 1 made, 0 reused\n  new\n" in text
    # Variables are recorded even if everything is up to date, but not in a dry run.
    assert scons_project.up_to_date("more=1", "-n")
    assert "LIBS" not in command(scons_project, "explain")
    assert scons_project.up_to_date("more=1")
    untaken = [line for line in command(scons_project, "explain").splitlines() if "ignores" in line]
    assert sorted(line.partition(": ")[2] for line in untaken) == [
        "ARFLAGS LIBS _CPPDEFFLAGS",
        "CPPPATH",
        "CXXFLAGS",
    ]
    assert scons_project.up_to_date()
    assert "LIBS" not in command(scons_project, "explain", "other.rlink")
    scons_project.scons("-c")
    assert not list(scons_project.path.glob(".*.state"))
