"""The `slang` backend: Slang modules to Vulkan shader modules.

This module only registers it; the rest is loaded when needed.
"""

from __future__ import annotations

from cratewright import CodegenBackend, hookimpl

__version__ = "0.1.0"


@hookimpl
def cratewright_register_backend() -> type[CodegenBackend]:
    """Register the backend."""
    from .backend import SlangBackend  # noqa: PLC0415 - a build with another backend need not load it

    return SlangBackend
