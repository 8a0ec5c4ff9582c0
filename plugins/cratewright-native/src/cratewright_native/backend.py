"""The contract: what the backend declares, and which module implements each method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from cratewright import (
    BackendCall,
    Capability,
    CodegenBackend,
    CompiledUnit,
    Crate,
    CrateType,
    LinkRequest,
    LinkResult,
    LtoMode,
    ModuleCodegen,
    ModuleConfig,
    NativeLibrary,
    Observed,
    Options,
    ThinModule,
    UnitStencil,
    programs_digest,
)

from .arguments.options import (
    EMITTED,
    LINK_OPTIONS,
    LTO_OPTIONS,
    MODULE_OPTIONS,
    NATIVE_OPTIONS,
    PATH_OPTIONS,
    UNIT_OPTIONS,
)
from .arguments.variables import SETTINGS, VARIABLES, read_variables
from .lookups.observe import FileMemory
from .toolchains.languages import LANGUAGES, MODULES, OBJECTS
from .toolchains.session import toolchain_for
from .toolchains.targets import TARGET_NAMES
from .toolchains.toolchain import Toolchain

_COMPILER_MEMORY = 112 << 20
"""Bytes that a compiler needs, whatever it compiles."""
_MEMORY_FACTOR = 56
"""Bytes that a compiler needs per byte of bitcode."""


class NativeBackend(CodegenBackend):
    """Programs and libraries, by clang and lld or by gcc."""

    NAME = "native"
    FINGERPRINT_OF_FILES = True
    API_VERSION = 1
    TARGETS = TARGET_NAMES
    SUFFIXES = (*LANGUAGES, *MODULES)
    OPTIONS = NATIVE_OPTIONS
    UNIT_OPTIONS = UNIT_OPTIONS
    LINK_OPTIONS = LINK_OPTIONS
    MODULE_OPTIONS = MODULE_OPTIONS
    LTO_OPTIONS = LTO_OPTIONS
    PATH_OPTIONS = PATH_OPTIONS
    VARIABLES = VARIABLES
    EMITTED = EMITTED
    SETTINGS = SETTINGS
    LTO_DECIDES_UNITS = True
    RUNS_PROGRAMS = True
    supported_crate_types = frozenset(CrateType)
    # Those of LLVM; what gcc lacks is refused crate by crate.
    capabilities = frozenset(Capability) - {Capability.VARIANTS, Capability.LIBRARY_VARIANTS}

    @cached_property
    def _toolchain(self) -> Toolchain:
        return toolchain_for(self.session, report=self.times_passes)

    @cached_property
    def _memory(self) -> FileMemory:
        return FileMemory(self.session.root)

    def read_variables(self, values: Mapping[str, tuple[str, ...]]) -> Mapping[str, bool | str | tuple[str, ...]]:
        return read_variables(values)

    def warm(self, stencils: Sequence[UnitStencil]) -> None:
        """Find the toolchain once for all workers, and load what they need."""
        from .compile import codegen, unit  # noqa: F401

        _ = self._toolchain

    def fingerprint(self) -> str:
        """Return the versions of compiler and linker, and the digest of their bytes."""
        from . import __version__

        digest = programs_digest(self._toolchain.programs_run())
        return f"cratewright-native {__version__}, {self._toolchain.version}, {digest[:32]}"

    def check_crate(self, crate: Crate) -> None:
        from .checks import check_crate

        check_crate(crate, self._toolchain)

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile one source to bitcode with a summary, or to a gcc object with code and IR."""
        if stencil.path.endswith(OBJECTS):
            from .compile.object_source import module_from_object

            return CompiledUnit(modules=(module_from_object(stencil, self._toolchain),))
        from .compile.unit import compile_with_driver

        return compile_with_driver(stencil, self._toolchain, self._memory)

    def locate_words(self, option: str, words: Sequence[str], place: Callable[[str, bool], str]) -> tuple[str, ...]:
        """Return linker words with the paths that they name replaced by `place`."""
        from .arguments.ldflags import with_paths

        return with_paths(words, place)

    def compile_command(self, path: str, options: Options) -> tuple[str, ...]:
        from .compile.command import compile_command

        return compile_command(path, self.session.target, options, self._toolchain)

    def codegen_allocator(self, config: ModuleConfig, provided: bool) -> ModuleCodegen:
        from .compile.shim import allocator_module

        return allocator_module(config, provided, self._toolchain)

    def bundle_library(self, library: NativeLibrary, directories: Sequence[str]) -> CompiledUnit | None:
        from .linking.bundle import bundle_library

        return bundle_library(library, directories, self.session.target, self._toolchain)

    def kept_symbols(self, request: LinkRequest) -> tuple[str, ...]:
        from .linking.exports import kept_symbols

        return kept_symbols(request, self.session.root)

    def kept_from(self, request: LinkRequest) -> tuple[Observed, ...]:
        """Return the scripts and libraries that decide which symbols are kept."""
        from .linking.exports import kept_from

        return kept_from(request, self.session.root)

    def supports_lto(self, module: ModuleCodegen) -> bool:
        """Return whether a module holds IR that can be optimized together with others."""
        return module.attribute("representation") in ("llvm", "gcc", "both")

    def is_lowered(self, module: ModuleCodegen) -> bool:
        """Return whether a module is an object without anything for LTO."""
        return module.attribute("representation") in ("code", "none")

    def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        from .compile.codegen import lower_module

        return lower_module(module, config, self._toolchain)

    def run_link(self, request: LinkRequest) -> ModuleCodegen:
        """Merge objects into one that can be linked again."""
        from .linking.relocatable import merge_objects

        return merge_objects(request, self._toolchain)

    def run_fat_lto(self, request: LinkRequest) -> ModuleCodegen:
        """Merge all modules of a link and internalise what is not exported."""
        from .compile.codegen import for_llvm
        from .lto.fat import merge_modules

        return merge_modules(for_llvm(request), self._toolchain)

    def optimize_fat(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        from .lto.fat import optimize_program

        return optimize_program(module, config, self._toolchain)

    def run_thin_lto(self, request: LinkRequest) -> tuple[ThinModule, ...]:
        from .compile.codegen import for_llvm
        from .lto.thin import run_thin_link

        return run_thin_link(for_llvm(request), self._toolchain)

    def optimize_thin(self, module: ThinModule, config: ModuleConfig) -> ModuleCodegen:
        """Run the backend of one module: import, optimize, make an object."""
        from .lto.thin import run_thin_backend

        return run_thin_backend(module, config, self._toolchain)

    def is_portable(self, call: BackendCall[Any]) -> bool:
        """Return whether a call compiles, or makes an object of bitcode."""
        from .remote.programs import is_portable_call

        return is_portable_call(call, self._toolchain)

    def could_return(self, call: BackendCall[Any], value: object) -> bool:
        """Refuse an analysis with other file names than ours: they are written to, and passed to clang."""
        if call.method is not CodegenBackend.run_thin_lto or not isinstance(value, tuple):
            return True
        from .lto.thin import names_own_files

        return all(names_own_files(item) for item in value)

    def print_pass_timings(self) -> Mapping[str, float]:
        """Return the pass times of clang and lld; gcc and zig's lld report none."""
        report = self._toolchain.report
        return report.take() if report is not None else {}

    def lto_memory(self, request: LinkRequest) -> int:
        """Return the peak memory for optimizing the modules, or the largest of them with its imports.

        Source: peak resident sizes of clang 19 at release. Fat, lowering included: 125 MiB for 0.67 MB of modules
        (Lua), 171 MiB for 1.57 MB (zstd). Thin, a module: 107 and 110 MiB.
        """
        from .binary.elf import embedded_bitcode

        sizes = [len(embedded_bitcode(item.module.data) or item.module.data) for item in request.modules]
        optimized = sum(sizes) if request.lto is LtoMode.FAT else max(sizes, default=0)
        return _COMPILER_MEMORY + _MEMORY_FACTOR * optimized

    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Return the linked file, those that linker flags write, and the directory of gcc's coverage notes."""
        from .arguments.ldflags import written_files
        from .linking.soname import file_name

        name = file_name(crate, crate_type, self.session.target, options)
        names = (name, *written_files(crate_type, options.texts("ldflags")))
        if not (options.flag("coverage") and self._toolchain.kind == "gcc"):
            return names
        from .compile.coverage import notes_directory

        return (*names, notes_directory(name))

    def output_links(self, crate: str, crate_type: CrateType, options: Options) -> Mapping[str, str]:
        from .linking.soname import file_links

        return file_links(crate, crate_type, self.session.target, options)

    def link(self, request: LinkRequest) -> LinkResult:
        from .linking.link import link_crate_type

        return link_crate_type(request, self._toolchain, self._memory)
