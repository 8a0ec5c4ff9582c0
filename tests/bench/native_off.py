"""What a build without LTO costs beside a plain SCons build of the same sources with the same flags: clean, one edit.

Knows nothing of how crates are built: it runs SCons, and counts the CPU seconds of all that it starts.

    python tests/bench/native_off.py SOURCES... [--cc clang-19 gcc zig] [--rounds N] [--libs m dl] [--include DIR...]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAIN = """\
env = Environment(CC={cc!r}, CCFLAGS={flags!r}, CPPDEFINES={defines!r}, CPPPATH={include!r}, ENV={environ!r})
env.Program("app", {sources!r}, LIBS={libs!r}, LINKFLAGS=["-Wl,--gc-sections"])
"""
OURS = """\
import cratewright
env = Environment(tools=["default", cratewright.tool], CRATE_BACKEND="native", CRATE_PROFILE="release")
words = dict(opt_level="2", defines={defines!r}, include_dirs={include!r}, libs={libs!r})
env.Crate("app", {sources!r}, crate_type="bin", **words)
"""
FLAGS = ["-O2", "-g0", "-fPIC", "-ffunction-sections", "-fdata-sections"]
ZIG = ["-target", "x86_64-linux-gnu", "-mcpu=baseline", "-fno-sanitize=undefined", "-fno-stack-protector"]


def _cpu(directory: Path, cc: str) -> float:
    """Build, and return the seconds that SCons and all that it has started took."""
    environ = {**os.environ, "CRATE_CC": cc, "PYTHONDONTWRITEBYTECODE": ""}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "SCons", "-Q", "-j2", "app"]
    done = subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _projects(work: Path, sources: Path, cc: str, arguments: argparse.Namespace) -> dict[str, Path]:
    names = sorted(path.name for path in sources.glob("*.c") if path.name not in arguments.without)
    caches = os.environ | {"ZIG_LOCAL_CACHE_DIR": str(work / "zig")}
    words = {
        "cc": f"{sys.executable} -m ziglang cc" if cc == "zig" else cc,
        "flags": [*FLAGS, *(ZIG if cc == "zig" else [])],
        "defines": arguments.defines,
        "include": [".", *arguments.include],
        "sources": names,
        "libs": arguments.libs,
        "environ": {name: caches[name] for name in ("PATH", "HOME", "ZIG_LOCAL_CACHE_DIR")},
    }
    made = {}
    for kind, text in (("plain", PLAIN), ("ours", OURS)):
        made[kind] = work / kind
        shutil.copytree(sources, made[kind])
        (made[kind] / "SConstruct").write_text(text.format(**words))
    return made


def _measure(sources: Path, cc: str, arguments: argparse.Namespace) -> None:
    seconds: dict[tuple[str, str], list[float]] = {}
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as work:
            made = _projects(Path(work), sources, cc, arguments)
            for kind, directory in made.items():
                seconds.setdefault(("clean", kind), []).append(_cpu(directory, cc))
            edited = sorted(sources.glob("*.c"))[len(list(sources.glob("*.c"))) // 2].name
            for kind, directory in made.items():
                time.sleep(0.05)
                with (directory / edited).open("a") as file:
                    file.write("\nint edited_for_the_benchmark(void) { return 1; }\n")
                seconds.setdefault(("edit", kind), []).append(_cpu(directory, cc))
    for what in ("clean", "edit"):
        plain, ours = (statistics.median(seconds[what, kind]) for kind in ("plain", "ours"))
        pairs = zip(seconds[what, "ours"], seconds[what, "plain"], strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        print(f"| {sources.name}, {cc} | {what} | {plain:.2f} | {ours:.2f} | {ratio:.2f} |", flush=True)


def main() -> None:
    """Measure each directory of sources with each compiler."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--cc", nargs="+", default=["clang-19", "gcc", "zig"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--libs", nargs="*", default=["m", "dl"])
    parser.add_argument("--include", nargs="*", default=[])
    parser.add_argument("--defines", nargs="*", default=[])
    parser.add_argument("--without", nargs="*", default=["luac.c", "ltests.c", "onelua.c"])
    arguments = parser.parse_args()
    print("| project | build | plain SCons, CPU s | ours | ratio |\n|---|---|---|---|---|")
    for sources in arguments.sources:
        for cc in arguments.cc:
            _measure(sources.resolve(), cc, arguments)


if __name__ == "__main__":
    main()
