"""Variant directories, repositories and several environments."""

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
def test_nested_variant_directories(scons_project: SconsProject, duplicate: int) -> None:
    """The outer one is declared later, and SCons lets it override the inner one's settings for its files."""
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
def test_variant_directory_of_a_variant_directory(scons_project: SconsProject, duplicate: int) -> None:
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


def test_variant_directory_reuses_units_of_the_source_directory(scons_project: SconsProject) -> None:
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
    # A local file hides the one in the repository.
    scons_project.write({"src/lib/f.stub": "export f mine\n"})
    scons_project.scons()
    assert scons_project.read("src/app.cdylib") == "entry a\nimport f\nexport f mine\n"
    assert scons_project.up_to_date()


@pytest.mark.parametrize("duplicate", ["0", "1"])
def test_include_directory_of_a_variant_only_in_a_repository(scons_project: SconsProject, duplicate: str) -> None:
    """It is found before the next include directory of the project."""
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


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_built_repository(scons_project: SconsProject, jobs: str) -> None:
    """SCons counts a built file there as up to date, but it is not local: it is built here, to the same bytes."""
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


def test_outputs_do_not_reveal_the_repository(scons_project: SconsProject) -> None:
    """Neither outputs nor warnings contain the repository's path; a local file goes first."""
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
