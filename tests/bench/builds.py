"""The same sources for every build system: shaders in crates, and a program in C or C++."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .case import Way, environment_of
from .measure import LEFT, found, measure, scons
from .projects import Project
from .tools import Tools

from cratewright_native.toolchains.zig import bundled_zig  # isort: skip
from cratewright.base.errors import CratewrightError  # isort: skip

__all__ = ["COMPILER", "NINJA", "NULL", "anew", "edit_ways", "empty", "native_ways", "null_ways", "shaders"]

OURS_TOO, NULL, COMPILER = "cratewright", "cratewright, nothing to do", "glslangValidator, spirv-val"
SETTLED = 4
"""How many builds it takes until one with nothing to do is surely known as a whole."""

NINJA = found("ninja")
SHADER = """\
#version 460
#include "h.h"
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer B {{ float d[]; }};
float f(float x);
void main() {{ uint i = gl_GlobalInvocationID.x; d[i] = f(d[i] * K + {crate}.0 + {unit}.0); }}
"""
OURS = """\
import cratewright
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3", CRATE_PROFILE="dev")
lib = env.Crate("lib", ["lib.glsl"])
for n in range({crates}):
    names = [f"c{{n}}/s{{i}}.comp" for i in range({each})]
    words = dict(deps=[lib], crate_type="cdylib", multimodule=True, include_dirs=["inc"])
    Default(env.Crate(f"c{{n}}", names, **words))
"""
PLAIN = """\
env = Environment(tools=[])
DefaultEnvironment(tools=[])
for n in range({crates}):
    for i in range({each}):
        env.Command(f"c{{n}}/s{{i}}.spv", f"c{{n}}/s{{i}}.comp", Copy("$TARGET", "$SOURCE"))
"""
NATIVE = {
    "cratewright": """\
import cratewright
env = Environment(tools=["default", cratewright.tool], CRATE_BACKEND="native", CRATE_PROFILE="release")
words = dict(opt_level="2", defines={defines!r}, include_dirs={include!r}, libs={libs!r})
env.Crate("app", {sources!r}, crate_type="bin", **words)
""",
    "plain SCons": """\
import os
env = Environment(CC={cc!r}, CXX={cxx!r}, CCFLAGS={flags!r}, CPPDEFINES={defines!r}, CPPPATH={include!r})
env["ENV"] = dict(os.environ)
env.Program("app", {sources!r}, LIBS={libs!r}, LINKFLAGS=["-Wl,--gc-sections"])
""",
}
FLAGS = ("-O2", "-g0", "-fPIC", "-ffunction-sections", "-fdata-sections")


def empty() -> Way:
    """Return a build with an SConstruct that declares nothing."""
    write = lambda directory: _write(directory, "SConstruct", "Environment(tools=[])\n")  # noqa: E731
    return Way("empty scons", scons(), write, place="empty")


def shaders(units: int, crates: int) -> Way:
    """Return our build of shaders in crates, which stores its results in `cache` beside it."""
    write = _shaders(units, crates, OURS, "SConstruct")
    return Way(OURS_TOO, scons(), write, environ={"CRATE_CACHE": "cache"}, place=f"{units} in {crates}")


def anew(directory: Path, number: int) -> None:
    """Reset a build of shaders to a clean one."""
    for pattern in (*LEFT, "cache", "c*/*.spv*"):
        for path in directory.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def null_ways(units: int, crates: int) -> list[Way]:
    """Return builds of shaders that are up to date."""
    ours = replace(shaders(units, crates), first=[scons()] * SETTLED)
    return [empty(), ours, *_others(units, crates)]


def edit_ways(units: int, crates: int) -> list[Way]:
    """Return builds of shaders with one edited, the compiler alone, and a build with nothing to do."""
    edited = f"c{crates // 2}/s0.comp"

    def edit(directory: Path, number: int) -> None:
        _write(directory, edited, SHADER.format(crate=crates, unit=units + 2 * number))

    def edit_alone(directory: Path, number: int) -> None:
        # Not the text of `edit`, which would leave the file as it is.
        _write(directory, edited, SHADER.format(crate=crates, unit=units + 2 * number + 1))

    def settle(directory: Path, number: int) -> None:
        for _ in range(SETTLED + 1):  # the way with the compiler alone may have edited it, too
            measure(scons(), directory, environment_of(ours))

    ours = shaders(units, crates)
    compile_it = "$0 --quiet -V --target-env vulkan1.3 -P'#extension GL_GOOGLE_include_directive : require' -Iinc"
    whole = f"cat lib.glsl > one.comp; grep -v -e '#version' -e '^float f(float x);' {edited} >> one.comp"
    command = f"{whole}; {compile_it} -S comp -o one.spv one.comp && $1 --target-env vulkan1.3 one.spv"
    try:
        tools, missing = Tools.find(), ""
    except CratewrightError as error:
        tools, missing = None, str(error).splitlines()[0]
    programs = [str(tools.glslang), str(tools.validator)] if tools is not None else []
    libraries = {"LD_LIBRARY_PATH": str(tools.libraries)} if tools is not None else {}
    return [
        replace(ours, begin=edit, first=[scons()] * SETTLED),
        replace(ours, name=NULL, begin=settle),
        Way(
            COMPILER,
            ["sh", "-c", command, *programs],
            ours.write,
            edit_alone,
            libraries,
            place=ours.place,
            missing=missing,
        ),
        *(replace(way, begin=edit) for way in _others(units, crates)),
    ]


def _others(units: int, crates: int) -> list[Way]:
    each, ninja = units // crates, [NINJA, "-j2"]
    rules = ["rule copy", "  command = cp $in $out"]
    rules += [f"build c{n}/s{i}.spv: copy c{n}/s{i}.comp" for n in range(crates) for i in range(each)]
    plain = Way("plain SCons, copies", scons(), _shaders(units, crates, PLAIN, "SConstruct"), first=[scons()])
    text = "\n".join(rules) + "\n"
    alone = Way("ninja, copies", ninja, _shaders(units, crates, text, "build.ninja"), first=[ninja])
    missing = _no(NINJA, "ninja")
    return [
        replace(plain, place=f"{units} copied by SCons", rounds=max(1, 10_000 // units)),
        replace(alone, place=f"{units} copied by ninja", missing=missing, first=[] if missing else [ninja]),
    ]


def _shaders(units: int, crates: int, text: str, file: str) -> Callable[[Path], None]:
    each = units // crates
    # Ninja's rules contain braces, so `format` cannot be used.
    text = text.format(crates=crates, each=each) if file == "SConstruct" else text

    def work(directory: Path) -> None:
        _write(directory, "inc/h.h", "#define K 2.0\n")
        _write(directory, "lib.glsl", "#version 460\nfloat f(float x) { return x * 2.0; }\n")
        for crate in range(crates):
            for unit in range(each):
                _write(directory, f"c{crate}/s{unit}.comp", SHADER.format(crate=crate, unit=unit))
        _write(directory, file, text)

    return work


def native_ways(project: Project, sources: Path, cc: str, *, edit: bool, all_of_them: bool) -> list[Way]:
    """Return builds of a C or C++ program with one compiler and the same flags, clean or with one source edited.

    Shape: the other systems take part with `all_of_them`, without it plain SCons does; zig is `zig`.
    """
    names = sorted(
        path.relative_to(sources).as_posix()
        for pattern in ("*.c", "*/*.c", "*.cc", "*/*.cc", "*.cpp", "*/*.cpp")
        for path in sources.glob(pattern)
        if path.name not in project.without
    )
    known, zig = cc, cc == "zig"
    cxx = cc.replace("clang", "clang++") if "clang" in cc else cc.replace("gcc", "g++")
    if zig:
        cc, cxx = (f"{bundled_zig()} {word} -target x86_64-linux-gnu -mcpu=baseline" for word in ("cc", "c++"))
    flags = list(FLAGS)
    values = {key: list(getattr(project, key)) for key in ("defines", "include", "libs")}
    edited = names[len(names) // 2]
    meson, cmake = found("meson"), found("cmake")

    def write(files: dict[str, str]) -> Callable[[Path], None]:
        def work(directory: Path) -> None:
            shutil.copytree(sources, directory, dirs_exist_ok=True)
            for name, text in files.items():
                _write(directory, name, text)

        return work

    def begin(directory: Path, number: int) -> None:
        if edit:
            with (directory / edited).open("a", encoding="utf-8") as file:
                file.write(f"\nint edited_for_the_benchmark_{number}(void) {{ return {number}; }}\n")
            return
        for path in sorted(directory.rglob("*.o")):
            path.unlink()
        for name in names if zig else ():  # zig has its own cache
            with (directory / name).open("a", encoding="utf-8") as file:
                file.write(f"\n/* {directory.name} {number} */\n")
        for name in ("app", "app.rlink", "build/app", ".sconsign.dblite", "cache"):
            path = directory / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        # Without its build log, ninja rebuilds all; the configuration stays.
        for name in (".ninja_log", ".ninja_deps", "build/.ninja_log", "build/.ninja_deps"):
            (directory / name).unlink(missing_ok=True)

    defines = [f"-D{name}" for name in values["defines"]]
    includes = [f"-I{name}" for name in values["include"]]
    libraries = [f"-l{name}" for name in values["libs"]]
    rows = {kind: text.format(cc=cc, cxx=cxx, flags=flags, sources=names, **values) for kind, text in NATIVE.items()}
    ninja = [f"cc = {cc}", f"cxx = {cxx}", f"flags = {' '.join([*flags, *defines, *includes])}"]
    for tool, rule in (("cc", "c"), ("cxx", "x")):
        ninja += [
            f"rule {rule}",
            f"  command = ${tool} $flags -MMD -MF $out.d -c $in -o $out",
            "  depfile = $out.d",
            "  deps = gcc",
        ]
    linker = "cc" if all(name.endswith(".c") for name in names) else "cxx"
    ninja += ["rule link", f"  command = ${linker} -Wl,--gc-sections $in -o $out {' '.join(libraries)}"]
    ninja += [f"build {name}.o: {'c' if name.endswith('.c') else 'x'} {name}" for name in names]
    ninja += [f"build app: link {' '.join(f'{name}.o' for name in names)}", ""]
    languages = "'c'" if linker == "cc" else "'c', 'cpp'"
    meson_words = (
        f"c_args: {[*flags, *defines]}, cpp_args: {[*flags, *defines]}, link_args: {['-Wl,--gc-sections', *libraries]}"
    )
    meson_text = (
        f"project('app', {languages}, default_options: ['buildtype=plain', 'b_staticpic=false', 'b_lundef=false'])\n"
        f"executable('app', {names}, {meson_words}, include_directories: {values['include']})\n"
    )
    cmake_text = (
        f"cmake_minimum_required(VERSION 3.13)\nproject(app {'C' if linker == 'cc' else 'C CXX'})\n"
        f"add_executable(app {' '.join(names)})\n"
        f"target_compile_options(app PRIVATE {' '.join([*flags, *defines])})\n"
        f"target_include_directories(app PRIVATE {' '.join(values['include'])})\n"
        f"target_link_libraries(app PRIVATE -Wl,--gc-sections {' '.join(libraries)})\n"
    )
    environ = {"CC": cc, "CXX": cxx, "CRATE_CC": known, "CRATE_CACHE": "cache"}
    below = [NINJA, "-j2", "-C", "build"]
    configured = [[cmake, "-G", "Ninja", "-S", ".", "-B", "build", f"-DCMAKE_MAKE_PROGRAM={NINJA}"]]

    def way(name: str, command: list[str], files: dict[str, str], first: list[list[str]], missing: str) -> Way:
        before = [*first, *([command] if edit else [])]
        place = f"{project.name}, {known}, {name}"
        return Way(name, command, write(files), begin, environ, before if not missing else (), missing, place=place)

    ways = [
        way("cratewright", scons("app"), {"SConstruct": rows["cratewright"]}, [], ""),
        way("plain SCons", scons("app"), {"SConstruct": rows["plain SCons"]}, [], ""),
        way("ninja", [NINJA, "-j2"], {"build.ninja": "\n".join(ninja)}, [], _no(NINJA, "ninja")),
        way(
            "Meson + ninja",
            below,
            {"meson.build": meson_text},
            [["sh", "-c", '[ -d build ] || "$0" setup build', meson]],
            _no(meson and NINJA, "meson"),
        ),
        way("CMake + ninja", below, {"CMakeLists.txt": cmake_text}, configured, _no(cmake and NINJA, "cmake")),
    ]
    return ways if all_of_them else ways[:2]


def _no(path: str, name: str) -> str:
    return "" if path else f"{name} is not installed"


def _write(directory: Path, name: str, text: str) -> None:
    path = directory / name
    if os.sep in name or "/" in name:
        path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
