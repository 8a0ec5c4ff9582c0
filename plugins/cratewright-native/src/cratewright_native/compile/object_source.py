"""A foreign object as a source of a crate. It is linked unchanged."""

from __future__ import annotations

from cratewright import ModuleCodegen, SourceError, UnitStencil

from ..binary.bitcode import is_bitcode
from ..binary.elf import is_elf
from ..binary.module import module_from_output
from ..toolchains.toolchain import Toolchain


def module_from_object(stencil: UnitStencil, toolchain: Toolchain) -> ModuleCodegen:
    """Return the module of an object.

    Raises: SourceError for one that the toolchain's linker cannot read.
    """
    if is_elf(stencil.source):
        module = module_from_output(stencil.source, path=stencil.path, foreign=True)
        if module.attribute("representation") != "gcc" or toolchain.kind == "gcc":
            return module
        reason, hint = "it holds gcc's intermediate representation", "compile it without -flto, or set CRATE_CC=gcc"
    elif is_bitcode(stencil.source):
        reason, hint = "it is LLVM bitcode", "compile it without -flto, or name it .bc"
    else:
        reason, hint = "it is not an ELF object", ""
    raise SourceError.at(stencil.path, 1, f"this object cannot be linked: {reason}", hint=hint)
