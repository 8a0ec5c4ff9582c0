"""Native crates and SCons's own builders: crates take its variables, objects and libraries, and it links crates."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.native_e2e.native_scons import WITH_C, NativeProject

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


class CProject(NativeProject):
    header = WITH_C


def _run(project: NativeProject, name: str) -> subprocess.CompletedProcess[str]:
    environ = {"LD_LIBRARY_PATH": str(project.path)}
    return subprocess.run([project.path / name], check=False, capture_output=True, text=True, env=environ)


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_crates_honour_construction_variables(tmp_path: Path, scons_form: str, jobs: str) -> None:
    project = CProject(tmp_path / "project", "gcc", form=scons_form)
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


def test_bad_construction_variables_are_refused(tmp_path: Path, scons_form: str) -> None:
    project = CProject(tmp_path / "project", "gcc", form=scons_form)
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


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_crates_and_scons_targets_link_with_each_other(tmp_path: Path, scons_form: str, jobs: str) -> None:
    project = CProject(tmp_path / "project", "gcc", form=scons_form)
    project.crates(TARGETS, FUNCTIONS)
    project.scons(jobs)
    assert [_run(project, name).returncode for name in ("b", "p1", "p2", "p3")] == [13, 5, 7, 5]
    assert project.up_to_date(jobs)
    project.write({"low.c": "int low(void) { return 16; }\n"})
    project.scons(jobs)
    assert [_run(project, name).returncode for name in ("b", "p1", "p2", "p3")] == [25, 17, 19, 17]
    assert "main2.c" not in project.output and "dyn" not in project.output
    assert project.up_to_date(jobs)


LIBRARIES = """\
c = env.Crate("cc", ["c.c"], crate_type=["rlib", "staticlib"])
d = env.Crate("dd", ["d.c"], crate_type="cdylib")
low = env.StaticLibrary("low", ["low.c"])
so = env.SharedObject("so.c")
e = env.Clone(LIBS=["m"])
e.Append(LIBS=[c])
e.Program("p1", "main2.c")
e.SharedLibrary("shared", ["w.c"])
e.LoadableModule("module", ["w.c"])
e.Crate("b1", ["main2.c"], crate_type="bin")
env.Program("p2", "main4.c", LIBS=d, RPATH=["."])
env.LoadableModule("module2", [env.SharedObject("w2", "w.c"), c])
words = {"LINKFLAGS": ["-L.", "-Wl,-rpath,."], "LIBS": ["low", "-lm"], "LIBPATH": ["$HERE"], "HERE": "."}
env.Crate("b2", ["main5.c"], crate_type="bin", **words)
late = env.Clone(LIBS=["m"])
late.Program("p4", late.Object("late", "main2.c"))
late.Append(LIBS=[c])
if ARGUMENTS.get("rlib"): late.Append(LIBS=[env.Crate("ee", ["c.c"])])
env.Program("p3", "main3.c", LIBS=env.StaticLibrary("archive2", ["w.c", env.Crate("oo", ["c.c"], crate_type="object")]))
"""


def test_crates_in_libs(tmp_path: Path, scons_form: str) -> None:
    """A crate in LIBS stands for its linkable outputs, wherever LIBS is given and whenever it is set."""
    project = CProject(tmp_path / "project", "gcc", form=scons_form)
    more = {
        "c.c": "int cc(void) { return 5; }\nint c(void) { return cc(); }\n",
        "d.c": "int d(void) { return 7; }\n",
        "main5.c": "int low(void); int main(void) { return low(); }\n",
    }
    project.crates(LIBRARIES, {**FUNCTIONS, **more})
    project.scons("-j4")
    assert [_run(project, name).returncode for name in ("p1", "b1", "p2", "b2", "p3", "p4")] == [5, 5, 7, 4, 5, 5]
    assert ".rlib" not in "".join(line for line in project.output.splitlines() if line.startswith("gcc"))
    assert project.up_to_date()
    project.write({"c.c": "int c(void) { return 6; }\n"})
    project.scons()
    assert [_run(project, name).returncode for name in ("p1", "b1", "p3", "p4")] == [6, 6, 6, 6]
    assert "-o p2 " not in project.output
    output = project.scons("rlib=1", "p4", expect=2)
    assert "LIBS is given crate 'ee', which has no output that a linker accepts" in output, output
    assert "only crates can link an rlib" in output and "declared in: SConstruct" in output, output


# With CFLAGS before CCFLAGS before CPPFLAGS before CPPDEFINES, as in SCons's own commands.
ORDER = """\
from collections import deque
from SCons.Util import CLVar
opts = Variables()
opts.Add("CC", "", ["gcc"], None, lambda value: value if isinstance(value, list) else [value])
env = env.Clone(variables=opts)
env["CRATE_CC"] = ARGUMENTS.get("CRATE_CC", "")
env.ParseConfig("./pkg-config --cflags --libs thing")
order = env.Clone(CPPDEFINES=["C=4"])
order.Append(CFLAGS="-DA=1 -O1 -D B=8 -UC", CCFLAGS=["-DA=2", "-O2", "-D", "D"], CPPFLAGS="-DB=3 -U D -DC=6")
forms = {
    "str": "A", "words": "A=1 B=2", "pairs": [("A", 1), "B", ("C",), ["D", "x"]], "dict": {"A": 1, "B": None, "C": ""},
    "deque": deque(["A", ("B", 2)]), "nones": [("A", None), ("B", "")], "dicts": [{"A": 1}, "B"],
    "clvar": CLVar("A B=2"),
    "text": [("A", '\\\\"q r\\\\"'), "B='x y'"], "subst": [("A", "$VALUE"), "${NAME}=5", ("C", 1.5), ("D", True)],
}
envs = {name: env.Clone(CPPDEFINES=form, VALUE="44", NAME="B") for name, form in forms.items()}
envs |= {"order": order, "config": env}
for name, one in envs.items():
    nested = one.Clone().Override({"CCFLAGS": [*Split(one["CCFLAGS"]), ("-include", File("inc.h"))]})
    nested.Program(f"p_{name}", nested.Object(f"p_{name}", "c.c"))
    nested.Crate(f"c_{name}", ["c.c"], crate_type="bin")
"""
MACRO_TEXTS = "".join(
    f'#ifdef {name}\n#define TEXT_{name} "{name}=" S({name}) " "\n#else\n#define TEXT_{name}\n#endif\n'
    for name in ("A", "B", "C", "D", "__OPTIMIZE__", "INC", "THING")
)
MACRO_NAMES = " ".join(f"TEXT_{name}" for name in ("A", "B", "C", "D", "__OPTIMIZE__", "INC", "THING"))
MACRO_PRINTER = f"""\
#include <math.h>
#include <stdio.h>
#define S_(...) #__VA_ARGS__
#define S(...) S_(__VA_ARGS__)
{MACRO_TEXTS}
int main(int n, char **v) {{ puts("" {MACRO_NAMES}); return (int)cos(n - 1.0) - 1; }}
"""


def test_crates_and_programs_read_variables_alike(tmp_path: Path, scons_form: str) -> None:
    project = CProject(tmp_path / "project", "gcc", form=scons_form)
    project.crates(ORDER, {"c.c": MACRO_PRINTER, "inc.h": "#define INC 1\n"})
    project.write({"pkg-config": "#!/bin/sh\necho -DTHING=thing -O2 -Isys -lm\n"})
    (project.path / "pkg-config").chmod(0o755)
    project.scons("-j2")
    names = sorted(path.name[2:] for path in project.path.glob("c_*") if "." not in path.name)
    assert len(names) == 12
    for name in names:
        made, expected = _run(project, f"c_{name}"), _run(project, f"p_{name}")
        assert made.stdout == expected.stdout and "INC=1" in made.stdout and made.returncode == 0, name
    assert "THING=thing" in _run(project, "c_config").stdout
    assert _run(project, "c_order").stdout == "A=2 B=3 C=4 __OPTIMIZE__=1 INC=1 \n"


def test_unlinkable_files_are_refused(tmp_path: Path, scons_form: str) -> None:
    project = CProject(tmp_path / "project", "gcc", form=scons_form)
    for text, message in (
        ('env.Program("p", ["main.c", env.Crate("c", ["c.c"])])\n', "p is given crate 'c', which has no output that"),
        (
            'env.Program("p", "main.c", LIBS=[env.Crate("c", ["c.c"])])\n',
            "p is given crate 'c', which has no output that",
        ),
        (
            'env.Program("p", ["main.c", env.Crate("c", ["c.c"]).rlink])\n',
            "p is given c.rlink, which no linker accepts",
        ),
        ('env.Program("p", ["main.c", "pre/libx.rlib"])\n', "libx.rlib, which no linker accepts"),
        (
            'env.SharedLibrary("s", env.Crate("c", ["c.c"], crate_type=["rlib", "staticlib"]).rlib)\n',
            "give it all that env.Crate returned, not its rlib alone",
        ),
        (
            'env.StaticLibrary("s", [env.Crate("c", ["c.c"], crate_type="cdylib")])\n',
            "an archive cannot hold libc.so",
        ),
        ('env.Crate("c", [env.Object("c.c")], crate_type="cdylib")\n', "c.o is not a shared object"),
        ('env.Crate("c", ["c.c"], libs=[File("c.c")])\n', "c.c is not a library"),
    ):
        project.crates(text, {"c.c": "int c;\n", "main.c": "int main(void) { return 0; }\n"})
        output = project.scons(expect=2)
        assert message in output, output
        assert 'SConstruct", line 3' in output, output


LISTS = """\
env.Replace(CPPPATH="none:inc", LIBPATH="none:libs", LIBS=[":odd.x", "libeven"], RPATH="a b:c")
odd = env.Command("libs/odd.x", env.StaticLibrary("odd", "odd.c"), Copy("$TARGET", "$SOURCE"))
env.StaticLibrary("libs/even", "even.c")
env.Depends(env.Program("p", "c.c"), odd)
env.Crate("c", ["c.c"], crate_type="bin", LINKFLAGS=["-Wl,-Map=c.map"])
Default("p", "c.map")
"""


def test_variables_as_strings_and_file_names(tmp_path: Path, scons_form: str) -> None:
    project = CProject(tmp_path / "project", "gcc", form=scons_form)
    files = {name: f"int {name}(void) {{ return {value}; }}\n" for name, value in (("odd", 3), ("even", 4))}
    main = '#include "w.h"\nint odd(void);\nint even(void);\nint main(void) { return W * odd() + even(); }\n'
    project.crates(LISTS, {"c.c": main, "inc/w.h": "#define W 7\n", **{f"{name}.c": files[name] for name in files}})
    project.scons("-j2")
    assert _run(project, "c").returncode == _run(project, "p").returncode == 25
    paths = []
    for name in ("c", "p"):
        dynamic = subprocess.run(
            ["readelf", "-d", project.path / name], check=True, capture_output=True, text=True
        ).stdout
        paths += [line.partition(": ")[2] for line in dynamic.splitlines() if "PATH" in line]
    assert paths == ["[a b:c]"] * 2
    assert "odd.x" in project.read("c.map") and project.up_to_date()


def test_compiler_is_found_on_the_construction_path(tmp_path: Path, scons_form: str) -> None:
    project = CProject(tmp_path / "project", "gcc", form=scons_form)
    del project.environ["CRATE_CC"]
    text = 'env.Replace(CC="my-gcc", CXX="my-g++")\nenv.PrependENVPath("PATH", Dir("g++").abspath)\n'
    text += 'env.Program("p", "c.c")\nenv.Crate("c", ["c.c"], crate_type="bin")\n'
    project.crates(text, {"c.c": "int main(void) { return V; }\n"})
    for value in (3, 4):
        for name in ("gcc", "g++"):
            project.write({f"g++/my-{name}": f'#!/bin/sh\nexec /usr/bin/{name} -DV={value} "$@"\n'})
            (project.path / "g++" / f"my-{name}").chmod(0o755)
        project.scons()
        assert _run(project, "c").returncode == _run(project, "p").returncode == value
        assert project.up_to_date()
