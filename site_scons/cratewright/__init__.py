"""cratewright: crates for SCons.

Knows nothing itself; it names what is public. Layers, each importing only from those before it:

    base         what everyone may use: errors, frozen values and their bytes, text
    values       what is said of crates and links
    rules        pure rules of linking
    formats      pure rules of files: bytes to values and back
    workspace    pure rules of workspaces in TOML
    system       the doors to the world: files, programs, signals, events
    workers      the doors to workers
    cache        results that can be used again
    remote       results and programs on servers
    contract     what a backend implements, and the edge where it is checked
    plugins      finding them
    pipeline     plan, codegen, lto, link, relink
    report       a build's events as documents
    scons        SCons: the only one to import it
    authors      what authors of backends test with
    conformance  the rules that every backend can be held to
    testing      the door to both
    cli          the command line
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .version import __version__

if TYPE_CHECKING:
    from .base.columns import in_characters as in_characters
    from .base.diagnostic import Diagnostic, RelatedPlace, Severity, read_diagnostics
    from .base.digest import Digest, content_digest, value_digest
    from .base.errors import (
        CacheError,
        ConfigurationError,
        CratewrightError,
        FormatError,
        GraphError,
        Interrupted,
        LinkageConflictError,
        LinkError,
        OutputError,
        PluginError,
        SourceError,
        ToolError,
        UnknownNameError,
        UnsupportedError,
        ValidationError,
        VersionError,
        near_miss,
    )
    from .base.patterns import pattern as pattern
    from .base.stamp import file_stamp as file_stamp
    from .base.values import dataclass
    from .cache.entry import RecompileError as RecompileError
    from .cache.entry import RecompileFault as RecompileFault
    from .cache.store import CacheKvStore as CacheKvStore
    from .contract.backend import API_VERSION, OLDEST_API_VERSION, Capability, CodegenBackend, Session
    from .contract.edge import opened as open_backend
    from .contract.hookspecs import hookimpl
    from .contract.incremental_cache import CacheKeyHash as CacheKeyHash
    from .contract.incremental_cache import compile_with_cache as compile_with_cache
    from .contract.incremental_cache import compute_cache_key as compute_cache_key
    from .contract.incremental_cache import open_cache as open_cache
    from .contract.incremental_cache import serialize_compiled as serialize_compiled
    from .contract.incremental_cache import try_finish_recompile as try_finish_recompile
    from .contract.offered import Command, Profile
    from .formats.archive import ARCHIVE_MAGIC
    from .formats.archive import read_archive as read_archive
    from .formats.depfile import decode_depfile as decode_depfile
    from .plugins.registering import register as register
    from .rules.output_name import output_name as output_file_name
    from .rules.output_place import check_output_path as check_output_path
    from .scons import tool as tool
    from .system.child import Finished as Finished
    from .system.child import run_program as run_program
    from .system.elsewhere import Portable as Portable
    from .system.elsewhere import passed_directories as passed_directories
    from .system.elsewhere import run_elsewhere as run_elsewhere
    from .system.elsewhere import runs_elsewhere as runs_elsewhere
    from .system.events import BuildEnded as BuildEnded
    from .system.events import BuildStarted as BuildStarted
    from .system.events import CrateDeclared as CrateDeclared
    from .system.events import Event as Event
    from .system.events import LtoEnded as LtoEnded
    from .system.events import OutputMade as OutputMade
    from .system.events import StageEnded as StageEnded
    from .system.events import StageStarted as StageStarted
    from .system.events import ToolsFound as ToolsFound
    from .system.events import UnitEnded as UnitEnded
    from .system.events import UnitExplained as UnitExplained
    from .system.events import UnitsFound as UnitsFound
    from .system.events import UnitStarted as UnitStarted
    from .system.fs import digest_file as digest_file
    from .system.fs import make_private as make_private
    from .system.fs import plain_path as plain_path
    from .system.fs import read_bytes as read_bytes
    from .system.fs import read_regular as read_regular
    from .system.fs import write_atomic as write_atomic
    from .system.program import program_files as program_files
    from .system.program import programs_digest as programs_digest
    from .system.scratch import scratch_directory as scratch_directory
    from .system.scratch import scratch_lock as scratch_lock
    from .system.scratch import scratch_root as scratch_root
    from .values.call import BackendCall
    from .values.construction import ConstructionVariable
    from .values.crate import UNVERSIONED, Crate, CrateType, Source
    from .values.module import (
        CanonicalForm,
        CompiledUnit,
        EntryPoint,
        ModuleCodegen,
        ModuleKind,
        Observed,
        Symbol,
        merge_observed,
    )
    from .values.native_library import LibraryKind, NativeLibrary, parse_library
    from .values.option_spec import OptionKind, OptionSpec, OptionValue
    from .values.options import CORE_OPTIONS, DebugInfo, LtoMode, Options, OptLevel
    from .values.request import (
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
    from .values.source_options import VARIANT as VARIANT
    from .values.source_options import option_attributes as option_attributes
    from .values.source_options import options_among as options_among
    from .values.source_options import with_own as with_own
    from .values.stencil import UnitStencil, logical_path
    from .values.variants import read_variant as read_variant
    from .values.whole_crate import whole

__all__ = [
    "API_VERSION",
    "ARCHIVE_MAGIC",
    "CORE_OPTIONS",
    "OLDEST_API_VERSION",
    "UNVERSIONED",
    "VARIANT",
    "Artifact",
    "BackendCall",
    "BuildEnded",
    "BuildStarted",
    "CacheError",
    "CacheKeyHash",
    "CacheKvStore",
    "CanonicalForm",
    "Capability",
    "CodegenBackend",
    "Command",
    "CompiledUnit",
    "ConfigurationError",
    "ConstructionVariable",
    "Crate",
    "CrateDeclared",
    "CrateType",
    "CratewrightError",
    "DebugInfo",
    "Diagnostic",
    "Digest",
    "EntryPoint",
    "Event",
    "Finished",
    "FormatError",
    "GraphError",
    "Interrupted",
    "LibraryKind",
    "LinkError",
    "LinkLibrary",
    "LinkModule",
    "LinkPart",
    "LinkRequest",
    "LinkResult",
    "LinkageConflictError",
    "LtoEnded",
    "LtoMode",
    "ModuleCodegen",
    "ModuleConfig",
    "ModuleKind",
    "NativeLibrary",
    "Observed",
    "OptLevel",
    "OptionKind",
    "OptionSpec",
    "OptionValue",
    "Options",
    "OutputError",
    "OutputMade",
    "PluginError",
    "Portable",
    "Profile",
    "RecompileError",
    "RecompileFault",
    "RelatedPlace",
    "Session",
    "Severity",
    "Source",
    "SourceError",
    "StageEnded",
    "StageStarted",
    "Symbol",
    "ThinBuffer",
    "ThinModule",
    "ToolError",
    "ToolsFound",
    "UnitEnded",
    "UnitExplained",
    "UnitStarted",
    "UnitStencil",
    "UnitsFound",
    "UnknownNameError",
    "UnsupportedError",
    "ValidationError",
    "VersionError",
    "__version__",
    "check_output_path",
    "compile_with_cache",
    "compute_cache_key",
    "content_digest",
    "dataclass",
    "decode_depfile",
    "digest_file",
    "file_stamp",
    "hookimpl",
    "in_characters",
    "logical_path",
    "make_private",
    "merge_observed",
    "near_miss",
    "open_backend",
    "open_cache",
    "option_attributes",
    "options_among",
    "output_file_name",
    "parse_library",
    "passed_directories",
    "pattern",
    "plain_path",
    "program_files",
    "programs_digest",
    "read_archive",
    "read_bytes",
    "read_diagnostics",
    "read_regular",
    "read_variant",
    "register",
    "run_elsewhere",
    "run_program",
    "runs_elsewhere",
    "scratch_directory",
    "scratch_lock",
    "scratch_root",
    "serialize_compiled",
    "tool",
    "try_finish_recompile",
    "value_digest",
    "whole",
    "with_own",
    "write_atomic",
]

_LATER = {
    "API_VERSION": "contract.backend",
    "OLDEST_API_VERSION": "contract.backend",
    "Capability": "contract.backend",
    "CodegenBackend": "contract.backend",
    "Session": "contract.backend",
    "BackendCall": "values.call",
    "ConstructionVariable": "values.construction",
    "UNVERSIONED": "values.crate",
    "Crate": "values.crate",
    "CrateType": "values.crate",
    "Source": "values.crate",
    "whole": "values.whole_crate",
    "Diagnostic": "base.diagnostic",
    "RelatedPlace": "base.diagnostic",
    "Severity": "base.diagnostic",
    "read_diagnostics": "base.diagnostic",
    "Digest": "base.digest",
    "content_digest": "base.digest",
    "value_digest": "base.digest",
    "CacheError": "base.errors",
    "ConfigurationError": "base.errors",
    "CratewrightError": "base.errors",
    "FormatError": "base.errors",
    "GraphError": "base.errors",
    "Interrupted": "base.errors",
    "LinkageConflictError": "base.errors",
    "LinkError": "base.errors",
    "OutputError": "base.errors",
    "PluginError": "base.errors",
    "SourceError": "base.errors",
    "ToolError": "base.errors",
    "UnknownNameError": "base.errors",
    "UnsupportedError": "base.errors",
    "ValidationError": "base.errors",
    "VersionError": "base.errors",
    "near_miss": "base.errors",
    "hookimpl": "contract.hookspecs",
    "CanonicalForm": "values.module",
    "CompiledUnit": "values.module",
    "EntryPoint": "values.module",
    "ModuleCodegen": "values.module",
    "ModuleKind": "values.module",
    "Observed": "values.module",
    "Symbol": "values.module",
    "merge_observed": "values.module",
    "LibraryKind": "values.native_library",
    "NativeLibrary": "values.native_library",
    "parse_library": "values.native_library",
    "Command": "contract.offered",
    "Profile": "contract.offered",
    "OptionKind": "values.option_spec",
    "OptionSpec": "values.option_spec",
    "OptionValue": "values.option_spec",
    "CORE_OPTIONS": "values.options",
    "DebugInfo": "values.options",
    "LtoMode": "values.options",
    "Options": "values.options",
    "OptLevel": "values.options",
    "Artifact": "values.request",
    "LinkLibrary": "values.request",
    "LinkModule": "values.request",
    "LinkPart": "values.request",
    "LinkRequest": "values.request",
    "LinkResult": "values.request",
    "ModuleConfig": "values.request",
    "ThinBuffer": "values.request",
    "ThinModule": "values.request",
    "UnitStencil": "values.stencil",
    "logical_path": "values.stencil",
    "dataclass": "base.values",
    "pattern": "base.patterns",
    "ARCHIVE_MAGIC": "formats.archive",
    "read_archive": "formats.archive",
    "CacheKvStore": "cache.store",
    "RecompileError": "cache.entry",
    "RecompileFault": "cache.entry",
    "CacheKeyHash": "contract.incremental_cache",
    "compile_with_cache": "contract.incremental_cache",
    "compute_cache_key": "contract.incremental_cache",
    "serialize_compiled": "contract.incremental_cache",
    "try_finish_recompile": "contract.incremental_cache",
    "in_characters": "base.columns",
    "decode_depfile": "formats.depfile",
    "open_backend": "contract.edge:opened",
    "open_cache": "contract.incremental_cache",
    "BuildEnded": "system.events",
    "BuildStarted": "system.events",
    "CrateDeclared": "system.events",
    "Event": "system.events",
    "LtoEnded": "system.events",
    "OutputMade": "system.events",
    "StageEnded": "system.events",
    "StageStarted": "system.events",
    "ToolsFound": "system.events",
    "UnitEnded": "system.events",
    "UnitExplained": "system.events",
    "UnitStarted": "system.events",
    "UnitsFound": "system.events",
    "digest_file": "system.fs",
    "file_stamp": "base.stamp",
    "make_private": "system.fs",
    "plain_path": "system.fs",
    "read_bytes": "system.fs",
    "read_regular": "system.fs",
    "write_atomic": "system.fs",
    "output_file_name": "rules.output_name:output_name",
    "check_output_path": "rules.output_place",
    "program_files": "system.program",
    "programs_digest": "system.program",
    "register": "plugins.registering",
    "tool": "scons",
    "scratch_directory": "system.scratch",
    "scratch_lock": "system.scratch",
    "scratch_root": "system.scratch",
    "VARIANT": "values.source_options",
    "option_attributes": "values.source_options",
    "read_variant": "values.variants",
    "options_among": "values.source_options",
    "with_own": "values.source_options",
    "Finished": "system.child",
    "Portable": "system.elsewhere",
    "passed_directories": "system.elsewhere",
    "run_elsewhere": "system.elsewhere",
    "runs_elsewhere": "system.elsewhere",
    "run_program": "system.child",
}
"""Names imported on first use, and from where: a build with nothing to do needs only `tool`."""


def __getattr__(name: str) -> object:
    module, _, inside = _LATER.get(name, "").partition(":")
    if not module:
        raise AttributeError(f"module 'cratewright' has no attribute '{name}'")
    value: object = getattr(import_module(f".{module}", __name__), inside or name)
    if name == "register" and "SCons.Script" in import_module("sys").modules:  # called by an SConstruct
        value = import_module(".scons.SCons", __name__).entrance(value)
    globals()[name] = value
    return value
