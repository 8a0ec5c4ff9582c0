"""The `spirv` backend: GLSL, HLSL and SPIR-V sources to Vulkan shader modules.

This module registers it; the rest is loaded when needed. Layers, each importing only from those before it:

    base         stages, names, what a unit implies: for every layer
    text         sources and messages as text: preprocessing, includes, functions
    binary       a module as instructions: read, queried, checked
    transforms   a module to another: canonical form, merging, splitting, repairs
    compilers    glslang: the installed ones and that of an SDK
    spirv_tools  SPIRV-Tools: as a library and as programs
    reflection   a module's interface and cost
    compile      a source to modules: for each stage, with stubs for what other units define
    link         the modules that an entry point reaches to one program
    images       a program to an image: LTO, optimization, validation, description
    crate        a crate's options, and the manifest of its images
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
    from .backend import SpirvBackend  # noqa: PLC0415 - a build with another backend need not load it

    return SpirvBackend


@hookimpl
def cratewright_describe(path: str, data: bytes) -> Mapping[str, object] | None:
    """Describe a SPIR-V module."""
    from .reflection.reflect import describe_module  # noqa: PLC0415 - only who asks needs it

    return describe_module(path, data)
