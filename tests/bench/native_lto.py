"""Measures link-time optimisation of native crates beside a plain SCons build with the same compiler, on Lua 5.4.

Knows nothing of how either works: it builds, edits one file, builds again, and reads sizes, CPU seconds and the lines
that cratewright prints. Run from the root of the repository; `CC` is clang, or `--cc NAME`; nothing else may run.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "lua"
LUA = ".sdist/lua54"

# Each changes what a function does: one that nobody calls, one that calls many, one that most others call.
EDITS = {
    "leaf (lua.c)": ("lua.c", '#define LUA_PROMPT\t\t"> "', '#define LUA_PROMPT\t\t">> "'),
    "hub (lvm.c)": ("lvm.c", "#define MAXTAGLOOP\t2000", "#define MAXTAGLOOP\t2001"),
    "common (lmem.c)": ("lmem.c", "#define MINSIZEARRAY\t4", "#define MINSIZEARRAY\t5"),
}

PLAIN = """\
import glob
DefaultEnvironment(tools=[])
lto, cache = ARGUMENTS["lto"], ARGUMENTS.get("cache", "")
flags = "-O3 -DLUA_USE_LINUX -fPIC -ffunction-sections -fdata-sections".split()
env = Environment(tools=["gcc", "gnulink"], CC={cc!r}, CPPPATH=[{lua!r}], CCFLAGS=flags, LIBS=["m", "dl"])
env.Append(LINKFLAGS="-O3 -pie -fuse-ld=lld -Wl,-E,--gc-sections,--strip-debug,--build-id=none".split())
if lto != "off":
    env.Append(CCFLAGS=["-flto=" + lto], LINKFLAGS=["-flto=" + lto])
if cache:
    env.Append(LINKFLAGS=["-Wl,--thinlto-cache-dir=" + cache])
unwanted = ("onelua.c", "ltests.c")
sources = [path for path in sorted(glob.glob({lua!r} + "/*.c")) if os.path.basename(path) not in unwanted]
env.Program("lua", sources)
"""

WORK = """\
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
    """The example, in a directory of its own."""

    def __init__(self, where: Path, compiler: str, lto: str) -> None:
        self.name = f"crates, {lto}"
        self.where = where
        shutil.copytree(EXAMPLE, where)
        self._lto = lto
        environ = {**os.environ, "CRATE_CC": compiler, "CRATE_CACHE": str(where / ".crate-cache")}
        self._environ = environ

    def build(self) -> Run:
        """Build the interpreter."""
        site = ["--site-dir", ROOT / "site_scons"]
        return run(
            sys.executable,
            "-m",
            "SCons",
            "-Q",
            "-j2",
            *site,
            f"lto={self._lto}",
            "lua",
            cwd=self.where,
            env=self._environ,
        )

    def redone(self, output: str) -> int:
        """Return how many modules LTO optimised anew."""
        found = re.search(r"crate lua: \w+ LTO: (\d+) optimised", output)
        return int(found[1]) if found else 0


class Plain:
    """A plain SCons build of the same sources; with thin LTO by lld's own cache."""

    def __init__(self, where: Path, compiler: str, lto: str) -> None:
        self.name = f"plain SCons, {lto}"
        self.where = where
        shutil.copytree(EXAMPLE / LUA, where / LUA)
        (where / "SConstruct").write_text("import os\n" + PLAIN.format(cc=compiler, lua=LUA), encoding="utf-8")
        self._words = [f"lto={lto}", *(["cache=.lto"] if lto == "thin" else [])]
        self._entries: set[str] = set()

    def build(self) -> Run:
        """Build the interpreter."""
        return run(sys.executable, "-m", "SCons", "-Q", "-j2", *self._words, "lua", cwd=self.where)

    def redone(self, output: str) -> int:
        """Return how many entries lld's cache got."""
        now = {path.name for path in (self.where / ".lto").glob("llvmcache-*")}
        fresh = len(now - self._entries)
        self._entries = now
        return fresh


def main() -> int:
    """Measure and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", default="clang-19", help="a clang with its lld beside it")
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    run(sys.executable, "fetch.py", cwd=EXAMPLE, env={**os.environ, "PYTHONPATH": str(ROOT / "site_scons")})
    with tempfile.TemporaryDirectory(prefix="native-lto-") as work:
        builds = {
            (kind.__name__, lto): kind(Path(work, f"{kind.__name__}-{lto}".lower()), given.cc, lto)
            for lto in ("off", "thin", "fat")
            for kind in (Crates, Plain)
            if (kind, lto) != (Plain, "fat")
        }
        builds["Plain", "fat"] = Plain(Path(work, "plain-fat"), given.cc, "full")
        clean(builds)
        print()
        speed(builds, Path(work), given.repeat)
        print()
        edits(builds)
    return 0


def clean(builds: dict[tuple[str, str], Crates | Plain]) -> None:
    """Build all from nothing and compare the sizes of what comes out."""
    print("| build | CPU s | stripped bytes | ratio |\n|---|---|---|---|")
    for lto in ("off", "thin", "fat"):
        sizes = {}
        for kind in ("Plain", "Crates"):
            build = builds[kind, lto]
            done = build.build()
            build.redone(done.output)
            stripped = build.where / "lua.stripped"
            run("strip", "-o", stripped, "lua", cwd=build.where)
            sizes[kind] = stripped.stat().st_size
            ratio = f"{sizes[kind] / sizes['Plain']:.3f}"
            print(f"| {build.name} | {done.cpu:.1f} | {sizes[kind]} | {ratio} |")


def speed(builds: dict[tuple[str, str], Crates | Plain], work: Path, repeat: int) -> None:
    """Run the same Lua program with all interpreters in turn; the least CPU time of each."""
    (work / "work.lua").write_text(WORK, encoding="utf-8")
    times: dict[tuple[str, str], float] = {}
    for _ in range(repeat):
        for key, build in builds.items():
            done = run(build.where / "lua", "work.lua", cwd=work)
            times[key] = min(times.get(key, done.cpu), done.cpu)
    print("| interpreter | CPU s | ratio |\n|---|---|---|")
    for (kind, lto), seconds in sorted(times.items(), key=lambda item: (item[0][1], item[0][0] != "Plain")):
        print(f"| {builds[kind, lto].name} | {seconds:.3f} | {seconds / times['Plain', lto]:.3f} |")


def edits(builds: dict[tuple[str, str], Crates | Plain]) -> None:
    """Edit one file and build again, side by side."""
    chosen = [builds["Plain", "thin"], builds["Crates", "thin"], builds["Plain", "fat"], builds["Crates", "fat"]]
    print("| edit | build | wall s | CPU s | modules done anew |\n|---|---|---|---|---|")
    for name, (file, old, new) in EDITS.items():
        for build in chosen:
            path = build.where / LUA / file
            text = path.read_text(encoding="utf-8")
            if old not in text:
                sys.exit(f"{file} has no {old!r}")
            path.write_text(text.replace(old, new), encoding="utf-8")
            done = build.build()
            print(f"| {name} | {build.name} | {done.wall:.2f} | {done.cpu:.2f} | {build.redone(done.output)} |")


if __name__ == "__main__":
    sys.exit(main())
