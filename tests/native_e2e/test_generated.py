"""Headers that SCons generates, by every way in which a C source reads them."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.native_e2e.native_scons import NativeProject

MAKE = """\
import time
def make(target, source, env):
    time.sleep(0.3)  # long enough for -j to overtake a builder that nobody waits for
    for node in target: open(str(node), "w").write(open(str(source[0])).read())
"""
SCONSTRUCT = (
    'app = env.Crate("app", ["a.c", "b.S"], crate_type="bin", include_dirs=["zgen"],\n'
    '                flags=["-include", "zgen/first.h"], ldflags=["-Wl," + File("zgen/more.ld").abspath])\n'
    + MAKE
    + 'for name in ("first.h", "there.h", "maybe.h", "text.txt", "more.ld", "macro"):\n'
    '    env.Command(f"zgen/{name}", f"{name}.in", make)\n'
    'env.SideEffect("zgen/side.h", env.Command("zgen/side.stamp", "side.in",\n'
    '    [make, lambda target, source, env: open("zgen/side.h", "w").write("enum { side = 1 };\\n") and None]))\n'
    'env.Install("zgen/installed", "own.h")\n'
)
SOURCE = """\
#include "outer.h"
#include  <installed/own.h>
#define NAME "macro"
#include NAME
#if __has_include("maybe.h")
#include "maybe.h"
#else
enum { maybe = 0 };
#endif
#include "side.h"
extern const unsigned char text[];
extern char linker[];
int main(void)
{
    return first + there + maybe + own + macro + side + (text[0] - '0') + (int)((long)linker & 4095);
}
"""


def _run(project: NativeProject) -> int:
    return subprocess.run([project.path / "app"], check=False).returncode


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_generated_files_are_built_first(tmp_path: Path, scons_form: str, jobs: str) -> None:
    project = NativeProject(tmp_path / "project", "gcc", form=scons_form)
    project.crates(
        SCONSTRUCT,
        {
            "a.c": SOURCE,
            "b.S": '.section .rodata\n.globl text\ntext: .incbin "zgen/text.txt"\n'
            '.section .note.GNU-stack,"",@progbits\n',
            "outer.h": '#include "there.h"\n',
            "own.h": "enum { own = 8 };\n",
            "first.h.in": "#ifndef __ASSEMBLER__\nenum { first = 1 };\n#endif\n",
            "there.h.in": "enum { there = 2 };\n",
            "maybe.h.in": "enum { maybe = 4 };\n",
            "macro.in": "enum { macro = 16 };\n",
            "text.txt.in": "0",
            "side.in": "",
            "more.ld.in": "linker = 64;\n",
        },
    )
    project.scons(jobs, "app")
    assert _run(project) == 1 + 2 + 4 + 8 + 16 + 1 + 64
    assert project.up_to_date(jobs, "app")
    project.write({"there.h.in": "enum { there = 32 };\n", "text.txt.in": "2"})
    project.scons(jobs, "app")
    assert _run(project) == 1 + 32 + 4 + 8 + 16 + 1 + 2 + 64
    assert project.built()[0] == "crate app: 1 image: 1 linked, 0 reused"
    assert project.up_to_date(jobs, "app")


WAYS = """\
env.Command("zgen/glued.h", "glued.in", make)
env.Command("zgen/sub/p1.h", "pasted.in", make)
env.Command("zgen/unrelated.o", "pasted.in", "false")
glued = env.Crate("glued", ["glued.c"], crate_type="bin", flags=["-includezgen/glued.h"])
pasted = env.Crate("pasted", ["pasted.c"], crate_type="bin", include_dirs=["zgen"])
late = env.Crate("late", ["late.c"], crate_type="bin", include_dirs=["later", "there"])
if "later" in ARGUMENTS:
    env.Command("later/late.h", "late.in", make)
Default(glued, pasted, late)
"""
PASTED = """\
#define STR2(x) #x
#define STR(x) STR2(x)
#define PASTE2(a, b) sub/a##b.h
#define PASTE(a, b) PASTE2(a, b)
#include STR(PASTE(p, 1))
int main(void) { return pasted; }
"""


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_generated_headers_whose_names_no_text_spells(tmp_path: Path, scons_form: str, jobs: str) -> None:
    """One name is glued to a flag, one pasted by macros, one in a directory that does not exist yet."""
    project = NativeProject(tmp_path / "project", "gcc", form=scons_form)
    project.crates(
        MAKE + WAYS,
        {
            "glued.c": "int main(void) { return glued; }\n",
            "glued.in": "enum { glued = 1 };\n",
            "pasted.c": PASTED,
            "pasted.in": "enum { pasted = 2 };\n",
            "late.c": '#include "late.h"\nint main(void) { return late; }\n',
            "there/late.h": "enum { late = 3 };\n",
            "late.in": "enum { late = 4 };\n",
        },
    )

    def results() -> list[int]:
        return [subprocess.run([project.path / name], check=False).returncode for name in ("glued", "pasted", "late")]

    project.scons(jobs)
    assert results() == [1, 2, 3]
    assert project.up_to_date(jobs)
    project.write({"glued.in": "enum { glued = 11 };\n", "pasted.in": "enum { pasted = 12 };\n"})
    project.scons(jobs, "later=1")
    assert results() == [11, 12, 4]
    assert project.up_to_date(jobs, "later=1")
    project.write({"late.in": "enum { late = 14 };\n"})
    project.scons(jobs, "later=1")
    assert results() == [11, 12, 14]
    assert project.steps() == ["Compiling crate late.rlink", "Linking late"]


@pytest.mark.parametrize("duplicate", [0, 1])
def test_generated_headers_in_a_variant_directory(tmp_path: Path, scons_form: str, duplicate: int) -> None:
    """A source, and a header of the source tree, include what is generated there; also by `../`."""
    project = NativeProject(tmp_path / "project", "gcc", form=scons_form)
    project.crates(
        MAKE + f'SConscript("src/SConscript", "env make", variant_dir="out", duplicate={duplicate})\n',
        {
            "src/SConscript": 'Import("env make")\n'
            'env.Command("gen/up.h", "up.in", make)\nenv.Command("inc/beside.h", "beside.in", make)\n'
            'env.Crate("app", ["sub/a.c"], crate_type="bin")\n',
            "src/sub/a.c": '#include "../gen/up.h"\n#include "../inc/own.h"\nint main(void) { return up + own; }\n',
            "src/inc/own.h": '#include "beside.h"\nenum { own = beside };\n',
            "src/up.in": "enum { up = 1 };\n",
            "src/beside.in": "enum { beside = 2 };\n",
        },
    )
    for up, beside in ((1, 2), (1, 4), (8, 4)):
        project.write({"src/up.in": f"enum {{ up = {up} }};\n", "src/beside.in": f"enum {{ beside = {beside} }};\n"})
        project.scons("-j4")
        assert subprocess.run([project.path / "out/app"], check=False).returncode == up + beside
        assert project.up_to_date("-j4")


def test_generated_headers_by_angle_brackets_and_include_next(tmp_path: Path, scons_form: str) -> None:
    """`<>` does not search beside the source; `include_next` skips the first match."""
    project = NativeProject(tmp_path / "project", "gcc", form=scons_form)
    make = 'env.Command("zgen/{0}.h", "{0}.in", Copy("$TARGET", "$SOURCE"))\n'
    project.crates(
        make.format("k")
        + make.format("next")
        + 'Default(env.Crate("app", ["src/a.c"], crate_type="bin", include_dirs=["first", "zgen"]))\n',
        {
            "src/a.c": "#include <k.h>\n#include <next.h>\nint main(void) { return K + NEXT; }\n",
            "src/k.h": "#define K 1\n",
            "first/next.h": "#include_next <next.h>\n",
            "k.in": "#define K 2\n",
            "next.in": "#define NEXT 16\n",
        },
    )
    project.scons()
    assert _run(project) == 18
    assert project.up_to_date()


def test_missing_include_directory_that_is_now_generated(tmp_path: Path, scons_form: str) -> None:
    """A null build is on record whose compiler looked for the directory, but for no file in it."""
    project = NativeProject(tmp_path / "project", "gcc", form=scons_form)
    project.crates(
        'env.Crate("late", ["late.c"], crate_type="bin", include_dirs=["later", "there"])\n'
        'env.Install("out", "late.in")\n'
        'if "later" in ARGUMENTS:\n    env.Command("later/late.h", "late.in", Copy("$TARGET", "$SOURCE"))\n',
        {
            "late.c": '#include "late.h"\nint main(void) { return late; }\n',
            "there/late.h": "enum { late = 3 };\n",
            "late.in": "enum { late = 4 };\n",
        },
    )
    project.scons()
    for _ in range(3):
        time.sleep(0.05)  # files this new are not taken as unchanged
        assert project.up_to_date()
    project.scons("later=1")
    assert subprocess.run([project.path / "late"], check=False).returncode == 4
