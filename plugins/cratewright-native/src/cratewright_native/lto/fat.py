"""Fat LTO: all modules merged into one, then optimized as one program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cratewright import (
    LinkError,
    LinkModule,
    LinkRequest,
    ModuleCodegen,
    ModuleConfig,
    OptLevel,
    Symbol,
    scratch_directory,
)

from ..arguments.symbols import requested_symbols
from ..compile.codegen import OPTIMIZED
from ..linking.demand import needed_modules
from ..linking.link_errors import link_error
from ..linking.resolve import write_inputs, write_objects
from ..remote.programs import run_closed
from ..toolchains.compile_words import lowering_words
from ..toolchains.toolchain import Toolchain

_MERGED = "merged"
# An empty pipeline: lld merges and internalises before it.
_MERGE_ONLY = ("--lto=full", "--lto-emit-llvm", "--lto-newpm-passes=verify")
_KEEP_LTO = ("-r", "-flto", "-flinker-output=rel")
# A relocatable file keeps groups of sections, and gcc crashes when it divides a program between two parts of one.
_TO_OBJECT = ("-r", "-flto", "-flinker-output=nolto-rel", "-flto-partition=none")


def merge_modules(request: LinkRequest, toolchain: Toolchain) -> ModuleCodegen:
    """Merge the modules that a link needs, and internalise what is not used outside them.

    Shape: an empty module if the link needs only objects. It imports what no module defines, with the sources that use
    each symbol, because an error about an undefined one must name them.
    gcc internalises only while it makes a program.
    Raises: LinkError if symbols clash.
    """
    what = f"merging the modules of crate '{request.crate}'"
    if toolchain.kind == "gcc":
        defined = (symbol.name for item in request.modules for symbol in item.module.exports)
        wanted = requested_symbols(request.options.texts("ldflags"), defined)
        needed = needed_modules(request, (*request.exported, *sorted(wanted)))
        _check_sanitized(request, needed)
        return _merge_with_gcc(needed, request, toolchain, what)
    with scratch_directory() as directory:
        argument, files = write_inputs(request, toolchain, directory)
        toolchain.run(
            (*toolchain.lld(request.target), *_MERGE_ONLY, argument, "-o", _MERGED),
            cwd=directory,
            what=what,
            refused=link_error(request, f"{what} failed", files),
        )
        if not (directory / _MERGED).exists():  # nothing was merged
            _write_empty(request, toolchain, directory, what)
        data = (directory / _MERGED).read_bytes()
        return ModuleCodegen(name=_MERGED, data=data, imports=_undefined(request.modules, request.opaque))


# The functions that each instrumented unit calls when loaded.
_CALLED = {"address": "__asan_init", "thread": "__tsan_init"}


def _check_sanitized(request: LinkRequest, modules: Sequence[LinkModule]) -> None:
    """Refuse modules compiled with other sanitizers than the link: gcc's LTO generates code for all with the same ones.

    Raises: LinkError naming the crates.
    """
    linked = ",".join(request.options.texts("sanitize")).split(",")
    for name, symbol in _CALLED.items():
        for item in modules:
            has = any(used.name == symbol for used in item.module.imports)
            if has != (name in linked):
                raise LinkError(
                    f"crate '{item.crate}' is compiled with{'' if has else 'out'} -fsanitize={name}, and "
                    f"'{request.crate}', which is linked with lto='fat', with{'out' if has else ''}",
                    context=(
                        ("module", item.module.name),
                        ("reason", "gcc's LTO sanitizes a whole link or none of it"),
                    ),
                    hint="set the same 'sanitize' for both crates, or lto='off'",
                )


def optimize_program(module: ModuleCodegen, config: ModuleConfig, toolchain: Toolchain) -> ModuleCodegen:
    """Optimize a whole program; the result is bitcode, or with gcc an object.

    Raises: ToolError if the optimizer fails.
    """
    words: tuple[str, ...]
    if toolchain.kind == "gcc":
        sanitized = (f"-fsanitize={name}" for name in config.options.texts("sanitize"))
        words = (*toolchain.cc(config.target), *lowering_words(config), *sanitized, *_TO_OBJECT)
    else:
        # Symbols that are still visible stay, as in any relocatable file.
        words = (*toolchain.lld(config.target), "-r", "--lto-emit-llvm", f"--lto-O{_level(config)}")
    words = (*words, _MERGED, "-o", "optimized")
    data = run_closed(words, toolchain, files={_MERGED: module.data}, output="optimized", what="fat LTO")
    return replace(module, data=data, attributes=(OPTIMIZED,))


def _merge_with_gcc(
    modules: Sequence[LinkModule], request: LinkRequest, toolchain: Toolchain, what: str
) -> ModuleCodegen:
    with scratch_directory() as directory:
        files = write_objects(modules, directory)
        if files:
            toolchain.run(
                (*toolchain.cc(request.target), *_KEEP_LTO, *files, "-o", _MERGED),
                cwd=directory,
                what=what,
                outputs=[_MERGED],
                refused=link_error(request, f"{what} failed", files),
            )
        else:
            _write_empty(request, toolchain, directory, what)
        data = (directory / _MERGED).read_bytes()
        return ModuleCodegen(name=_MERGED, data=data, imports=_undefined(modules, request.opaque))


def _undefined(modules: Sequence[LinkModule], opaque: Sequence[LinkModule]) -> tuple[Symbol, ...]:
    """Return, sorted, the symbols that the modules of a link use and none defines."""
    defined = {symbol.name for item in (*modules, *opaque) for symbol in item.module.exports}
    used = {symbol for item in modules for symbol in item.module.imports if symbol.name not in defined}
    return tuple(sorted(used, key=lambda symbol: (symbol.name, symbol.file)))


def _write_empty(request: LinkRequest, toolchain: Toolchain, directory: Path, what: str) -> None:
    (directory / "empty.c").write_bytes(b"")
    words = ("-flto", "-g0", *(("-frandom-seed=empty",) if toolchain.kind == "gcc" else ()))
    toolchain.run(
        (*toolchain.cc(request.target), *words, "-c", "empty.c", "-o", _MERGED),
        cwd=directory,
        what=what,
        outputs=[_MERGED],
    )


def _level(config: ModuleConfig) -> str:
    """Return lld's argument: functions optimized for size are marked as such."""
    level = config.options.opt_level
    return OptLevel.DEFAULT.value if level.for_size else level.value
