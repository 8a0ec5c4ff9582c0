"""Compiles a unit on another machine.

The command has nothing specific to this machine, and all files that it reads are sent. The preprocessor lists them
here, so even a first run knows them. A command with flags of unknown effect on files runs here, as does one that reads
files outside the project and /usr.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from cratewright import (
    CratewrightError,
    Digest,
    Observed,
    Portable,
    UnitStencil,
    content_digest,
    passed_directories,
    pattern,
    runs_elsewhere,
)

from ..lookups.inputs import file_facts, listed_files, search_of
from ..lookups.observe import FileMemory, observe
from ..lookups.unit_command import UnitCommand
from ..toolchains.compile_words import user_words
from ..toolchains.targets import find_target, host_target
from ..toolchains.toolchain import Completed
from .programs import ENVIRONMENT, PORTABLE_KINDS, SYSTEM, finished_elsewhere, portable_programs, portable_words

_OUTPUT = ".cratewright-module"
_LANGUAGES = ("c", "c++")
# A flag may read files unseen, write others, or mean something else on another machine.
_PLAIN = pattern(
    r"-[DU][^/]*|-I[^/].*|-std=[\w+]+|-ansi|-w|-W(?!p,|a,|l,)[\w+=-]+|-pedantic(-errors)?|-pthread|-O\w?|-g[0-3]?|-gdwarf(-\d)?"
    r"|-m(?!.*native)[\w.+=,-]+"
    r"|-f(?!plugin|profile|save|dump|time-|stack-usage|callgraph|module|coverage|test-|crash|debug-|file-|macro-|lto|sanitize"
    r"|embed|record|xray|auto-profile|branch-prob|bootclasspath|diagnostics-format|opt-info|dbg)[a-z][\w.+=,-]*"
)
_EXCLUDED_OPTIONS = ("sanitize", "emit")


def compile_elsewhere(
    stencil: UnitStencil,
    unit: UnitCommand,
    output: Path,
    directory: Path,
    memory: FileMemory,
    refused: Callable[[str], CratewrightError],
) -> Completed | None:
    """Compile a unit to `output` on another machine; None if it must be compiled here.

    Raises: the error that `refused` makes from the compiler's output; ToolError.
    """
    if not _may_leave(stencil, unit):
        return None
    try:
        listed = unit.list_inputs(directory / "module.d")
    except CratewrightError:  # the local compile reports the errors
        return None
    names, _ = listed_files(unit, stencil, directory, listed)
    files, _ = file_facts(unit, stencil, memory, names)
    observed, _ = observe(unit.file, files, search_of(unit, stencil, files, listed.stderr), root=memory.root)
    source = Observed(unit.file, content_digest(stencil.source))
    portable = _portable(unit, stencil, {item.path: item.digest for item in (*observed, source)})
    finished = finished_elsewhere(portable, output) if portable is not None else None
    if portable is None or finished is None:
        return None
    done = unit.toolchain.checked(
        finished, portable.argv, cwd=unit.toolchain.root, what=unit.path, outputs=[output], refused=refused
    )
    return Completed(done.stdout, listed.stderr + done.stderr)


def _may_leave(stencil: UnitStencil, unit: UnitCommand) -> bool:
    """Return whether a unit can be compiled elsewhere, if the files that it reads allow it."""
    toolchain = unit.toolchain
    return (
        runs_elsewhere()
        and toolchain.kind in PORTABLE_KINDS
        and toolchain.report is None
        and unit.language in _LANGUAGES
        and stencil.target == host_target()
        and find_target(stencil.target).format == "elf"
        and not stencil.repositories
        and not stencil.options.flag("coverage")
        and not any(stencil.options.texts(name) for name in _EXCLUDED_OPTIONS)
        and not any(directory.startswith(("/", "..")) for directory in stencil.options.texts("include_dirs"))
        and all(_PLAIN.fullmatch(word) for word in user_words(stencil.options, unit.language))
        and not any(word.startswith("@") for word in unit.words)
    )


def _portable(unit: UnitCommand, stencil: UnitStencil, observed: Mapping[str, Digest | None]) -> Portable | None:
    """Return a compilation for another machine, None if it reads more than can be sent.

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
        plain = os.path.normpath(path)
        if plain.startswith(("..", "/")) and not plain.startswith(SYSTEM):
            return None
        if digest == "unreadable":
            return None
        if digest == "directory":
            if not plain.startswith(SYSTEM):
                directories.add(plain)
        elif plain.startswith(SYSTEM):
            system[path] = digest
        else:
            # The directories on the way to it must exist, even if empty.
            directories.update(passed_directories(path))
            inputs[plain] = digest
    if _OUTPUT in inputs or any(os.path.islink(os.path.join(toolchain.root, path)) for path in inputs):
        return None
    # The working directory differs from the local one.
    words = [
        "-ffile-compilation-dir=." if word == f"-ffile-prefix-map={toolchain.root}=." else word for word in unit.words
    ]
    argv = portable_words((*words, "-o", _OUTPUT), toolchain)
    if argv is None:
        return None
    return Portable(
        root=toolchain.root,
        argv=argv,
        environ=ENVIRONMENT,
        inputs=inputs,
        directories=frozenset(directories),
        system=system,
        outputs=(_OUTPUT,),
        tools=stencil.fingerprint,
    )
