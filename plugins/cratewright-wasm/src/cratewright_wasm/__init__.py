"""The `wasm` backend of cratewright: C, C++, LLVM IR and WAT to WebAssembly.

Knows nothing of what the backend does; it registers it when asked, so that listing plugins costs little.
"""

from __future__ import annotations

import cratewright

__all__ = ["cratewright_register_backend"]


@cratewright.hookimpl
def cratewright_register_backend() -> type[cratewright.CodegenBackend]:
    """Register the backend."""
    from .backend import WasmBackend  # noqa: PLC0415 - only builds that use it need it

    return WasmBackend
