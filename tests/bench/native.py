"""A build without LTO beside SCons, ninja, Meson and CMake by themselves: the same sources, the same flags.

Knows nothing of how crates are built. The project is Lua (`examples/lua`), or a directory that BENCH_SOURCES names,
with BENCH_WORDS for its defines, include directories and libraries: `-DNAME -Iinclude -lm`.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from .builds import native_ways
from .case import Case, Way
from .measure import ROOT, found

__all__ = ["cases"]

EXAMPLE = ROOT / "examples" / "lua"
NOT_LUA = ["onelua.c", "ltests.c", "luac.c"]


def cases() -> list[Case]:
    """Return clean builds and builds of one edited source, by each compiler that is here."""
    sources = _sources()
    if sources is None:
        return [Case("Lua, lto=off", [Way("cratewright", missing="its sources cannot be fetched")])]
    words = shlex.split(os.environ.get("BENCH_WORDS", "-I. -lm -ldl"))
    given = {
        "defines": [word[2:] for word in words if word.startswith("-D")],
        "include": [word[2:] for word in words if word.startswith("-I")],
        "libs": [word[2:] for word in words if word.startswith("-l")],
        "without": NOT_LUA,
    }
    name = "Lua" if "BENCH_SOURCES" not in os.environ else sources.name
    compilers = [cc for cc in ("clang-19", "gcc") if found(cc)]
    return [
        Case(f"{name}, lto=off, {cc}, {what}", native_ways(sources, cc, given, edit=edit))
        for cc in compilers
        for what, edit in (("clean", False), ("one source edited", True))
    ]


def _sources() -> Path | None:
    if "BENCH_SOURCES" in os.environ:
        return Path(os.environ["BENCH_SOURCES"]).resolve()
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "site_scons")}
    done = subprocess.run(
        [sys.executable, "fetch.py"], cwd=EXAMPLE, env=environ, capture_output=True, text=True, check=False
    )
    return Path(done.stdout.strip()) if done.returncode == 0 else None
