"""cratewright: crates for SCons.

This module holds the public names, and nothing else. Layers, each importing only from those before it:

    base         for every layer: errors, frozen values and their bytes, text
    values       crates and links, as frozen values
    rules        pure rules of linking
    formats      pure rules of files: bytes to values and back
    workspace    pure rules of workspaces in TOML
    system       files, programs, signals and events
    workers      worker processes
    cache        results kept for reuse
    remote       results and programs on servers
    contract     what a backend implements, and the edge where it is checked
    plugins      finding and loading plugins
    pipeline     plan, codegen, lto, link, relink
    report       a build's events as documents
    scons        SCons: the only one to import it
    authors      test support for authors of backends
    conformance  the rules that every backend can be held to
    testing      the public names of both
    cli          the command line
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base.columns import in_characters as in_characters
    from .base.diagnostic import Diagnostic as Diagnostic
    from .base.diagnostic import RelatedPlace as RelatedPlace
    from .base.diagnostic import Severity as Severity
    from .base.diagnostic import read_diagnostics as read_diagnostics
    from .base.digest import Digest as Digest
    from .base.digest import content_digest as content_digest
    from .base.digest import value_digest as value_digest
    from .base.errors import CacheError as CacheError
    from .base.errors import ConfigurationError as ConfigurationError
    from .base.errors import CratewrightError as CratewrightError
    from .base.errors import FormatError as FormatError
    from .base.errors import GraphError as GraphError
    from .base.errors import Interrupted as Interrupted
    from .base.errors import LinkageConflictError as LinkageConflictError
    from .base.errors import LinkError as LinkError
    from .base.errors import OutputError as OutputError
    from .base.errors import PluginError as PluginError
    from .base.errors import SourceError as SourceError
    from .base.errors import ToolError as ToolError
    from .base.errors import UnknownNameError as UnknownNameError
    from .base.errors import UnsupportedError as UnsupportedError
    from .base.errors import ValidationError as ValidationError
    from .base.errors import VersionError as VersionError
    from .base.errors import near_miss as near_miss
    from .base.patterns import pattern as pattern
    from .base.stamp import file_stamp as file_stamp
    from .base.values import dataclass as dataclass
    from .cache.entry import RecompileError as RecompileError
    from .cache.entry import RecompileFault as RecompileFault
    from .cache.store import CacheKvStore as CacheKvStore
    from .contract.backend import API_VERSION as API_VERSION
    from .contract.backend import OLDEST_API_VERSION as OLDEST_API_VERSION
    from .contract.backend import CodegenBackend as CodegenBackend
    from .contract.edge import open_backend as open_backend
    from .contract.hookspecs import hookimpl as hookimpl
    from .contract.incremental_cache import CacheKeyHash as CacheKeyHash
    from .contract.incremental_cache import compile_with_cache as compile_with_cache
    from .contract.incremental_cache import compute_cache_key as compute_cache_key
    from .contract.incremental_cache import open_cache as open_cache
    from .contract.incremental_cache import serialize_compiled as serialize_compiled
    from .contract.incremental_cache import try_finish_recompile as try_finish_recompile
    from .contract.offered import Command as Command
    from .contract.offered import Profile as Profile
    from .contract.session import Session as Session
    from .formats.archive import ARCHIVE_MAGIC as ARCHIVE_MAGIC
    from .formats.archive import read_archive as read_archive
    from .formats.depfile import decode_depfile as decode_depfile
    from .plugins.registering import register as register
    from .rules.output_name import output_file_name as output_file_name
    from .rules.output_place import check_output_path as check_output_path
    from .scons import tool as tool
    from .system.child import Finished as Finished
    from .system.child import exit_reason as exit_reason
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
    from .system.unchanged import changed_ns as changed_ns
    from .system.unchanged import repeat_if_changed as repeat_if_changed
    from .values.call import BackendCall as BackendCall
    from .values.capability import Capability as Capability
    from .values.construction import ConstructionVariable as ConstructionVariable
    from .values.crate import UNVERSIONED as UNVERSIONED
    from .values.crate import Crate as Crate
    from .values.crate import Source as Source
    from .values.crate_type import CrateType as CrateType
    from .values.module import CanonicalForm as CanonicalForm
    from .values.module import CompiledUnit as CompiledUnit
    from .values.module import EntryPoint as EntryPoint
    from .values.module import ModuleCodegen as ModuleCodegen
    from .values.module import ModuleKind as ModuleKind
    from .values.module import Observed as Observed
    from .values.module import Symbol as Symbol
    from .values.module import merge_observed as merge_observed
    from .values.native_library import LibraryKind as LibraryKind
    from .values.native_library import NativeLibrary as NativeLibrary
    from .values.native_library import parse_library as parse_library
    from .values.option_spec import OptionKind as OptionKind
    from .values.option_spec import OptionSpec as OptionSpec
    from .values.option_spec import OptionValue as OptionValue
    from .values.options import CORE_OPTIONS as CORE_OPTIONS
    from .values.options import DebugInfo as DebugInfo
    from .values.options import LtoMode as LtoMode
    from .values.options import Options as Options
    from .values.options import OptLevel as OptLevel
    from .values.request import Artifact as Artifact
    from .values.request import LinkLibrary as LinkLibrary
    from .values.request import LinkModule as LinkModule
    from .values.request import LinkPart as LinkPart
    from .values.request import LinkRequest as LinkRequest
    from .values.request import LinkResult as LinkResult
    from .values.request import ModuleConfig as ModuleConfig
    from .values.request import ThinBuffer as ThinBuffer
    from .values.request import ThinModule as ThinModule
    from .values.source_options import VARIANT as VARIANT
    from .values.source_options import option_attributes as option_attributes
    from .values.source_options import options_among as options_among
    from .values.source_options import with_own as with_own
    from .values.stencil import UnitStencil as UnitStencil
    from .values.stencil import logical_path as logical_path
    from .values.variants import read_variant as read_variant
    from .values.whole_crate import whole as whole
    from .version import __version__ as __version__

_MODULES = {
    "base.columns": "in_characters",
    "base.diagnostic": "Diagnostic read_diagnostics RelatedPlace Severity",
    "base.digest": "content_digest Digest value_digest",
    "base.errors": (
        "CacheError ConfigurationError CratewrightError FormatError GraphError Interrupted LinkageConflictError "
        "LinkError near_miss OutputError PluginError SourceError ToolError UnknownNameError UnsupportedError "
        "ValidationError VersionError"
    ),
    "base.patterns": "pattern",
    "base.stamp": "file_stamp",
    "base.values": "dataclass",
    "cache.entry": "RecompileError RecompileFault",
    "cache.store": "CacheKvStore",
    "contract.backend": "API_VERSION CodegenBackend OLDEST_API_VERSION",
    "contract.edge": "open_backend",
    "contract.hookspecs": "hookimpl",
    "contract.incremental_cache": (
        "CacheKeyHash compile_with_cache compute_cache_key open_cache serialize_compiled try_finish_recompile"
    ),
    "contract.offered": "Command Profile",
    "contract.session": "Session",
    "formats.archive": "ARCHIVE_MAGIC read_archive",
    "formats.depfile": "decode_depfile",
    "plugins.registering": "register",
    "rules.output_name": "output_file_name",
    "rules.output_place": "check_output_path",
    "scons": "tool",
    "system.child": "Finished exit_reason run_program",
    "system.elsewhere": "passed_directories Portable run_elsewhere runs_elsewhere",
    "system.events": (
        "BuildEnded BuildStarted CrateDeclared Event LtoEnded OutputMade StageEnded StageStarted ToolsFound UnitEnded "
        "UnitExplained UnitsFound UnitStarted"
    ),
    "system.fs": "digest_file make_private plain_path read_bytes read_regular write_atomic",
    "system.program": "program_files programs_digest",
    "system.scratch": "scratch_directory scratch_lock scratch_root",
    "system.unchanged": "changed_ns repeat_if_changed",
    "values.call": "BackendCall",
    "values.capability": "Capability",
    "values.construction": "ConstructionVariable",
    "values.crate": "Crate Source UNVERSIONED",
    "values.crate_type": "CrateType",
    "values.module": "CanonicalForm CompiledUnit EntryPoint merge_observed ModuleCodegen ModuleKind Observed Symbol",
    "values.native_library": "LibraryKind NativeLibrary parse_library",
    "values.option_spec": "OptionKind OptionSpec OptionValue",
    "values.options": "CORE_OPTIONS DebugInfo LtoMode Options OptLevel",
    "values.request": (
        "Artifact LinkLibrary LinkModule LinkPart LinkRequest LinkResult ModuleConfig ThinBuffer ThinModule"
    ),
    "values.source_options": "option_attributes options_among VARIANT with_own",
    "values.stencil": "logical_path UnitStencil",
    "values.variants": "read_variant",
    "values.whole_crate": "whole",
    "version": "__version__",
}
"""The public names of each module. They are imported on first use: a build with nothing to do needs only `tool`."""

_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'cratewright' has no attribute '{name}'")
    value: object = getattr(import_module(f".{module}", __name__), name)
    if name == "register" and "SCons.Script" in import_module("sys").modules:  # called by an SConstruct
        value = import_module(".scons.SCons", __name__).entrance(value)
    globals()[name] = value
    return value
