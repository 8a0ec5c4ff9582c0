"""Chooses a build's toolchain: the user's choice, or the first that works."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from cratewright import CratewrightError, ToolError, make_private, pattern, scratch_root

from .gcc import Gcc
from .llvm import Llvm, LlvmPrograms, find_programs, programs_in, programs_of
from .probe import cache_directory, check_thin_lto, identity, output_of, program_of, remembered
from .toolchain import WORKING_DIRECTORY, Toolchain
from .zig import Zig, bundled_zig

_HINT = "install cratewright-native[zig], or clang and lld of one version; or name one in CRATE_CC or CRATE_LLVM"
_NAMED_BY = ("named by", "CRATE_CC, or else by CC or CXX of the Environment")
_LAUNCHERS = frozenset(("ccache", "sccache", "distcc", "icecc", "buildcache"))
_C_DRIVERS = {"clang++": "clang", "g++": "gcc", "c++": "cc"}
_DRIVER = pattern(r"clang\+\+|\bg\+\+|\bc\+\+")
_MAJOR = pattern(r"(?:version|LLD) (\d+)\.")


def choose_toolchain(root: str, *, compiler: str = "", llvm: str = "") -> Toolchain:
    """Return the toolchain to use.

    Shape: `llvm` is a directory with clang and lld in it; `compiler` is `zig`, or a clang or gcc, by name or path.
    Raises: ToolError if the user's choice does not work, or nothing does.
    """
    if llvm:
        return _llvm(root, programs_in(os.path.join(root, llvm)))
    if compiler:
        return _named_toolchain(root, compiler)
    reasons: list[tuple[str, str]] = []
    for name, make in _candidates(root):
        try:
            return make()
        except CratewrightError as error:
            reasons.append((name, error.message))
    raise ToolError("no working C compiler", context=reasons, hint=_HINT)


def _candidates(root: str) -> Iterator[tuple[str, Callable[[], Toolchain]]]:
    for programs in find_programs(os.environ.get("PATH", os.defpath)):
        yield os.path.basename(programs.clang), partial(_llvm, root, programs)
    zig = bundled_zig()
    if zig:
        yield "zig", partial(_zig, root, zig)
    gcc = shutil.which("gcc")
    if gcc:
        yield "gcc", partial(_gcc, root, gcc)


def _named_toolchain(root: str, compiler: str) -> Toolchain:
    words = compiler.split()
    if len(words) > 1 and not os.path.exists(os.path.join(root, compiler)):
        raise ToolError(
            f"compiler '{compiler}' is more than one word",
            context=(_NAMED_BY,),
            hint=f"name the compiler alone, as in CRATE_CC={words[-1]}: cratewright keeps results itself"
            if os.path.basename(words[0]) in _LAUNCHERS
            else "name the compiler alone, and put further words into 'flags' and 'ldflags'",
        )
    name = os.path.basename(compiler)
    if name == "zig":
        program = compiler if os.path.dirname(compiler) else bundled_zig() or shutil.which(compiler) or ""
    else:
        program = shutil.which(os.path.join(root, compiler) if os.path.dirname(compiler) else compiler) or ""
    if not program:
        raise ToolError(f"cannot find compiler '{compiler}'", context=(_NAMED_BY,), hint=_HINT)
    program = os.path.abspath(os.path.join(root, program))
    if name == "zig":
        return _zig(root, program)
    driver = _DRIVER.sub(lambda match: _C_DRIVERS[match[0]], name)
    if driver != name:  # the C driver also compiles C++, by an argument or another driver beside it
        c_driver = os.path.join(os.path.dirname(program), driver)
        program = c_driver if os.access(c_driver, os.X_OK) else program
    kind = _kind(program)
    if kind not in os.path.basename(program):  # cc is a link to a driver in the folder of its tools
        program = os.path.realpath(program)
    if kind and kind in os.path.basename(program):
        return _llvm(root, programs_of(program)) if kind == "clang" else _gcc(root, program)
    raise ToolError(
        f"compiler '{compiler}' is neither clang nor gcc",
        context=(_NAMED_BY,),
        hint="name zig, gcc or clang, with a path or a version number if need be",
    )


def _kind(program: str) -> str:
    """Return `clang` or `gcc` by the program's name, or by its version output; empty if it is neither."""
    for path in (program, os.path.realpath(program)):
        name = os.path.basename(path)
        found = "clang" if "clang" in name else "gcc" if "gcc" in name else ""
        if found:
            return found
    try:
        output = _version(program, "--version")
    except ToolError:
        return ""
    return "clang" if "clang" in output else "gcc" if re.search(r"\bgcc\b|\(GCC\)|Free Software", output) else ""


def _llvm(root: str, programs: LlvmPrograms) -> Llvm:
    if programs.missing:
        raise ToolError(
            f"{programs.missing} is missing",
            context=(("clang", programs.clang),),
            hint="install lld and llvm of the same version",
        )

    def probe() -> str:
        clang, lld = _version(programs.clang, "--version"), _version(programs.lld, "--version")
        majors = [match[1] for match in (_MAJOR.search(clang), _MAJOR.search(lld)) if match]
        if len(majors) < 2 or majors[0] != majors[1]:
            raise ToolError(f"clang and lld have different versions: {clang}; {lld}")
        version = f"{clang}, {lld.partition(' (compatible')[0]}"
        toolchain = Llvm(root=root, version=version, llvm_major=int(majors[0]), programs=programs)
        check_thin_lto(toolchain)
        return json.dumps([version, int(majors[0])])

    version, major = json.loads(remembered("llvm", identity((programs.clang, programs.lld)), probe))
    return Llvm(root=root, version=version, llvm_major=major, programs=programs)


def _zig(root: str, program: str) -> Zig:
    def probe() -> str:
        own, clang = _version(program, "version"), _version(program, "clang", "--version")
        match = _MAJOR.search(clang)
        if match is None:
            raise ToolError(f"this zig does not include clang: {clang}")
        version = f"zig {own}, {clang}"
        toolchain = Zig(root=root, version=version, llvm_major=int(match[1]), program=program, cache=_cache(own))
        check_thin_lto(toolchain)
        return json.dumps([version, int(match[1]), own])

    version, major, own = json.loads(remembered("zig", identity((program,)), probe))
    return Zig(root=root, version=version, llvm_major=major, program=program, cache=_cache(own))


def _cache(version: str) -> str:
    directory = cache_directory()
    return str((directory if _writable(directory) else _fallback()) / f"zig-{version}")


def _fallback() -> Path:
    """Return a directory for zig's C libraries if there is no home: one for all builds, unless another user owns it."""
    import tempfile  # noqa: PLC0415 - only without a home

    directory = os.path.join(tempfile.gettempdir(), f"cratewright-{getattr(os, 'getuid', int)()}")
    return Path(directory if make_private(directory) else scratch_root())


def _writable(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(directory, os.W_OK)


def _gcc(root: str, program: str) -> Gcc:
    if not os.path.exists(WORKING_DIRECTORY):
        raise ToolError(
            f"gcc would record the project's location in its results, because there is no {WORKING_DIRECTORY} here",
            hint="use clang, or pip install 'cratewright-native[zig]'",
        )
    # gcc, its linker and its assembler are different packages.
    tools = (program, *(program_of(program, name) or name for name in ("ld", "as")))
    return Gcc(root=root, version=", ".join(_version(tool, "--version") for tool in tools), program=program)


def _version(program: str, *arguments: str) -> str:
    """Return the first line of a program's version output.

    Raises: ToolError if it cannot be run.
    """
    try:
        return output_of(program, *arguments).strip().splitlines()[0].strip()
    except ToolError as error:
        if "cannot be run" in error.message:
            raise
        raise ToolError(f"{os.path.basename(program)} does not print its version") from error
