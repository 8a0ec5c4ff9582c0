"""Compiles a single module to an object."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from cratewright import LinkRequest, ModuleCodegen, ModuleConfig, scratch_directory

from ..binary.bitcode import is_bitcode
from ..binary.elf import embedded_bitcode, has_gcc_representation, without_bitcode
from ..remote.programs import run_closed
from ..toolchains.compile_words import lowering_words
from ..toolchains.toolchain import Toolchain

OPTIMIZED = ("optimized", "1")
"""The attribute of a module that only needs code generation."""


def lower_module(module: ModuleCodegen, config: ModuleConfig, toolchain: Toolchain) -> ModuleCodegen:
    """Return a module as an object; an object is returned as it is.

    Raises: ToolError.
    """
    if has_gcc_representation(module.data):
        return _without_representation(module, toolchain)
    if module.attribute("representation") == "both":
        return replace(module, data=without_bitcode(module.data), attributes=(("representation", "none"),))
    if not is_bitcode(module.data):
        return module
    data = lowered(module, config, toolchain, ("-c",))
    return replace(module, data=data, attributes=(("representation", "none"),))


def lowered(module: ModuleCodegen, config: ModuleConfig, toolchain: Toolchain, words: Sequence[str]) -> bytes:
    """Return what clang makes from bitcode: an object with `-c`, text with `-S`.

    Raises: ToolError.
    """
    # With an empty index, clang runs the second half of the ThinLTO pipeline; the compile ran the first.
    how = ("-Xclang", "-disable-llvm-passes") if OPTIMIZED in module.attributes else (f"-fthinlto-index={os.devnull}",)
    command = (*toolchain.clang_ir(config.target), *lowering_words(config), *how)
    return run_closed(
        (*command, "-x", "ir", "module.bc", *words, "-o", "module.out"),
        toolchain,
        files={"module.bc": module.data},
        output="module.out",
        what="code generation",
    )


def for_llvm(request: LinkRequest) -> LinkRequest:
    """Return an LTO request in which modules with bitcode besides code are replaced by that bitcode."""
    modules = tuple(
        replace(item, module=replace(item.module, data=bitcode, attributes=_as_bitcode(item.module)))
        if (bitcode := embedded_bitcode(item.module.data))
        else item
        for item in request.modules
    )
    return replace(request, modules=modules)


def _as_bitcode(module: ModuleCodegen) -> tuple[tuple[str, str], ...]:
    return tuple((name, "llvm" if name == "representation" else value) for name, value in module.attributes)


def _without_representation(module: ModuleCodegen, toolchain: Toolchain) -> ModuleCodegen:
    """Return an object of gcc's without its representation for LTO.

    Archivers and linkers that see it ask gcc's plugin for the symbols, which misses those that assembly defines.
    """
    with scratch_directory() as directory:
        (directory / "module.o").write_bytes(module.data)
        toolchain.run(
            (*toolchain.objcopy(), "--remove-section=.gnu.*lto_*", "module.o", "plain.o"),
            cwd=directory,
            what="code generation",
            outputs=["plain.o"],
        )
        data = (directory / "plain.o").read_bytes()
    return replace(module, data=data, attributes=(("representation", "none"),))
