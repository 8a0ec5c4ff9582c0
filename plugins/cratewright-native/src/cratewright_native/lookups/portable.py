"""A compilation for another machine: its command, without anything specific to this machine, and all files it reads.

The preprocessor lists these files. It runs locally, so even a first run knows them, and nothing else is sent. A command
with flags of unknown effect on files runs locally, as does one with files outside the project and /usr.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from cratewright import (
    CratewrightError,
    Digest,
    Finished,
    Portable,
    UnitStencil,
    passed_directories,
    pattern,
    program_files,
    run_elsewhere,
    runs_elsewhere,
)

from ..toolchains.targets import find_target, host_target
from ..toolchains.toolchain import SETTLED, WORKING_DIRECTORY, Completed, Toolchain
from .listing import ListedUnit

__all__ = [
    "ENVIRONMENT",
    "NO_ANSWER",
    "OUTPUT",
    "is_portable",
    "list_inputs",
    "portable_of",
    "portable_programs",
    "portable_words",
    "run_portable",
]

NO_ANSWER = 126
"""From this status on, a program did not run: it is missing, or was killed."""
OUTPUT = ".cratewright-module"
_SYSTEM = "/usr/"
_MACHINE = ("/usr/", "/lib/", "/lib64/", "/bin/")
_ENV = "/usr/bin/env"
_LANGUAGES = ("c", "c++")
_KINDS = ("llvm", "gcc")
ENVIRONMENT = tuple(sorted({"PATH": "/usr/bin:/bin", **SETTLED}.items()))
"""The environment of a program on another machine."""
# A flag may read files unseen, write others, or mean something else on another machine.
_PLAIN = pattern(
    r"-[DU][^/]*|-I[^/].*|-std=[\w+]+|-ansi|-w|-W(?!p,|a,|l,)[\w+=-]+|-pedantic(-errors)?|-pthread|-O\w?|-g[0-3]?|-gdwarf(-\d)?"
    r"|-m(?!.*native)[\w.+=,-]+"
    r"|-f(?!plugin|profile|save|dump|time-|stack-usage|callgraph|module|coverage|test-|crash|debug-|file-|macro-|lto|sanitize"
    r"|embed|record|xray|auto-profile|branch-prob|bootclasspath|diagnostics-format|opt-info|dbg)[a-z][\w.+=,-]*"
)
_EXCLUDED_OPTIONS = ("sanitize", "emit")


def is_portable(stencil: UnitStencil, unit: ListedUnit, language: str, user: tuple[str, ...]) -> bool:
    """Return whether a unit can be compiled elsewhere, if the files that it reads allow it."""
    toolchain = unit.toolchain
    return (
        runs_elsewhere()
        and toolchain.kind in _KINDS
        and toolchain.report is None
        and language in _LANGUAGES
        and stencil.target == host_target()
        and find_target(stencil.target).format == "elf"
        and not stencil.repositories
        and not stencil.options.flag("coverage")
        and not any(stencil.options.texts(name) for name in _EXCLUDED_OPTIONS)
        and not any(directory.startswith(("/", "..")) for directory in stencil.options.texts("include_dirs"))
        and all(_PLAIN.fullmatch(word) for word in user)
        and not any(word.startswith("@") for word in unit.words)
    )


def list_inputs(unit: ListedUnit, depfile: Path) -> Completed:
    """Make the preprocessor list what a unit reads, and where it searches.

    Raises: CratewrightError if it fails, as compiling will.
    """
    words = (*unit.words, "-w", "-v", "-M", "-MF", str(depfile), "-MT", "module")
    return unit.toolchain.run(words, cwd=unit.toolchain.root, what=unit.path)


def portable_of(unit: ListedUnit, stencil: UnitStencil, observed: Mapping[str, Digest | None]) -> Portable | None:
    """Return a compilation for another machine, None if it depends on more than can be sent.

    Shape: `observed` is everything that the unit reads or looks for, including its source.
    """
    toolchain = unit.toolchain
    inputs: dict[str, str] = {}
    directories: set[str] = set()
    programs = portable_programs(toolchain)
    if programs is None:
        return None
    system = dict(programs)
    for path, digest in observed.items():
        if path == ".":  # its dependencies are unknown
            return None
        if digest is None:
            continue
        place = os.path.normpath(path)
        if place.startswith(("..", "/")) and not place.startswith(_SYSTEM):
            return None
        if digest == "unreadable":
            return None
        if digest == "directory":
            if not place.startswith(_SYSTEM):
                directories.add(place)
        elif place.startswith(_SYSTEM):
            system[path] = digest
        else:
            # The directories on the way to it must exist, even if empty.
            directories.update(passed_directories(path))
            inputs[place] = digest
    if OUTPUT in inputs or any(os.path.islink(os.path.join(toolchain.root, path)) for path in inputs):
        return None
    # The working directory differs from the local one.
    words = [
        "-ffile-compilation-dir=." if word == f"-ffile-prefix-map={toolchain.root}=." else word for word in unit.words
    ]
    argv = portable_words((*words, "-o", OUTPUT), toolchain)
    if argv is None:
        return None
    return Portable(
        root=toolchain.root,
        argv=argv,
        environ=ENVIRONMENT,
        inputs=inputs,
        directories=frozenset(directories),
        system=system,
        outputs=(OUTPUT,),
        tools=stencil.fingerprint,
    )


def run_portable(
    portable: Portable, unit: ListedUnit, output: Path, refused: Callable[[str], CratewrightError]
) -> Completed | None:
    """Compile a unit on another machine; None if it must be compiled locally.

    Raises: the error that `refused` makes from the output; ToolError.
    """
    ran = run_elsewhere(portable)
    if ran is None or not 0 <= ran.status < NO_ANSWER:
        return None
    if data := ran.outputs.get(OUTPUT):
        output.write_bytes(data)
    return unit.toolchain.judged(
        Finished(ran.status, ran.stdout, ran.stderr),
        portable.argv,
        cwd=unit.toolchain.root,
        what=unit.path,
        outputs=[output],
        refused=refused,
    )


def portable_programs(toolchain: Toolchain) -> Mapping[str, str] | None:
    """Return the files that another machine needs to run a toolchain, None if it is not part of the system."""
    if toolchain.kind not in _KINDS:
        return None
    found = _programs(toolchain)
    return found if all(path.startswith(_MACHINE) for path in found) else None


def portable_words(words: Sequence[str], toolchain: Toolchain) -> tuple[str, ...] | None:
    """Return a command for another machine, None if it has paths of this machine."""
    if any(toolchain.root in word for word in words) or not words[0].startswith(_SYSTEM):
        return None
    if toolchain.kind == "gcc":
        # Set by the command, because its runner there may have set something else.
        return (_ENV, f"PWD={WORKING_DIRECTORY}", *words)
    return tuple(words)


@cache
def _programs(toolchain: Toolchain) -> Mapping[str, str]:
    return program_files(toolchain.programs_run())
