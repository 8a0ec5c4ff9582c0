"""The `spirv` backend: GLSL, HLSL and SPIR-V sources to Vulkan shader modules.

Knows nothing but the hook that registers it; the rest is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from cratewright import CodegenBackend, hookimpl

__version__ = "0.1.0"


@hookimpl
def cratewright_register_backend() -> type[CodegenBackend]:
    """Register the backend."""
    from .backend import SpirvBackend  # noqa: PLC0415 - a build with another backend need not load it

    return SpirvBackend


@hookimpl
def cratewright_describe(path: str, data: bytes) -> Mapping[str, object] | None:
    """Tell what is in a SPIR-V module."""
    from .described import describe_module  # noqa: PLC0415 - only who asks needs it

    return describe_module(path, data)
