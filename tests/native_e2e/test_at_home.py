"""Native crates among SCons's own targets: its variables, objects and libraries go in, crates go out.

Knows nothing of how SCons builds what it builds.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.native_e2e.native_scons import NativeProject

ONE_FORM = True

VARIABLES = """\
env.MergeFlags("-Iinc -DMERGED=2 -O1 -std=c11 -lm -pthread")
c = env.Crate("c", ["c.c"], crate_type="bin", defines={"A": 9})
other = env.Clone()
env.Append(CPPDEFINES=["B=2", ("S", '\\\\"a b\\\\"'), {"N": None}], CFLAGS="-std=gnu11", CCFLAGS=["-DU=1"], LIBS=["dl"])
env.Append(CPPDEFINES=[["D", 5], ("E",), "F=$X"], X="44", LINKFLAGS=["-Wl,inc/more.ld"], SHLINKFLAGS=["-Wl,-z,now"])
p = env.Program("p", "c.c", CPPDEFINES=[*env["CPPDEFINES"], ("A", 9)])
if ARGUMENTS.get("later"): env.Append(CPPPATH=["#other"])
other.Crate("plain", ["plain.c"], crate_type="bin", CPPDEFINES=["OWN"])
"""
SOURCE = """\
#include <math.h>
#include <stdio.h>
#include "w.h"
#ifndef typeof
int gnu(typeof(1) x) { return x; }
#endif
int main(int n, char **v)
{
    printf("%d %d %d %s %d %d %d\\n", A, B, F, S, N + D + E + MERGED + U, W, (int)cos(n - 1.0));
    return 0;
}
"""


def _run(project: NativeProject, name: str) -> subprocess.CompletedProcess[str]:
    environ = {"LD_LIBRARY_PATH": str(project.path)}
    return subprocess.run([project.path / name], check=False, capture_output=True, text=True, env=environ)


@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_construction_variables(tmp_path: Path, scons_form: str, jobs: str) -> None:
    project = NativeProject(tmp_path / "project", "gcc", form=scons_form)
    files = {"c.c": SOURCE, "inc/w.h": "#define W 7\n", "other/w.h": "#define W 8\n", "inc/more.ld": "more = 0;\n"}
    files["plain.c"] = "#ifdef B\n#error B\n#endif\nint main(void) { return OWN + 2; }\n"
    project.crates(VARIABLES, files)
    project.scons(jobs)
    expected = "9 2 44 a b 10 7 1\n"
    assert _run(project, "c").stdout == _run(project, "p").stdout == expected
    assert _run(project, "plain").returncode == 3
    assert project.up_to_date(jobs)
    project.write({"inc/w.h": "#define W 9\n"})
    project.scons(jobs, "later=1")
    assert _run(project, "c").stdout == _run(project, "p").stdout == expected.replace("7 1", "9 1")


def test_variables_that_mean_nothing(tmp_path: Path, scons_form: str) -> None:
    project = NativeProject(tmp_path / "project", "gcc", form=scons_form)
    del project.environ["CRATE_CC"]
    crate = 'env.Crate("c", ["c.c"], crate_type="bin")\n'
    for settings, message in (
        ("env.Replace(CPPPATH=[5])\n", "CPPPATH cannot be [5]"),
        ('env.Replace(CCFLAGS=["-flto"])\n', "'-flto' cannot be among 'flags'"),
        ('env.Replace(CC="ccache gcc")\n', "CC='ccache gcc' is not the name of one program"),
        ('env.Replace(CC="gcc-12", CXX="clang++-19")\n', "CC and CXX are of different toolchains"),
    ):
        project.crates(settings + crate, {"c.c": "int main(void) { return 0; }\n"})
        output = project.scons(expect=2)
        assert message in output, output
        assert "SConstruct" in output
    for late, message in (
        ('env.Replace(CC="gcc-12")\n', "CC was set after the crate was declared"),
        ('env.Replace(CXX="g++-12")\n', "CXX was set after the crate was declared"),
    ):
        project.crates(crate + late, {})
        output = project.scons(expect=2)
        assert message in output and "CRATE_CC" in output, output
        project.crates(f'env["CRATE_CC"] = "gcc"\n{crate}{late}', {})
        project.scons()


TARGETS = """\
o, so = env.Object("o.c"), env.SharedObject("so.c")
low = env.StaticLibrary("low", ["low.c"])
dyn = env.SharedLibrary("dyn", ["dyn.c"])
c = env.Crate("c", ["c.c", o, low], crate_type=["rlib", "staticlib"])
d = env.Crate("d", ["d.c", so], deps=[c], crate_type="cdylib")
env.Crate("b", ["main.c"], deps=[c], libs=[dyn], crate_type="bin", rpath=["$ORIGIN"])
env.Program("p1", [c, "main2.c"])
env.Program("p2", ["main4.c", d])
env.SharedLibrary("shared", ["w.c", c])
env.Program("p3", ["main3.c", env.StaticLibrary("archive", ["w.c", c])])
"""
FUNCTIONS = {
    "o.c": "int o(void) { return 1; }\n",
    "so.c": "int so(void) { return 2; }\n",
    "low.c": "int low(void) { return 4; }\n",
    "dyn.c": "int dyn(void) { return 8; }\n",
    "c.c": "int o(void), low(void); int c(void) { return o() + low(); }\n",
    "d.c": "int so(void), c(void); int d(void) { return so() + c(); }\n",
    "w.c": "int c(void); int w(void) { return c(); }\n",
    "main.c": "int c(void), dyn(void); int main(void) { return c() + dyn(); }\n",
    "main2.c": "int c(void); int main(void) { return c(); }\n",
    "main3.c": "int w(void); int main(void) { return w(); }\n",
    "main4.c": "int d(void); int main(void) { return d(); }\n",
}


@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_what_scons_builds_goes_in_and_crates_go_out(tmp_path: Path, scons_form: str, jobs: str) -> None:
    project = NativeProject(tmp_path / "project", "gcc", form=scons_form)
    project.crates(TARGETS, FUNCTIONS)
    project.scons(jobs)
    assert [_run(project, name).returncode for name in ("b", "p1", "p2", "p3")] == [13, 5, 7, 5]
    assert project.up_to_date(jobs)
    project.write({"low.c": "int low(void) { return 16; }\n"})
    project.scons(jobs)
    assert [_run(project, name).returncode for name in ("b", "p1", "p2", "p3")] == [25, 17, 19, 17]
    assert "main2.c" not in project.output and "dyn" not in project.output
    assert project.up_to_date(jobs)


def test_crates_that_cannot_go_out_or_in(tmp_path: Path, scons_form: str) -> None:
    project = NativeProject(tmp_path / "project", "gcc", form=scons_form)
    for text, message in (
        ('env.Program("p", ["main.c", env.Crate("c", ["c.c"])])\n', "p is given crate 'c', which has nothing that"),
        ('env.Crate("c", [env.Object("c.c")], crate_type="cdylib")\n', "c.o is no shared object"),
        ('env.Crate("c", ["c.c"], libs=[File("c.c")])\n', "c.c is no library"),
    ):
        project.crates(text, {"c.c": "int c;\n", "main.c": "int main(void) { return 0; }\n"})
        output = project.scons(expect=2)
        assert message in output, output
        assert "SConstruct" in output
