"""Features of SCons used with crates, each in a small build of its own.

Each case gives its outputs and the steps that one edit runs. One test checks the rest: a second run does nothing,
`-j4` equals `-j1`, and an incremental build equals a clean one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.support.scons_project import SconsProject

LIB = 'lib = env.Crate("lib", ["b.stub"])\n'
APP = 'app = env.Crate("app", ["a.stub"], deps=["lib"], crate_type="cdylib")\n'
FILES = {"a.stub": "entry a\nimport b\n", "b.stub": "export b\n"}
IMAGE = "entry a\nimport b\nexport b\n"
WRITE = "lambda target, source, env: open(str(target[0]), 'w').write(source[0].get_text_contents()) and None"


def _steps(*names: str, where: str = "") -> list[str]:
    verbs = {"rlink": "Compiling crate", "rlib": "Archiving", "json": "Linking"}
    return sorted(f"{verbs[name.rpartition('.')[2]]} {where}{name}" for name in names)


ALL_OF_LIB = ("lib.rlink", "liblib.rlib", "app.cdylib.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A build, an edit, and another build.

    Shape: `shows` maps files to their contents after the first build; `steps` run after the files of `edit` have been
    written; `then` is like `shows`, after the second build.
    """

    sconstruct: str
    files: Mapping[str, str] = field(default_factory=lambda: FILES)
    arguments: tuple[str, ...] = ()
    shows: Mapping[str, str] = field(default_factory=lambda: {"app.cdylib": IMAGE})
    edit: Mapping[str, str] = field(default_factory=lambda: {"b.stub": "export b 2\n"})
    steps: list[str] = field(default_factory=lambda: _steps(*ALL_OF_LIB))
    then: Mapping[str, str] = field(default_factory=lambda: {"app.cdylib": IMAGE.replace("export b", "export b 2")})


HIERARCHY = {
    "src/SConscript": 'Import("env")\nlib = SConscript("lib/SConscript", "env")\n'
    'app = env.Crate("app", ["a.stub", "#top.stub"], deps=[lib], crate_type="cdylib")\nReturn("app")\n',
    "src/lib/SConscript": 'Import("env")\nlib = env.Crate("lib", Glob("deep/*.stub"))\nReturn("lib")\n',
    "src/lib/deep/b.stub": "export b\n",
    "src/a.stub": "entry a\nimport b\n",
    "top.stub": "export top\n",
}
IN_SRC = {
    "src/SConscript": f'Import("env")\n{LIB}{APP}',
    **{f"src/{name}": text for name, text in FILES.items()},
}
CROSS = """\
for target in ("text", "text2"):
    cross = env.Clone(CRATE_TARGET=target, CRATE_SHOUT=target == "text2")
    SConscript("src/SConscript", {"env": cross}, variant_dir=target, duplicate=False)
"""
OF_LIB = _steps("lib.rlink", "liblib.rlib")

FITS = {
    "Depends of a crate": Fit(
        sconstruct=LIB + APP + f'env.Depends(app, env.Command("gen.inc", "in.txt", {WRITE}))\n',
        files={"a.stub": "entry a\ninclude gen.inc\n", "b.stub": "export b\n", "in.txt": "import b\n"},
        edit={"in.txt": "import b 2\n"},
        steps=_steps("app.rlink", "app.cdylib.json"),
        then={"app.cdylib": "entry a\nimport b 2\nexport b\n"},
    ),
    "Depends on a crate": Fit(
        sconstruct=LIB + APP + 'env.Depends(env.Command("log", [], "cat app.cdylib > $TARGET"), app)\n',
        shows={"log": IMAGE},
        then={"log": IMAGE.replace("export b", "export b 2")},
    ),
    "Install": Fit(
        sconstruct=LIB + APP + 'Default(env.Install("bin", app.image), env.Install("lib", lib))\n',
        shows={"bin/app.cdylib": IMAGE},
        then={"bin/app.cdylib": IMAGE.replace("export b", "export b 2")},
    ),
    "Alias": Fit(
        sconstruct=LIB + APP + 'env.Alias("libs", lib)\n',
        arguments=("libs",),
        shows={},
        steps=OF_LIB,
        then={},
    ),
    "Default": Fit(sconstruct=LIB + APP + "Default(lib)\n", shows={}, steps=OF_LIB, then={}),
    "Glob": Fit(
        sconstruct='env.Crate("lib", Glob("?.stub", exclude=["a.stub"]))\n' + APP,
        edit={"c.stub": "export c\n"},
        then={"app.cdylib": IMAGE},
    ),
    "SConscript hierarchy": Fit(
        sconstruct='app = SConscript("src/SConscript", "env")\nDefault(app)\n',
        files=HIERARCHY,
        shows={"src/app.cdylib": "entry a\nimport b\nexport top\nexport b\n"},
        edit={"src/lib/deep/b.stub": "export b 2\n"},
        steps=_steps("lib/lib.rlink", "lib/liblib.rlib", "app.cdylib.json", where="src/"),
        then={"src/app.cdylib": "entry a\nimport b\nexport top\nexport b 2\n"},
    ),
    **{
        f"VariantDir duplicate={duplicate}": Fit(
            sconstruct=f'VariantDir("out", "src", duplicate={duplicate})\nSConscript("out/SConscript", "env")\n',
            files=IN_SRC,
            shows={"out/app.cdylib": IMAGE},
            edit={"src/b.stub": "export b 2\n"},
            steps=_steps(*ALL_OF_LIB, where="out/"),
            then={"out/app.cdylib": IMAGE.replace("export b", "export b 2")},
        )
        for duplicate in (0, 1)
    },
    "generated sources": Fit(
        sconstruct=f'made = env.Command("made/b.stub", "b.txt", {WRITE})\nenv.Crate("lib", made)\n' + APP,
        files={"a.stub": "entry a\nimport b\n", "b.txt": "export b\n"},
        edit={"b.txt": "export b 2\n"},
    ),
    "cross builds": Fit(
        sconstruct=CROSS,
        files=IN_SRC,
        shows={"text/app.cdylib": IMAGE, "text2/app.cdylib": IMAGE.upper()},
        edit={"src/b.stub": "export b 2\n"},
        steps=sorted(_steps(*ALL_OF_LIB, where="text/") + _steps(*ALL_OF_LIB, where="text2/")),
        then={"text2/app.cdylib": IMAGE.replace("export b", "export b 2").upper()},
    ),
    "cross builds of one": Fit(
        sconstruct=CROSS,
        files=IN_SRC,
        arguments=("text2",),
        shows={"text2/app.cdylib": IMAGE.upper()},
        edit={"src/a.stub": "entry a 2\nimport b\n"},
        steps=_steps("app.rlink", "app.cdylib.json", where="text2/"),
        then={"text2/app.cdylib": IMAGE.replace("entry a", "entry a 2").upper()},
    ),
    "CacheDir": Fit(sconstruct='CacheDir("kept")\n' + LIB + APP),
    "Clean": Fit(sconstruct=LIB + APP + 'env.Clean(app, "by-hand.txt")\nenv.NoClean(lib)\n'),
}


def _write(project: SconsProject, fit: Fit) -> SconsProject:
    project.sconstruct(fit.sconstruct)
    project.write(fit.files)
    return project


@pytest.mark.parametrize("name", FITS)
def test_feature_of_scons(scons_project: SconsProject, name: str) -> None:
    fit = FITS[name]
    _write(scons_project, fit)
    scons_project.scons("-j1", *fit.arguments)
    for file, text in fit.shows.items():
        assert scons_project.read(file) == text
    assert scons_project.up_to_date(*fit.arguments)
    other = _write(SconsProject(scons_project.path.parent / "other", form=scons_project.form), fit)
    other.scons("-j4", *fit.arguments)
    assert other.snapshot() == scons_project.snapshot()
    scons_project.write(fit.edit)
    scons_project.scons("-j4", *fit.arguments)
    assert scons_project.steps() == fit.steps
    for file, text in fit.then.items():
        assert scons_project.read(file) == text
    assert scons_project.up_to_date("-j4", *fit.arguments)
    clean = _write(SconsProject(scons_project.path.parent / "clean", form=scons_project.form), fit)
    clean.write(fit.edit)
    clean.scons("-j1", *fit.arguments)
    assert clean.snapshot() == scons_project.snapshot()


def test_clean_and_noclean(scons_project: SconsProject) -> None:
    _write(scons_project, FITS["Clean"])
    scons_project.write({"by-hand.txt": "made by hand\n"})
    scons_project.scons()
    scons_project.scons("-c")
    assert scons_project.exists("liblib.rlib"), "NoClean"
    assert not any(map(scons_project.exists, ("by-hand.txt", "app.cdylib", "app.rlink", "lib.rlink")))
    scons_project.scons()
    assert scons_project.read("app.cdylib") == IMAGE


def test_keep_going_in_parallel(scons_project: SconsProject) -> None:
    _write(scons_project, Fit(sconstruct=LIB + APP + 'env.Crate("bad", ["c.stub"], crate_type="cdylib")\n'))
    scons_project.write({"c.stub": "error no\n"})
    for jobs in ("-j1", "-j4"):
        assert "c.stub:1: error: no" in scons_project.scons("-k", jobs, expect=2)
        assert scons_project.read("app.cdylib") == IMAGE
        assert not scons_project.exists("bad.cdylib")
        assert scons_project.up_to_date("app.cdylib")


def test_keep_going_past_a_failed_library_with_many_users(scons_project: SconsProject) -> None:
    lib = 'bad = env.Crate("bad", ["c.stub"])\nDefault(bad)\n'
    users = 'users = [env.Crate(f"u{n}", ["b.stub"], deps=[bad]) for n in range(3)]\n'
    link = 'Default([env.Crate(f"app{n}", ["a.stub"], deps=users, crate_type="cdylib") for n in range(2)])\n'
    _write(scons_project, Fit(sconstruct=lib + users + link))
    scons_project.write({"c.stub": "error no\n"})
    for words in (("-j1",), ("-j4",), ("-j1", "CRATE_LTO=thin"), ("-j4", "CRATE_LTO=thin")):
        output = scons_project.scons("-k", *words, expect=2)
        assert "c.stub:1: error: no" in output
        assert "cycle" not in output
        assert scons_project.exists("u2.rlink") and not scons_project.exists("libu2.rlib")


@pytest.mark.parametrize("switch", ["--debug=explain", "--tree=all,status", "--debug=count", "--random", "-i", "-s"])
def test_switches_of_scons_do_not_change_outputs(scons_project: SconsProject, switch: str) -> None:
    _write(scons_project, FITS["Glob"])
    scons_project.scons(switch)
    assert scons_project.read("app.cdylib") == IMAGE
    assert scons_project.up_to_date()
    scons_project.write({"b.stub": "export b 2\n"})
    scons_project.scons(switch, "-j4")
    assert scons_project.read("app.cdylib") == IMAGE.replace("export b", "export b 2")
    assert scons_project.up_to_date()


@pytest.mark.parametrize("decider", ["content", "timestamp-newer", "timestamp-match", "content-timestamp"])
def test_deciders(scons_project: SconsProject, decider: str) -> None:
    """Crates compare contents under every decider, and dependents are rebuilt."""
    _write(scons_project, Fit(sconstruct=f'env.Decider("{decider}")\n' + LIB + APP))
    scons_project.scons()
    assert scons_project.up_to_date()
    scons_project.write({"b.stub": "export b 2\n"})
    scons_project.scons()
    assert scons_project.steps() == _steps(*ALL_OF_LIB)
    assert scons_project.read("app.cdylib") == IMAGE.replace("export b", "export b 2")
    assert scons_project.up_to_date()
