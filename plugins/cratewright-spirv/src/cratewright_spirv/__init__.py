"""The `spirv` backend: GLSL, HLSL and SPIR-V sources to Vulkan shader modules.

This module registers it; the rest is loaded when needed. Layers, each importing only from those before it:

    base         stages, names, what a unit implies: for every layer
    text         sources and compiler messages: preprocessing, includes, functions
    binary       SPIR-V as instructions: read, understood, checked
    transforms      module to module: canonical form, merging, splitting, mending
    compilers    glslang, in all its forms
    spirv_tools  SPIRV-Tools, in all its forms
    reflection   the interface of a module, and its cost
    compile      one source to modules
    link         modules of several units to one program
    images       a program to images: optimized, validated, described
    crate        options checked for a crate, and its manifest
    warm         what is loaded before workers are forked
    backend      cratewright's contract, implemented with the above
    sharing      what other backends may import
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
    """Describe a SPIR-V module."""
    from .reflection.described import describe_module  # noqa: PLC0415 - only who asks needs it

    return describe_module(path, data)
