"""What a toolchain can do: small samples are compiled and linked, and the results are remembered.

A result is stored under the identity of the toolchain's files, so a different compiler at the same path is tested
again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cratewright import (
    CratewrightError,
    ToolError,
    file_stamp,
    run_program,
    scratch_directory,
    value_digest,
    write_atomic,
)

from ..binary.elf import needed_libraries
from .targets import Target, host_target

if TYPE_CHECKING:
    from .toolchain import Toolchain

SUMMARY = ("-flto=thin", "-funified-lto", "-fno-split-lto-unit")
"""Flags for a module that suits thin and fat LTO, and code generation without either.

A split module would have virtual tables in a second module of the file, which code generation ignores.
"""

_FORMAT = 4
_CALLER = b"int callee(int);\nint _start(void) { return callee(1); }\n"
_CALLEE = b"int callee(int value) { return value + 41; }\n"
# Without the headers of the C library that the target names, compilers take those of another.
_SAMPLE = b"int main(int count, char **words) { return words[count] != 0; }\n"
_PROGRAM = b"""\
#include <stdio.h>
#if defined(__linux__) && defined(__GLIBC__) != GLIBC
#error these are the headers of another C library
#endif
int main(void) { return puts("") < 0; }
"""
_GLIBC = "libc.so.6"


def cache_directory() -> Path:
    """Return the user's directory for facts about tools."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "cratewright"


def identity(programs: Iterable[str]) -> tuple[object, ...]:
    """Return an identity that changes with any of the files, or the libraries beside them."""
    rows: list[object] = []
    for program in programs:
        path = os.path.realpath(program)
        libraries = sorted(Path(os.path.dirname(path)).parent.glob("lib/lib[cL]*.so*"))
        for file in (path, *(str(library) for library in libraries)):
            try:
                rows.append((file, *file_stamp(os.stat(file))))
            except OSError:
                rows.append((file, 0, 0, 0, 0))
    return tuple(rows)


def remembered(
    question: str, about: tuple[object, ...], ask: Callable[[], str], holds: Callable[[str], bool] = lambda _: True
) -> str:
    """Return the answer to a question about some files, asked again when one of them changes.

    Shape: `holds` returns whether an earlier answer is still valid.
    Raises: as `ask`; a failure is never remembered.
    """
    path = cache_directory() / f"probe-{value_digest((_FORMAT, question, about))[:32]}.json"
    try:
        answer = json.loads(path.read_bytes())["answer"]
        if isinstance(answer, str) and holds(answer):
            return answer
    except (OSError, ValueError, LookupError, TypeError):
        pass
    answer = ask()
    # An unwritable home is no reason to fail: the question is asked again next time.
    with suppress(CratewrightError):
        write_atomic(str(path), json.dumps({"question": question, "answer": answer}).encode())
    return answer


def output_of(program: str, *arguments: str) -> str:
    """Return what a program prints, remembered while the program is unchanged.

    A script is run every time, because what it runs may have changed; so is a program with another search path.
    Raises: ToolError if it cannot be run, fails or prints nothing.
    """
    if _is_script(program):
        return _output(program, *arguments)
    path = os.environ.get("PATH", os.defpath)
    return remembered(f"{arguments} {path}", identity((program,)), lambda: _output(program, *arguments))


def _is_script(program: str) -> bool:
    try:
        with open(program, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def program_of(driver: str, name: str) -> str:
    """Return the path of a program that a gcc driver runs, or an empty string."""
    try:
        found = output_of(driver, f"-print-prog-name={name}").strip()
    except CratewrightError:
        return ""
    return found if os.path.isabs(found) else shutil.which(found) or ""


def file_of(driver: str, name: str) -> str:
    """Return the path of a file of a gcc, or an empty string."""
    try:
        found = output_of(driver, f"-print-file-name={name}").strip()
    except CratewrightError:
        return ""
    return found if os.path.isabs(found) else ""


def compilers_behind(driver: str) -> tuple[str, ...]:
    """Return the compiler that a driver runs, which a wrapper or a link may hide.

    Raises: ToolError if the driver does not report it.
    """
    output = output_of(driver, "-###", "-x", "c", "-c", os.devnull)
    words = (line.split()[0].strip('"') for line in output.splitlines() if line[:1] == " " and line.split())
    return tuple(dict.fromkeys(os.path.realpath(word) for word in words if os.path.isabs(word)))


def _output(program: str, *arguments: str) -> str:
    name = os.path.basename(program)
    try:
        done = run_program(
            [program, *arguments], what=name, env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        )
    except OSError as error:
        raise ToolError(f"{name} cannot be run: {error.strerror}") from error
    output = done.stdout + done.stderr
    if done.status or not output.strip():
        raise ToolError(f"{name} fails with {arguments[0]}, or prints nothing")
    return output.decode("utf-8", "replace")


def check_thin_lto(toolchain: Toolchain) -> None:
    """Compile two files, analyse them together and lower the one that imports from the other.

    Raises: ToolError with the step that failed.
    """
    target = host_target() if host_target().endswith("linux-gnu") else "x86_64-linux-gnu"
    with scratch_directory() as directory:
        for name, text in (("a", _CALLER), ("b", _CALLEE)):
            (directory / f"{name}.c").write_bytes(text)
            compile_one = (*toolchain.cc(target), "-O2", *SUMMARY, "-c", f"{name}.c", "-o", f"{name}.o")
            toolchain.run(compile_one, cwd=directory, what="a sample", outputs=[f"{name}.o"])
        analyse = (*toolchain.lld(target), "--thinlto-index-only", "--thinlto-emit-imports-files")
        toolchain.run(
            (*analyse, "a.o", "--start-lib", "b.o", "--end-lib", "-o", "out"),
            cwd=directory,
            what="the thin link of a sample",
            outputs=["a.o.thinlto.bc", "a.o.imports"],
        )
        lower = (*toolchain.clang_ir(target), "-O2", "-x", "ir", "a.o", "-fthinlto-index=a.o.thinlto.bc")
        toolchain.run(
            (*lower, "-c", "-o", "a.n.o"), cwd=directory, what="the thin backend of a sample", outputs=["a.n.o"]
        )


def can_link(toolchain: Toolchain, target: str, word: str) -> bool:
    """Return whether a program instrumented by a flag can be linked: its library may not be installed."""
    word = "-fprofile-instr-generate" if word == "--coverage" and toolchain.kind == "llvm" else word
    command = (*toolchain.cc(target), word)

    def link() -> str:
        with scratch_directory() as directory:
            (directory / "sample.c").write_bytes(_SAMPLE)
            toolchain.run((*command, "sample.c", "-o", "sample"), cwd=directory, what="a sample", outputs=["sample"])
        return "yes"

    try:
        return remembered(f"{word} {target} {toolchain.version}", identity(command[:1]), link) == "yes"
    except CratewrightError:
        return False


def can_cross(toolchain: Toolchain, target: Target) -> bool:
    """Return whether a program can be compiled and linked for a target with the C library that it names."""
    programs = [*toolchain.cc(target.name)[:1]]
    glibc = target.name.endswith("-gnu") and target.format == "elf"

    def link() -> str:
        with scratch_directory() as directory:
            (directory / "sample.c").write_bytes(_PROGRAM)
            toolchain.run(
                (*toolchain.cc(target.name), f"-DGLIBC={int(glibc)}", "sample.c", "-o", "sample"),
                cwd=directory,
                what="a sample",
                outputs=["sample"],
            )
            # A static program names no library; its headers were checked before.
            needed = needed_libraries((directory / "sample").read_bytes())
        return "yes" if not needed or (_GLIBC in needed) == glibc else "no"

    try:
        return remembered(f"cross {target.name} {toolchain.version}", identity(programs), link) == "yes"
    except CratewrightError:
        return False
