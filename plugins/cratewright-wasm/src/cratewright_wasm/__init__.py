"""The `wasm` backend: C, C++, LLVM IR and WAT to WebAssembly.

This module registers it; the rest is loaded when needed. Layers, each importing only from those before it:

    leb, bodies, objects    object files and modules, read and written without a tool
    bitcode                 LLVM's bitcode, as far as symbols need it
    toolchain, targets      finding and running clang and wasm-ld
    flags, memory           what users pass to them, and the memory of a module
    observe, unit           one source to one module, and what it reads
    wat                     WebAssembly as text
    linker, lto             modules to images
    backend                 cratewright's contract, implemented with the above
"""

from __future__ import annotations

import cratewright


@cratewright.hookimpl
def cratewright_register_backend() -> type[cratewright.CodegenBackend]:
    from .backend import WasmBackend  # noqa: PLC0415 - only builds that use it need it

    return WasmBackend
