"""cratewright: crates for SCons.

Knows nothing itself; it names what is public. Layers, each importing only from those before it:

    errors, digest, values, codec, shape, diagnostic           what everyone may use
    crate_type, options, source_options, module, identity, crate, stencil  values of crates
    native_library, request                                    values of links
    graph, dependency_format, format_table, link_contents      pure rules of linking
    output_name, output_place, depfile, archive                pure rules of files
    c_layout, embed, crate_metadata, metadata                  pure rules of documents
    stage_record, workspace                                    pure rules of records and workspaces
    locator                                                    pure rule of finding crates
    fs, memory, child, scratch, ending, program, events        the doors to the world
    process, worker, zygote                                    the doors to workers
    cache                                                      results that can be used again
    session, backend, hookspecs, declared, blame, edge         the contract with backends, checked where it is entered
    registry                                                   finding them
    pipeline                                                   plan, codegen, lto, link, relink
    inspection, scons, cli, cli_build, cli_cache, cli_init     the edges
    testing                                                    the edge for authors of backends
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .backend import (
    API_VERSION,
    Capability,
    CodegenBackend,
    Session,
)
from .crate import Crate, CrateType
from .diagnostic import Diagnostic, RelatedPlace, Severity, read_diagnostics
from .errors import CratewrightError
from .hookspecs import hookimpl
from .module import CanonicalForm, CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from .native_library import LibraryKind, NativeLibrary
from .options import DebugInfo, LtoMode, OptionKind, Options, OptionSpec, OptLevel
from .request import (
    Artifact,
    LinkLibrary,
    LinkModule,
    LinkPart,
    LinkRequest,
    LinkResult,
    ModuleConfig,
    ThinBuffer,
    ThinModule,
)
from .stencil import UnitStencil
from .version import __version__

if TYPE_CHECKING:
    from .cache.store import CacheKvStore as CacheKvStore
    from .program import programs_digest as programs_digest
    from .registry import register as register
    from .scons import tool as tool

__all__ = [
    "API_VERSION",
    "Artifact",
    "CacheKvStore",
    "CanonicalForm",
    "Capability",
    "CodegenBackend",
    "CompiledUnit",
    "Crate",
    "CrateType",
    "CratewrightError",
    "DebugInfo",
    "Diagnostic",
    "EntryPoint",
    "LibraryKind",
    "LinkLibrary",
    "LinkModule",
    "LinkPart",
    "LinkRequest",
    "LinkResult",
    "LtoMode",
    "ModuleCodegen",
    "ModuleConfig",
    "ModuleKind",
    "NativeLibrary",
    "Observed",
    "OptLevel",
    "OptionKind",
    "OptionSpec",
    "Options",
    "RelatedPlace",
    "Session",
    "Severity",
    "Symbol",
    "ThinBuffer",
    "ThinModule",
    "UnitStencil",
    "__version__",
    "hookimpl",
    "programs_digest",
    "read_diagnostics",
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
    if name == "programs_digest":
        from .program import programs_digest  # noqa: PLC0415

        return programs_digest
    if name == "CacheKvStore":
        from .cache.store import CacheKvStore  # noqa: PLC0415

        return CacheKvStore
    raise AttributeError(f"module 'cratewright' has no attribute '{name}'")
