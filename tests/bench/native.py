"""Builds without LTO, compared with SCons, ninja, Meson and CMake: the same sources and flags."""

from __future__ import annotations

from .builds import native_ways
from .case import OURS, Case, Goal, Way, ratio
from .measure import found
from .projects import PROJECTS

from cratewright.base.errors import CratewrightError  # isort: skip
from cratewright_native.toolchains.zig import bundled_zig  # isort: skip

__all__ = ["cases"]

PLAIN = "plain SCons"


def cases() -> list[Case]:
    """Return clean builds and builds of one edited source, with each available compiler."""
    compilers = [cc for cc in ("clang-19", "gcc") if found(cc)] + (["zig"] if bundled_zig() else [])
    made: list[Case] = []
    for project in PROJECTS:
        try:
            sources = project.sources()
        except CratewrightError as error:
            made.append(Case(f"{project.name}, lto=off", [Way(OURS, missing=str(error).splitlines()[0])]))
            continue
        for cc in compilers:
            for what, edit, limit in (("clean", False, 1.03), ("one source edited", True, 1.1)):
                some = project.name == "Lua" and cc != "zig"
                ways = native_ways(project, sources, cc, edit=edit, all_of_them=some)
                goals = [Goal("ours / plain SCons", ratio(OURS, PLAIN), limit)]
                name = f"{project.name}, lto=off, {cc}, {what}"
                rounds = 1000 if edit or some else 3
                made.append(
                    Case(
                        name,
                        ways,
                        goals=goals,
                        rounds=rounds,
                        headline=project.name == "Lua" and cc == "gcc",
                    )
                )
    return made
