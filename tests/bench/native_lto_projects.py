"""The projects whose link-time optimization is measured: Lua and zstd, as crates and as plain builds."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .measure import ROOT

EXAMPLE = ROOT / "examples" / "lua"
LUA = ".sdist/lua54"
NOT_LUA = ("onelua.c", "ltests.c")

PLAIN = """\
import glob, os
DefaultEnvironment(tools=[])
lto, cache = ARGUMENTS["lto"], ARGUMENTS.get("cache", "")
cc = os.environ["BENCH_CC"]
flags = "-O3 -fPIC -ffunction-sections -fdata-sections".split()
ar, ranlib = cc.replace("clang", "llvm-ar"), cc.replace("clang", "llvm-ranlib")
env = Environment(tools=["gcc", "gnulink", "ar"], CC=cc, AR=ar, RANLIB=ranlib, CCFLAGS=flags, LIBPATH=["."])
env.Append(LINKFLAGS="-O3 -pie -fuse-ld=lld -Wl,--gc-sections,--strip-debug,--build-id=none".split())
if lto != "off":
    env.Append(CCFLAGS=["-flto=" + lto], LINKFLAGS=["-flto=" + lto])
if cache:
    env.Append(LINKFLAGS=["-Wl,--thinlto-cache-dir=" + cache])
"""

PLAIN_LUA = """\
env.Append(CPPPATH=[".sdist/lua54"], CPPDEFINES=["LUA_USE_LINUX"], LINKFLAGS=["-Wl,-E"])
unwanted = ("onelua.c", "ltests.c")
sources = [path for path in sorted(glob.glob(".sdist/lua54/*.c")) if os.path.basename(path) not in unwanted]
env.Program("lua", sources, LIBS=["m", "dl"])
"""

ZSTD = """\
defines = ["ZSTD_DISABLE_ASM", "ZSTD_LEGACY_SUPPORT=1", "DEBUGLEVEL=0"]
"""

PLAIN_ZSTD = """\
env.Append(CPPPATH=["lib", "lib/legacy"], CPPDEFINES=defines)
env.StaticLibrary("zstd", sorted(glob.glob("lib/*/*.c")))
env.Program("main", sorted(glob.glob("programs/*.c")) or ["main.c"], LIBS=["zstd"])
"""

CRATES_ZSTD = """\
import cratewright
DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="native", CRATE_PROFILE="release")
env["CRATE_DEFINES"], env["CRATE_INCLUDE_DIRS"] = defines, ["#lib", "#lib/legacy"]
zstd = env.Crate("zstd", Glob("lib/*/*.c"))
env.Crate("main", Glob("programs/*.c") or ["main.c"], deps=[zstd], crate_type="bin", lto=ARGUMENTS["lto"])
"""

MAIN_ZSTD = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "zdict.h"
#include "zstd.h"

int main(void) {
    size_t size = 1 << 22, room = ZSTD_compressBound(size), sizes[64];
    char *in = malloc(size), *back = malloc(size), *out = malloc(room);
    unsigned state = 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1103515245 + 12345;
        in[i] = "etaoin shrdlu cmfwyp"[(state >> 16) % 20 * ((state >> 28) & 1)];
    }
    for (int level = 1; level <= 12; level++) {
        size_t made = ZSTD_compress(out, room, in, size, level);
        if (ZSTD_isError(made) || ZSTD_decompress(back, size, out, made) != size || memcmp(in, back, size)) return 1;
    }
    for (int i = 0; i < 64; i++) sizes[i] = 2048;
    printf("%d\\n", ZDICT_isError(ZDICT_trainFromBuffer(out, 16384, in, sizes, 64)));
    return 0;
}
"""

WORK_LUA = """\
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local sum = fib(30)
local words = {}
for i = 1, 300000 do words[#words + 1] = ("%d:%s"):format(i, tostring(i * 7 % 13)) end
table.sort(words)
for _, word in ipairs(words) do sum = sum + #word:gsub("%d", "x") end
local objects = {}
for i = 1, 400000 do objects[i % 1000] = {i, name = "n" .. i % 50} end
print(sum, #words, #objects)
"""


@dataclass(frozen=True)
class Project:
    """A project to build.

    Shape: `files` go into both builds, `crates` and `plain` into one. `edits` by name: a file, text before a number in
    it, and that number, which grows by the round; where a file has none to edit, `prepared` gives it one: a file, old
    and new text. Each edit changes what functions do: one that nobody calls, one that calls many, one that many call,
    those of many sources by a header.
    """

    program: str
    sources: str
    source: Path
    files: dict[str, str]
    crates: dict[str, str]
    plain: dict[str, str]
    edits: dict[str, tuple[str, str, int]]
    prepared: tuple[tuple[str, str, str], ...] = ()
    arguments: tuple[str, ...] = ()

    def copy(self, where: Path, own: dict[str, str]) -> None:
        """Make a copy to build in."""
        shutil.copytree(self.source, where)
        for name, old, new in self.prepared:
            text = (where / name).read_text(encoding="utf-8")
            (where / name).write_text(text.replace(old, new), encoding="utf-8")
        for name, text in {**self.files, **own}.items():
            (where / name).write_text(text, encoding="utf-8")


def lua() -> Project:
    """Return the example, downloaded if necessary."""
    run_command(sys.executable, "fetch.py", cwd=EXAMPLE, env={**os.environ, "PYTHONPATH": str(ROOT / "site_scons")})
    return Project(
        program="lua",
        sources=f"{LUA}/*.c",
        source=EXAMPLE,
        files={"work.lua": WORK_LUA},
        crates={},
        plain={"SConstruct": PLAIN + PLAIN_LUA},
        edits={
            "leaf": (f"{LUA}/lua.c", "#define LUA_MAXINPUT\t\t", 512),
            "hub": (f"{LUA}/lvm.c", "#define MAXTAGLOOP\t", 2000),
            "common": (f"{LUA}/lmem.c", "#define MINSIZEARRAY\t", 4),
            "header": (f"{LUA}/llimits.h", "#define LUAI_MAXCCALLS\t\t", 200),
        },
        arguments=("work.lua",),
    )


def zstd(source: Path) -> Project:
    """Return zstd with its own program, or its library with a small program around it."""
    whole = (source / "programs").is_dir()
    leaf = ("programs/zstdcli.c", "#define OVERLAP_LOG_DEFAULT ", 9999) if whole else ("main.c", "level <= ", 12)
    return Project(
        program="main",
        sources="lib/c*/*.c",
        source=source,
        files={} if whole else {"main.c": MAIN_ZSTD},
        crates={"SConstruct": ZSTD + CRATES_ZSTD},
        plain={"SConstruct": ZSTD + PLAIN + PLAIN_ZSTD},
        prepared=(
            (
                "lib/common/zstd_common.c",
                "{ return ERR_isError(code);",
                "{ return ERR_isError(code) + (code == 1234567890123);",
            ),
        ),
        edits={
            "leaf": leaf,
            "hub": ("lib/compress/zstd_compress.c", "const U64 minSrcSize = ", 513),
            "common": ("lib/common/zstd_common.c", "return ERR_isError(code) + (code == ", 1234567890123),
            "header": ("lib/common/zstd_internal.h", "repStartValue[ZSTD_REP_NUM] = { 1, 4, ", 8),
        },
        arguments=("-b1", "-e12", "-i0", "lib/compress/zstd_compress.c") if whole else (),
    )


@dataclass(frozen=True)
class Run:
    """The time of a command in seconds, and its output."""

    wall: float
    cpu: float
    output: str


def run_command(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> Run:
    """Run a command that must succeed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, done.stdout)
