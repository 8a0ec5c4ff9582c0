"""The `wasm` backend: C, C++, LLVM IR and WAT to WebAssembly.

This module only registers it, so that listing plugins is cheap.
"""

from __future__ import annotations

import cratewright

__all__ = ["cratewright_register_backend"]


@cratewright.hookimpl
def cratewright_register_backend() -> type[cratewright.CodegenBackend]:
    """Register the backend."""
    from .backend import WasmBackend  # noqa: PLC0415 - only builds that use it need it

    return WasmBackend
