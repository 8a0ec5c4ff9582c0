"""cratewright: crates for SCons.

Knows nothing itself; it names what is public. Layers, each importing only from those before it:

    errors, digest                                       what everyone may use
    options, crate, module, stencil, request             values
    graph, dependency_format, output_name, archive, metadata, workspace   pure rules
    fs, process, worker                                  the two doors to the world
    cache                                                results that can be used again
    backend, hookspecs, registry                         the contract with backends
    pipeline                                             plan, codegen, rlib, link
    scons, cli, testing                                  the edges
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .backend import (
    API_VERSION,
    Capability,
    CodegenBackend,
    Session,
    ThinBuffer,
    ThinModule,
)
from .crate import Crate, CrateType
from .errors import CratewrightError
from .hookspecs import hookimpl
from .module import CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from .options import DebugInfo, LtoMode, OptionKind, Options, OptionSpec, OptLevel
from .request import Artifact, LinkModule, LinkPart, LinkRequest, LinkResult
from .stencil import UnitStencil
from .version import __version__

if TYPE_CHECKING:
    from .registry import register as register
    from .scons import tool as tool

__all__ = [
    "API_VERSION",
    "Artifact",
    "Capability",
    "CodegenBackend",
    "CompiledUnit",
    "Crate",
    "CrateType",
    "CratewrightError",
    "DebugInfo",
    "EntryPoint",
    "LinkModule",
    "LinkPart",
    "LinkRequest",
    "LinkResult",
    "LtoMode",
    "ModuleCodegen",
    "ModuleKind",
    "Observed",
    "OptLevel",
    "OptionKind",
    "OptionSpec",
    "Options",
    "Session",
    "Symbol",
    "ThinBuffer",
    "ThinModule",
    "UnitStencil",
    "__version__",
    "hookimpl",
    "register",
    "tool",
]


def __getattr__(name: str) -> object:
    # `tool` is the one public name that needs SCons; the engine, the CLI and plugins must run without it.
    if name == "tool":
        from .scons import tool  # noqa: PLC0415

        return tool
    # Looking for plugins takes a while to import, and workers have theirs already.
    if name == "register":
        from .registry import register  # noqa: PLC0415

        return register
    raise AttributeError(f"module 'cratewright' has no attribute '{name}'")
