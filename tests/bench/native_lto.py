"""Measures link-time optimization of native crates beside a plain SCons build with the same compiler.

Knows nothing of how either works: it builds, edits one file, builds again, and reads sizes, CPU seconds and which
modules were optimized anew.

    python -m tests.bench native-lto [--cc clang-19] [--repeat N] [--rounds N] [--every] [--zstd DIRECTORY]

The project is Lua 5.4 (`examples/lua`), or with `--zstd` zstd from a directory of sources: with its own program where
`programs` lies beside `lib`, as in a release; with a small one around the library otherwise, as in `src/c/zstd` of the
source distribution of `backports.zstd`. The plain build has lld's own cache for thin LTO. In every round each edit is
another text, which no cache has seen, and is made to all builds in turn, in the opposite order every other round. With
`--every` each source gets a new function in turn, for the two thin builds.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.native_e2e.lld_cache import new_entries, redone

from .measure import ROOT, scons

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
    """What is built.

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
    """Return the example, fetched if need be."""
    run(sys.executable, "fetch.py", cwd=EXAMPLE, env={**os.environ, "PYTHONPATH": str(ROOT / "site_scons")})
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
    """Return zstd with its own program, or its library with a small one around it."""
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
    """What a command took, in seconds, and what it printed."""

    wall: float
    cpu: float
    output: str


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> Run:
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


class Crates:
    """The project as crates, in a directory of its own."""

    def __init__(self, project: Project, where: Path, compiler: str, lto: str) -> None:
        self.name = f"crates, {lto}"
        self.where = where
        self.project = project
        project.copy(where, project.crates)
        self._lto = lto
        self._environ = {**os.environ, "CRATE_CC": compiler, "CRATE_CACHE": str(where / ".crate-cache")}

    def build(self) -> Run:
        """Build the program."""
        words = scons(f"lto={self._lto}", self.project.program)
        return run(*words, cwd=self.where, env=self._environ)

    def redone(self, output: str) -> list[str]:
        """Return the modules that thin LTO optimized anew."""
        return redone(self.where, output, self.project.program)


class Plain:
    """A plain SCons build of the same sources; with thin LTO by lld's own cache."""

    def __init__(self, project: Project, where: Path, compiler: str, lto: str) -> None:
        self.name = f"plain SCons, {lto}"
        self.where = where
        self.project = project
        project.copy(where, project.plain)
        self._environ = {**os.environ, "BENCH_CC": compiler}
        self._words = [f"lto={lto}", *(["cache=.lto"] if lto == "thin" else [])]
        self._seen: set[str] = set()

    def build(self) -> Run:
        """Build the program."""
        words = ["-Q", "-j2", *self._words, self.project.program]
        return run(sys.executable, "-m", "SCons", *words, cwd=self.where, env=self._environ)

    def redone(self, output: str) -> list[str]:
        """Return the modules that lld's cache did not have."""
        return new_entries(self.where / ".lto", self._seen)


Builds = dict[tuple[str, str], Crates | Plain]


def main(arguments: list[str]) -> int:
    """Measure and print tables in Markdown."""
    parser = argparse.ArgumentParser(description="measure LTO of native crates beside a plain SCons build")
    parser.add_argument("--cc", default="clang-19", help="a numbered clang, with its lld and llvm-ar installed")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each program")
    parser.add_argument("--rounds", type=int, default=5, help="how often each edit is made")
    parser.add_argument("--every", action="store_true", help="edit every source once as well")
    parser.add_argument("--zstd", type=Path, help="a directory of zstd's sources")
    given = parser.parse_args(arguments)
    project = zstd(given.zstd) if given.zstd else lua()
    with tempfile.TemporaryDirectory(prefix="native-lto-") as work:
        builds: Builds = {}
        for lto in ("off", "thin", "fat"):
            builds["Plain", lto] = Plain(project, Path(work, f"plain-{lto}"), given.cc, lto.replace("fat", "full"))
            builds["Crates", lto] = Crates(project, Path(work, f"crates-{lto}"), given.cc, lto)
        clean(builds)
        speed(builds, given.repeat)
        if given.rounds:
            edits(builds, given.rounds)
        if given.every:
            every(builds["Plain", "thin"], builds["Crates", "thin"])
    return 0


def clean(builds: Builds) -> None:
    """Build all from nothing and compare the sizes of what comes out."""
    print("| build | CPU s | stripped bytes | ratio |\n|---|---|---|---|")
    for lto in ("off", "thin", "fat"):
        sizes = {}
        for kind in ("Plain", "Crates"):
            build = builds[kind, lto]
            done = build.build()
            build.redone(done.output)
            run("strip", "-o", "stripped", build.project.program, cwd=build.where)
            sizes[kind] = (build.where / "stripped").stat().st_size
            print(f"| {build.name} | {done.cpu:.1f} | {sizes[kind]} | {sizes[kind] / sizes['Plain']:.3f} |")


def speed(builds: Builds, repeat: int) -> None:
    """Run the same work with all programs in turn; the least CPU time of each."""
    times: dict[tuple[str, str], float] = {}
    for _ in range(repeat):
        for key, build in builds.items():
            project = build.project
            done = run(build.where / project.program, *project.arguments, cwd=build.where)
            times[key] = min(times.get(key, done.cpu), done.cpu)
    print("\n| program | CPU s | ratio |\n|---|---|---|")
    for (kind, lto), seconds in times.items():
        print(f"| {builds[kind, lto].name} | {seconds:.3f} | {seconds / times['Plain', lto]:.3f} |")


def edits(builds: Builds, rounds: int) -> None:
    """Edit one file and build again, side by side; print what it took, and whether the same modules were done anew."""
    chosen = [(kind, lto) for lto in ("thin", "fat") for kind in ("Plain", "Crates")]
    runs: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    agreed: dict[str, list[str]] = {}
    project = builds["Plain", "thin"].project
    for number in range(1, rounds + 1):
        for name, edit in project.edits.items():
            modules = {}
            for key in chosen if number % 2 else reversed(chosen):
                build = builds[key]
                make(build.where, edit, number)
                done = build.build()
                runs[(name, *key)].append(done)
                if key[1] == "thin":
                    modules[key[0]] = build.redone(done.output)
            ours, theirs = modules["Crates"], modules["Plain"]
            said = f"{len(ours)}, the same" if ours == theirs else f"ours {ours}, lld's {theirs}"
            agreed.setdefault(name, []).append(said)
    times = "CPU s, best | median | wall s, best | median"
    print(f"\n| edit | build | {times} | x lld cache, CPU | wall | fat / this, CPU | wall |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, edit in project.edits.items():
        for key in chosen:
            row = times_row(*(runs[(name, *other)] for other in (key, ("Plain", "thin"), ("Plain", "fat"))))
            print(f"| {name} ({os.path.basename(edit[0])}) | {builds[key].name} | {row} |")
    print("\nRatios are of the best times; fat is that of the plain build. Modules done anew, in each round:")
    for name, words in agreed.items():
        print(f"  {name}: {'; '.join(words)}")


def every(plain: Plain | Crates, crates: Plain | Crates) -> None:
    """Add a function to each source in turn, and compare what the two builds take for it."""
    project = plain.project
    files = [path.relative_to(plain.where) for path in sorted(plain.where.glob(project.sources))]
    files = [file for file in files if file.name not in NOT_LUA]
    pairs: list[tuple[Run, Run]] = []
    same = 0
    for number, file in enumerate(files):
        done: dict[Plain | Crates, Run] = {}
        for build in (plain, crates) if number % 2 else (crates, plain):
            with (build.where / file).open("a", encoding="utf-8") as stream:
                stream.write(f"\nint bench_added_{number}(int x) {{ return x * {number + 3}; }}\n")
            done[build] = build.build()
        same += plain.redone(done[plain].output) == crates.redone(done[crates].output)
        pairs.append((done[crates], done[plain]))
    print(f"\n{len(files)} sources edited, each once; the same modules done anew for {same}. Ratios to lld's cache:")
    for unit, seconds in (
        ("CPU", [(ours.cpu, theirs.cpu) for ours, theirs in pairs]),
        ("wall", [(ours.wall, theirs.wall) for ours, theirs in pairs]),
    ):
        ratios = sorted(ours / theirs for ours, theirs in seconds)
        total = sum(ours for ours, _ in seconds) / sum(theirs for _, theirs in seconds)
        print(
            f"  {unit}: in all {total:.2f}, median {statistics.median(ratios):.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f}"
        )


def make(where: Path, edit: tuple[str, str, int], number: int) -> None:
    """Make an edit for the round of this number."""
    file, before, value = edit
    path = where / file
    pattern = rf"({re.escape(before)})\d+"
    text, count = re.subn(pattern, rf"\g<1>{value + number}", path.read_text(encoding="utf-8"))
    if count != 1:
        sys.exit(f"{file} has {before!r} {count} times")
    path.write_text(text, encoding="utf-8")


def times_row(this: list[Run], cached: list[Run], fat: list[Run]) -> str:
    """Return the cells of a row: what the builds of one kind took, and how that compares with two others."""
    cells: list[str] = []
    for seconds in ([run.cpu for run in this], [run.wall for run in this]):
        cells += [f"{min(seconds):.2f}", f"{statistics.median(seconds):.2f}"]
    best = [(min(run.cpu for run in runs), min(run.wall for run in runs)) for runs in (this, cached, fat)]
    cells += [f"{mine / theirs:.2f}" for mine, theirs in zip(best[0], best[1], strict=True)]
    cells += [f"{theirs / mine:.1f}" for mine, theirs in zip(best[0], best[2], strict=True)]
    return " | ".join(cells)
