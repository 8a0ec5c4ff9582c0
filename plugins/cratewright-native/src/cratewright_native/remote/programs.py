"""Programs on another machine: which it needs, how they are called, and running those that read no other files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cratewright import (
    BackendCall,
    Finished,
    Portable,
    program_files,
    run_elsewhere,
    runs_elsewhere,
    scratch_directory,
    value_digest,
)

from ..binary.bitcode import is_bitcode
from ..toolchains.toolchain import FIXED_ENVIRONMENT, WORKING_DIRECTORY, Toolchain

_NO_ANSWER = 126
"""From this status on, a program did not run: it is missing, or was killed."""
ENVIRONMENT = tuple(sorted({"PATH": "/usr/bin:/bin", **FIXED_ENVIRONMENT}.items()))
"""The environment of a program on another machine."""
SYSTEM = "/usr/"
"""Files of the system, which another machine has installed rather than received."""
PORTABLE_KINDS = ("llvm", "gcc")
"""The kinds of toolchains that the system installs."""
_MACHINE = (SYSTEM, "/lib/", "/lib64/", "/bin/")
_ENV = "/usr/bin/env"


def portable_programs(toolchain: Toolchain) -> Mapping[str, str] | None:
    """Return the files that another machine needs to run a toolchain, None if it is not part of the system."""
    if toolchain.kind not in PORTABLE_KINDS:
        return None
    found = _programs(toolchain)
    return found if all(path.startswith(_MACHINE) for path in found) else None


@cache
def _programs(toolchain: Toolchain) -> Mapping[str, str]:
    return program_files(toolchain.programs_run())


def portable_words(words: Sequence[str], toolchain: Toolchain) -> tuple[str, ...] | None:
    """Return a command for another machine, None if it has paths of this machine."""
    if any(toolchain.root in word for word in words) or not words[0].startswith(SYSTEM):
        return None
    if toolchain.kind == "gcc":
        # Set by the command, because its runner there may have set something else.
        return (_ENV, f"PWD={WORKING_DIRECTORY}", *words)
    return tuple(words)


def is_portable_call(call: BackendCall[Any], toolchain: Toolchain) -> bool:
    """Return whether a call of the backend may run its program on another machine."""
    if portable_programs(toolchain) is None:
        return False
    if call.name == "codegen":
        return is_bitcode(call.arguments[0].data)
    return call.name in ("compile_codegen_unit", "optimize_thin", "optimize_fat")


def run_closed(
    argv: Sequence[str], toolchain: Toolchain, *, files: Mapping[str, bytes], output: str, what: str
) -> bytes:
    """Return what a program writes to `output` in a directory with only the given files.

    Raises: as `Toolchain.run`.
    """
    with scratch_directory() as directory:
        finished = _run_elsewhere(argv, toolchain, files, output, directory)
        if finished is not None:
            toolchain.checked(finished, argv, cwd=directory, what=what, outputs=[output])
        else:
            for name, data in files.items():
                (directory / name).write_bytes(data)
            toolchain.run(argv, cwd=directory, what=what, outputs=[output])
        return (directory / output).read_bytes()


def _run_elsewhere(
    argv: Sequence[str], toolchain: Toolchain, files: Mapping[str, bytes], output: str, directory: Path
) -> Finished | None:
    if not runs_elsewhere() or toolchain.report is not None:
        return None
    programs, words = portable_programs(toolchain), portable_words(argv, toolchain)
    if programs is None or words is None:
        return None
    portable = Portable(
        root=str(directory),
        argv=words,
        environ=ENVIRONMENT,
        contents=files,
        system=programs,
        outputs=(output,),
        tools=value_digest((toolchain.version, *sorted(programs.items()))),
    )
    return finished_elsewhere(portable, directory / output)


def finished_elsewhere(portable: Portable, output: Path) -> Finished | None:
    """Run a program on another machine, and put what it made here; None if it did not run there."""
    ran = run_elsewhere(portable)
    if ran is None or not 0 <= ran.status < _NO_ANSWER:
        return None
    if data := ran.outputs.get(portable.outputs[0]):
        output.write_bytes(data)
    return Finished(ran.status, ran.stdout, ran.stderr)
