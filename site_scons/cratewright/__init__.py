"""cratewright: crates for SCons.

Knows nothing itself; it names what is public. Layers, each importing only from those before it:

    host, printable, patterns, errors, digest, stamp, values, codec, shape, diagnostic, columns  what everyone may use
    call, crate_type, option_spec, options, source_options, module, identity, crate, stencil  values of crates
    constraint, variants                                       values of variants
    capability, construction, native_library, request          values of links
    graph, dependency_format, format_table, link_contents      pure rules of linking
    output_name, output_place, depfile, included, archive      pure rules of files
    c_layout, variant_header, embed, figures, crate_metadata, metadata, lto_file        pure rules of documents
    stage_record, workspace                                    pure rules of records and workspaces
    locator                                                    pure rule of finding crates
    fs, memory, child, elsewhere, watchdog, scratch, ending, program, events, changes  the doors to the world
    pace, process, worker, zygote, spawned                      the doors to workers
    cache                                                      results that can be used again
    remote                                                     results and programs on servers
    session, backend, offered, hookspecs, declared             the contract with backends
    emitted, blame, answers, edge                              and its door, where it is checked
    incremental_cache                                          the cache of units, part by part
    discovery, hooks, hearing, plugin, registry                finding them
    pipeline                                                   plan, codegen, lto, link, relink
    inspection, report, scons, cli_build, cli_cache, cli_init  the edges
    stub, trial, watching, conformance_keys, conformance, scons_project, testing  the edge for authors of backends
    template, cli_new, cli_plugins, cli_report, cli_diff, cli_watch, cli_verify, cli_completion, cli  the command line
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .version import __version__

if TYPE_CHECKING:
    from .archive import MAGIC as ARCHIVE_MAGIC
    from .archive import read_archive as read_archive
    from .backend import API_VERSION, OLDEST_API_VERSION, Capability, CodegenBackend, Session
    from .cache.entry import RecompileError as RecompileError
    from .cache.entry import RecompileFault as RecompileFault
    from .cache.store import CacheKvStore as CacheKvStore
    from .call import BackendCall
    from .child import Finished as Finished
    from .child import run_program as run_program
    from .columns import in_characters as in_characters
    from .construction import ConstructionVariable
    from .crate import UNVERSIONED, Crate, CrateType, Source, whole
    from .depfile import decode_depfile as decode_depfile
    from .diagnostic import Diagnostic, RelatedPlace, Severity, read_diagnostics
    from .digest import content_digest, value_digest
    from .edge import opened as open_backend
    from .elsewhere import Portable as Portable
    from .elsewhere import passed_directories as passed_directories
    from .elsewhere import run_elsewhere as run_elsewhere
    from .elsewhere import runs_elsewhere as runs_elsewhere
    from .errors import (
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
    from .events import BuildEnded as BuildEnded
    from .events import BuildStarted as BuildStarted
    from .events import CrateDeclared as CrateDeclared
    from .events import Event as Event
    from .events import LtoEnded as LtoEnded
    from .events import OutputMade as OutputMade
    from .events import StageEnded as StageEnded
    from .events import StageStarted as StageStarted
    from .events import ToolsFound as ToolsFound
    from .events import UnitEnded as UnitEnded
    from .events import UnitExplained as UnitExplained
    from .events import UnitsFound as UnitsFound
    from .events import UnitStarted as UnitStarted
    from .fs import digest_file as digest_file
    from .fs import file_stamp as file_stamp
    from .fs import make_private as make_private
    from .fs import plain_path as plain_path
    from .fs import read_bytes as read_bytes
    from .fs import write_atomic as write_atomic
    from .hookspecs import hookimpl
    from .incremental_cache import CacheKeyHash as CacheKeyHash
    from .incremental_cache import compile_with_cache as compile_with_cache
    from .incremental_cache import compute_cache_key as compute_cache_key
    from .incremental_cache import serialize_compiled as serialize_compiled
    from .incremental_cache import try_finish_recompile as try_finish_recompile
    from .module import (
        CanonicalForm,
        CompiledUnit,
        EntryPoint,
        ModuleCodegen,
        ModuleKind,
        Observed,
        Symbol,
        merge_observed,
    )
    from .native_library import LibraryKind, NativeLibrary, parse_library
    from .offered import Command, Profile
    from .option_spec import OptionKind, OptionSpec, OptionValue
    from .options import CORE_OPTIONS, DebugInfo, LtoMode, Options, OptLevel
    from .output_name import output_name as output_file_name
    from .output_place import check_output_path as check_output_path
    from .patterns import pattern as pattern
    from .program import program_files as program_files
    from .program import programs_digest as programs_digest
    from .registry import register as register
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
    from .scons import tool as tool
    from .scratch import scratch_directory as scratch_directory
    from .scratch import scratch_root as scratch_root
    from .source_options import VARIANT as VARIANT
    from .source_options import option_attributes as option_attributes
    from .source_options import options_among as options_among
    from .source_options import with_own as with_own
    from .stencil import UnitStencil, logical_path
    from .values import dataclass
    from .variants import read_variant as read_variant

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
    "read_variant",
    "register",
    "run_elsewhere",
    "run_program",
    "runs_elsewhere",
    "scratch_directory",
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
    "API_VERSION": "backend",
    "OLDEST_API_VERSION": "backend",
    "Capability": "backend",
    "CodegenBackend": "backend",
    "Session": "backend",
    "BackendCall": "call",
    "ConstructionVariable": "construction",
    "UNVERSIONED": "crate",
    "Crate": "crate",
    "CrateType": "crate",
    "Source": "crate",
    "whole": "crate",
    "Diagnostic": "diagnostic",
    "RelatedPlace": "diagnostic",
    "Severity": "diagnostic",
    "read_diagnostics": "diagnostic",
    "content_digest": "digest",
    "value_digest": "digest",
    "CacheError": "errors",
    "ConfigurationError": "errors",
    "CratewrightError": "errors",
    "FormatError": "errors",
    "GraphError": "errors",
    "Interrupted": "errors",
    "LinkageConflictError": "errors",
    "LinkError": "errors",
    "OutputError": "errors",
    "PluginError": "errors",
    "SourceError": "errors",
    "ToolError": "errors",
    "UnknownNameError": "errors",
    "UnsupportedError": "errors",
    "ValidationError": "errors",
    "VersionError": "errors",
    "near_miss": "errors",
    "hookimpl": "hookspecs",
    "CanonicalForm": "module",
    "CompiledUnit": "module",
    "EntryPoint": "module",
    "ModuleCodegen": "module",
    "ModuleKind": "module",
    "Observed": "module",
    "Symbol": "module",
    "merge_observed": "module",
    "LibraryKind": "native_library",
    "NativeLibrary": "native_library",
    "parse_library": "native_library",
    "Command": "offered",
    "Profile": "offered",
    "OptionKind": "option_spec",
    "OptionSpec": "option_spec",
    "OptionValue": "option_spec",
    "CORE_OPTIONS": "options",
    "DebugInfo": "options",
    "LtoMode": "options",
    "Options": "options",
    "OptLevel": "options",
    "Artifact": "request",
    "LinkLibrary": "request",
    "LinkModule": "request",
    "LinkPart": "request",
    "LinkRequest": "request",
    "LinkResult": "request",
    "ModuleConfig": "request",
    "ThinBuffer": "request",
    "ThinModule": "request",
    "UnitStencil": "stencil",
    "logical_path": "stencil",
    "dataclass": "values",
    "pattern": "patterns",
    "ARCHIVE_MAGIC": "archive:MAGIC",
    "read_archive": "archive",
    "CacheKvStore": "cache.store",
    "RecompileError": "cache.entry",
    "RecompileFault": "cache.entry",
    "CacheKeyHash": "incremental_cache",
    "compile_with_cache": "incremental_cache",
    "compute_cache_key": "incremental_cache",
    "serialize_compiled": "incremental_cache",
    "try_finish_recompile": "incremental_cache",
    "in_characters": "columns",
    "decode_depfile": "depfile",
    "open_backend": "edge:opened",
    "BuildEnded": "events",
    "BuildStarted": "events",
    "CrateDeclared": "events",
    "Event": "events",
    "LtoEnded": "events",
    "OutputMade": "events",
    "StageEnded": "events",
    "StageStarted": "events",
    "ToolsFound": "events",
    "UnitEnded": "events",
    "UnitExplained": "events",
    "UnitStarted": "events",
    "UnitsFound": "events",
    "digest_file": "fs",
    "file_stamp": "fs",
    "make_private": "fs",
    "plain_path": "fs",
    "read_bytes": "fs",
    "write_atomic": "fs",
    "output_file_name": "output_name:output_name",
    "check_output_path": "output_place",
    "program_files": "program",
    "programs_digest": "program",
    "register": "registry",
    "tool": "scons",
    "scratch_directory": "scratch",
    "scratch_root": "scratch",
    "VARIANT": "source_options",
    "option_attributes": "source_options",
    "read_variant": "variants",
    "options_among": "source_options",
    "with_own": "source_options",
    "Finished": "child",
    "Portable": "elsewhere",
    "passed_directories": "elsewhere",
    "run_elsewhere": "elsewhere",
    "runs_elsewhere": "elsewhere",
    "run_program": "child",
}
"""What is imported when it is asked for, and from where: a build with nothing to do needs none of it but `tool`."""


def __getattr__(name: str) -> object:
    module, _, inside = _LATER.get(name, "").partition(":")
    if not module:
        raise AttributeError(f"module 'cratewright' has no attribute '{name}'")
    value: object = getattr(import_module(f".{module}", __name__), inside or name)
    globals()[name] = value
    return value
