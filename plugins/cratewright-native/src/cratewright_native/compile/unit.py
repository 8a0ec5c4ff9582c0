"""Compiles one source to one module: takes the contract's stencil, returns the module and what it depends on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cratewright import (
    CompiledUnit,
    CratewrightError,
    ModuleConfig,
    Observed,
    SourceError,
    UnitStencil,
    merge_observed,
    repeat_if_changed,
    scratch_directory,
)

from ..arguments.compiler_flags import flag_lost_by_lto
from ..binary.module import module_from_output
from ..lookups.inputs import UnitFiles, file_facts, listed_files, search_of
from ..lookups.observe import FileMemory, observe
from ..lookups.search_path import plain
from ..lookups.unit_command import UnitCommand
from ..remote.unit import compile_elsewhere
from ..toolchains.compile_words import has_summary, user_words
from ..toolchains.languages import language_of
from ..toolchains.targets import find_target
from ..toolchains.toolchain import Completed, Toolchain
from .codegen import OPTIMIZED
from .command import compile_command, fit_command
from .coverage import keep_notes, notes_name
from .diagnostics import unit_error, unit_warnings
from .emit import assembly_words, emitted
from .inline_assembly import refuse_file_reads

_CODE = ("representation", "code")
"""The attribute of a module that is only code, because no link optimizes it with others."""


def compile_with_driver(stencil: UnitStencil, toolchain: Toolchain, memory: FileMemory) -> CompiledUnit:
    """Compile a source.

    Shape: one module, called `.bc` if it is LLVM's intermediate representation alone, else `.o`.
    Raises: SourceError with `file:line:`; ToolError.
    """
    for_lto = stencil.for_lto or find_target(stencil.target).format != "elf" or bool(stencil.options.texts("emit"))
    with scratch_directory() as directory:
        output = directory / "module.bc"
        unit = _unit_command(stencil, toolchain, for_lto, directory)

        def refused(stderr: str) -> CratewrightError:
            return unit_error(stderr, stencil, toolchain)

        def attempt() -> tuple[tuple[Completed, UnitFiles, tuple[Observed, ...]], int]:
            done = compile_elsewhere(stencil, unit, output, directory, memory, refused) or _run(
                stencil, unit, output, directory, refused
            )
            names, missing = listed_files(unit, stencil, directory, done)
            files, newest = file_facts(unit, stencil, memory, names)
            search = search_of(unit, stencil, files, done.stderr)
            observed, appeared = observe(unit.file, files, search, root=memory.root, bundled=toolchain.headers)
            return (done, files, merge_observed([observed, missing])), max(newest, appeared)

        done, files, observed = repeat_if_changed(
            attempt, f"{stencil.path}: files that it includes keep changing while it is compiled"
        )
        notes = directory / "module.gcno"
        attributes: tuple[tuple[str, str], ...]
        attributes = (keep_notes(stencil.path, notes.read_bytes()),) if notes.exists() else ()
        refuse_file_reads(unit, files, directory)
        if not has_summary(stencil.target):
            # Without a summary, the second half of optimization does not exist.
            attributes = (OPTIMIZED,)
        if not for_lto and unit.language not in ("assembler", "object"):
            attributes += (_CODE,)
        module = module_from_output(output.read_bytes(), path=stencil.path, attributes=attributes)
        config = ModuleConfig(target=stencil.target, options=stencil.options)
        files_emitted = emitted(module, config, toolchain, directory)
    return CompiledUnit(
        modules=(module,),
        emitted=files_emitted,
        observed=observed,
        diagnostics=unit_warnings(done.stderr, stencil, toolchain),
    )


def _unit_command(stencil: UnitStencil, toolchain: Toolchain, for_lto: bool, directory: Path) -> UnitCommand:
    """Return the command of a unit.

    Raises: SourceError for a flag that has no effect with LTO.
    """
    path = stencil.file or stencil.path
    language = language_of(stencil.path)
    # gcc's objects for LTO hold code as well, which is what is emitted.
    if stencil.for_lto if toolchain.kind == "gcc" else for_lto:
        _refuse_lost(stencil, language, toolchain)
    words = compile_command(
        path, stencil.target, stencil.options, toolchain, for_lto=for_lto, for_code=stencil.for_code
    )
    return UnitCommand(
        path=stencil.path,
        file=plain(path),
        target=stencil.target,
        words=fit_command(words, language, toolchain, directory),
        driver=toolchain.clang_ir(stencil.target) if language == "ir" else toolchain.cc(stencil.target, language),
        toolchain=toolchain,
    )


def _refuse_lost(stencil: UnitStencil, language: str, toolchain: Toolchain) -> None:
    """Refuse a flag that would be lost when a link makes the code."""
    if language in ("assembler", "object"):
        return
    word = flag_lost_by_lto(user_words(stencil.options, language), toolchain.kind)
    if word:
        raise SourceError.at(
            stencil.path,
            1,
            f"'{word}' would lose its effect",
            context=(("reason", "the unit is compiled for LTO, which makes its code later"),),
            hint="leave it out, or set lto='off' for all that the crate is linked into in this build",
        )


def _run(
    stencil: UnitStencil,
    unit: UnitCommand,
    output: Path,
    directory: Path,
    refused: Callable[[str], CratewrightError],
) -> Completed:
    toolchain = unit.toolchain
    words = (*unit.words, *(f"-ffile-prefix-map={repository}/=" for repository in stencil.repositories))
    listing: tuple[str, ...] = ("-v", "-MD", "-MF", str(directory / "module.d"), "-MT", "module")
    if unit.language == "ir":
        listing = ()
    elif not has_summary(stencil.target):
        # zig's driver loses what -emit-llvm makes if it lists files as well.
        toolchain.run(
            (*words, "-M", "-MF", str(directory / "module.d"), "-MT", "module"),
            cwd=toolchain.root,
            what=stencil.path,
            refused=refused,
        )
        listing = ("-v",)
    if toolchain.kind == "gcc" and stencil.options.flag("coverage"):
        folder, name = os.path.split(notes_name(stencil.path))
        words += ("-dumpdir", os.path.join(folder, ""), "-dumpbase", name, "-dumpbase-ext", "")
        words += (f"-fprofile-note={directory / 'module.gcno'}",)
    if toolchain.kind == "gcc" and "asm" in stencil.options.texts("emit"):
        assembly = directory / "module.s"
        toolchain.run(
            assembly_words(words, assembly),
            cwd=toolchain.root,
            what=stencil.path,
            outputs=[assembly],
            refused=refused,
        )
    if toolchain.kind == "gcc" and unit.language == "assembler":
        # For C sources, gcc would repeat this in the module, and LTO would print it.
        listing += ("-Wa,--MD,/dev/stdout",)
    return toolchain.run(
        (*words, *listing, "-o", str(output)),
        cwd=toolchain.root,
        what=stencil.path,
        outputs=[output],
        refused=refused,
    )
