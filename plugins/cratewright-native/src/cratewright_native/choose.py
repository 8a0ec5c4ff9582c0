"""Which toolchain a build uses: the user's choice, or the first that proves to work.

Knows nothing of what is compiled with it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from cratewright import CratewrightError
from cratewright.errors import ToolError

from .gcc import Gcc
from .llvm import Llvm, LlvmPrograms, find_programs, programs_in, programs_of
from .probe import cache_directory, can_thin, identity, remembered
from .toolchain import Toolchain
from .zig import Zig, bundled_zig, zig_cache

__all__ = ["choose"]

_HINT = "install cratewright-native[zig], or clang and lld of one version; or name one in CRATE_CC or CRATE_LLVM"
_MAJOR = re.compile(r"(?:version|LLD) (\d+)\.")


def choose(root: str, *, compiler: str = "", llvm: str = "") -> Toolchain:
    """Return the toolchain to use.

    Shape: `llvm` is a directory with clang and lld in it; `compiler` is `zig`, or a clang or gcc, by name or path.
    Raises: ToolError if what the user named does not work, or if nothing does.
    """
    if llvm:
        return _llvm(root, programs_in(os.path.join(root, llvm)))
    if compiler:
        return _named(root, compiler)
    reasons: list[tuple[str, str]] = []
    for name, make in _candidates(root):
        try:
            return make()
        except CratewrightError as error:
            reasons.append((name, error.message))
    raise ToolError("there is no C compiler that works", context=reasons, hint=_HINT)


def _candidates(root: str) -> Iterator[tuple[str, Callable[[], Toolchain]]]:
    for programs in find_programs(os.environ.get("PATH", os.defpath)):
        yield os.path.basename(programs.clang), partial(_llvm, root, programs)
    zig = bundled_zig()
    if zig:
        yield "zig", partial(_zig, root, zig)
    gcc = shutil.which("gcc")
    if gcc:
        yield "gcc", partial(_gcc, root, gcc)


def _named(root: str, compiler: str) -> Toolchain:
    name = os.path.basename(compiler)
    if name == "zig":
        program = compiler if os.path.dirname(compiler) else bundled_zig() or shutil.which(compiler) or ""
    else:
        program = shutil.which(os.path.join(root, compiler) if os.path.dirname(compiler) else compiler) or ""
    if not program:
        raise ToolError(f"CRATE_CC names '{compiler}', which is not there", hint=_HINT)
    program = os.path.abspath(os.path.join(root, program))
    if name == "zig":
        return _zig(root, program)
    if "clang" in name:
        return _llvm(root, programs_of(program))
    if "gcc" in name:
        return _gcc(root, program)
    raise ToolError(
        f"CRATE_CC names '{compiler}', which is no C compiler that is known",
        hint="name zig, gcc or clang, with a path or a version number if need be",
    )


def _llvm(root: str, programs: LlvmPrograms) -> Llvm:
    if programs.missing:
        raise ToolError(
            f"{programs.missing} is missing",
            context=(("looked beside", programs.clang),),
            hint="install lld and llvm of the same version",
        )

    def ask() -> str:
        clang, lld = _version(programs.clang, "--version"), _version(programs.lld, "--version")
        majors = [match[1] for match in (_MAJOR.search(clang), _MAJOR.search(lld)) if match]
        if len(majors) < 2 or majors[0] != majors[1]:
            raise ToolError(f"clang and lld are not of one version: {clang}; {lld}")
        version = f"{clang}, {lld.partition(' (compatible')[0]}"
        toolchain = Llvm(root=root, version=version, llvm_major=int(majors[0]), programs=programs)
        can_thin(toolchain)
        return json.dumps([version, int(majors[0])])

    version, major = json.loads(remembered("llvm", identity((programs.clang, programs.lld)), ask))
    return Llvm(root=root, version=version, llvm_major=major, programs=programs)


def _zig(root: str, program: str) -> Zig:
    def ask() -> str:
        own, clang = _version(program, "version"), _version(program, "clang", "--version")
        match = _MAJOR.search(clang)
        if match is None:
            raise ToolError(f"this zig has no clang in it: {clang}")
        version = f"zig {own}, {clang}"
        toolchain = Zig(root=root, version=version, llvm_major=int(match[1]), program=program, cache=_cache(own))
        can_thin(toolchain)
        return json.dumps([version, int(match[1]), own])

    version, major, own = json.loads(remembered("zig", identity((program,)), ask))
    return Zig(root=root, version=version, llvm_major=major, program=program, cache=_cache(own))


def _cache(version: str) -> str:
    directory = cache_directory()
    return zig_cache(directory, version) if _writable(directory) else zig_cache(Path(_fallback()), version)


def _fallback() -> str:
    import tempfile  # noqa: PLC0415 - only without a home

    return os.path.join(tempfile.gettempdir(), f"cratewright-{os.getuid()}")


def _writable(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(directory, os.W_OK)


def _gcc(root: str, program: str) -> Gcc:
    # Asked every time: nothing tells cheaply that binutils, which are another package, have changed.
    parts = (_version(tool, "--version") for tool in (program, _printed(program, "ld"), _printed(program, "as")))
    return Gcc(root=root, version=", ".join(parts), program=program)


def _printed(program: str, name: str) -> str:
    found = _version(program, f"-print-prog-name={name}")
    return found if os.path.isabs(found) else shutil.which(found) or found


def _version(program: str, *arguments: str) -> str:
    """Return the first line that a program says of itself.

    Raises: ToolError if it cannot be run.
    """
    try:
        done = subprocess.run(
            [program, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            check=False,
        )
    except OSError as error:
        raise ToolError(f"{os.path.basename(program)} cannot be run: {error.strerror}") from error
    if done.returncode or not done.stdout.strip():
        raise ToolError(f"{os.path.basename(program)} does not say its version")
    return done.stdout.decode("utf-8", "replace").splitlines()[0].strip()
