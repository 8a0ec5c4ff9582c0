"""The same sources for every build system: shaders in crates, and a program in C or C++.

Knows nothing of how long anything takes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from .case import Way
from .measure import found, scons

__all__ = ["NINJA", "empty", "native_ways", "shader_ways"]

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
    """Return what SCons takes for an SConstruct that says nothing."""
    return Way("empty scons", scons(), lambda directory: _write(directory, "SConstruct", "Environment(tools=[])\n"))


def shader_ways(units: int, crates: int, *, edit: bool) -> list[Way]:
    """Return builds of shaders that are up to date, in crates: with nothing to do, or with one shader edited."""
    each = units // crates

    def write(text: str, file: str = "SConstruct") -> Callable[[Path], None]:
        def work(directory: Path) -> None:
            _write(directory, "inc/h.h", "#define K 2.0\n")
            _write(directory, "lib.glsl", "#version 460\nfloat f(float x) { return x * 2.0; }\n")
            for crate in range(crates):
                for unit in range(each):
                    _write(directory, f"c{crate}/s{unit}.comp", SHADER.format(crate=crate, unit=unit))
            _write(directory, file, text)

        return work

    def begin(directory: Path, number: int) -> None:
        if edit:
            _write(directory, f"c{crates // 2}/s0.comp", SHADER.format(crate=crates, unit=units + number))

    rules = ["rule copy", "  command = cp $in $out"]
    rules += [f"build c{n}/s{i}.spv: copy c{n}/s{i}.comp" for n in range(crates) for i in range(each)]
    plain, ours = (text.format(crates=crates, each=each) for text in (PLAIN, OURS))
    ninja = [NINJA, "-j2"]
    return [
        empty(),
        Way("cratewright", scons(), write(ours), begin, {"CRATE_CACHE": "cache"}, [scons()]),
        Way("plain SCons, copies", scons(), write(plain), begin, first=[scons()]),
        Way(
            "ninja, copies",
            ninja,
            write("\n".join(rules) + "\n", "build.ninja"),
            begin,
            first=[ninja],
            missing=_no(NINJA, "ninja"),
        ),
    ]


def native_ways(sources: Path, cc: str, words: dict[str, list[str]], *, edit: bool) -> list[Way]:
    """Return builds of a program in C or C++ by one compiler with the same flags, clean or with one source edited."""
    names = sorted(
        path.relative_to(sources).as_posix()
        for pattern in ("*.c", "*/*.c", "*.cc", "*/*.cc", "*.cpp", "*/*.cpp")
        for path in sources.glob(pattern)
        if path.name not in words["without"]
    )
    cxx = cc.replace("clang", "clang++") if "clang" in cc else cc.replace("gcc", "g++")
    flags, values = list(FLAGS), {key: words[key] for key in ("defines", "include", "libs")}
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
        for name in ("app", "app.rlink", "build/app", ".sconsign.dblite", "cache"):
            path = directory / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        # A build log is what ninja knows; configured it stays.
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
    environ = {"CC": cc, "CXX": cxx, "CRATE_CC": cc, "CRATE_CACHE": "cache"}
    below = [NINJA, "-j2", "-C", "build"]
    configured = [[cmake, "-G", "Ninja", "-S", ".", "-B", "build", f"-DCMAKE_MAKE_PROGRAM={NINJA}"]]

    def way(name: str, command: list[str], files: dict[str, str], first: list[list[str]], missing: str) -> Way:
        before = [*first, *([command] if edit else [])]
        return Way(name, command, write(files), begin, environ, before if not missing else (), missing)

    return [
        way("cratewright", scons("app"), {"SConstruct": rows["cratewright"]}, [], ""),
        way("plain SCons", scons("app"), {"SConstruct": rows["plain SCons"]}, [], ""),
        way("ninja", [NINJA, "-j2"], {"build.ninja": "\n".join(ninja)}, [], _no(NINJA, "ninja")),
        way(
            "Meson + ninja",
            below,
            {"meson.build": meson_text},
            [[meson, "setup", "build"]],
            _no(meson and NINJA, "meson"),
        ),
        way("CMake + ninja", below, {"CMakeLists.txt": cmake_text}, configured, _no(cmake and NINJA, "cmake")),
    ]


def _no(path: str, name: str) -> str:
    return "" if path else f"{name} is not installed"


def _write(directory: Path, name: str, text: str) -> None:
    path = directory / name
    if os.sep in name or "/" in name:
        path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
