"""Headers that SCons makes, however a C source comes to read them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.native_e2e.native_scons import NativeProject

ONE_FORM = True

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


@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_headers_that_are_made(tmp_path: Path, scons_form: str, jobs: str) -> None:
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
