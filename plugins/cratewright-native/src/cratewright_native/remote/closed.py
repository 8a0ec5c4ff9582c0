"""Runs programs that read no files but those given to them: on another machine if there is one, else here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cratewright import BackendCall, Finished, Portable, run_elsewhere, runs_elsewhere, value_digest

from ..binary.bitcode import is_bitcode
from ..toolchains.toolchain import Toolchain
from .programs import ENVIRONMENT, NO_ANSWER, portable_programs, portable_words

__all__ = ["is_portable_call", "run_closed"]


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
    with toolchain.scratch() as directory:
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
    ran = run_elsewhere(
        Portable(
            root=str(directory),
            argv=words,
            environ=ENVIRONMENT,
            contents=files,
            system=programs,
            outputs=(output,),
            tools=value_digest((toolchain.version, *sorted(programs.items()))),
        )
    )
    if ran is None or not 0 <= ran.status < NO_ANSWER:
        return None
    if data := ran.outputs.get(output):
        (directory / output).write_bytes(data)
    return Finished(ran.status, ran.stdout, ran.stderr)
