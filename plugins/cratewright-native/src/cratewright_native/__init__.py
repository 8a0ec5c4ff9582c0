"""The `native` backend: C, C++, assembly and LLVM IR to programs and libraries.

This module registers it; the rest is loaded when needed. Layers, each importing only from those before it:

    binary      object files and bitcode, read without a tool
    toolchains  finding, choosing and running compilers and linkers
    arguments   what users pass to compilers and linkers
    lookups     what a compile or a link reads, and which paths it misses
    remote      running programs on other machines
    compile     one source to one module, a module to an object
    libraries   libraries that are not crates
    linking     objects to programs and libraries
    lto         fat and thin
    checks      refusing what a toolchain cannot build
    backend     cratewright's contract, implemented with the above
"""

from __future__ import annotations

from cratewright import CodegenBackend, hookimpl

__version__ = "0.1.0"


@hookimpl
def cratewright_register_backend() -> type[CodegenBackend]:
    from .backend import NativeBackend  # noqa: PLC0415 - a build with another backend need not load it

    return NativeBackend
