"""The contract: what the backend declares, and which module implements each method."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

from cratewright import (
    BackendCall,
    Capability,
    CodegenBackend,
    CompiledUnit,
    ConfigurationError,
    Crate,
    CrateType,
    LinkRequest,
    LinkResult,
    LtoMode,
    ModuleCodegen,
    ModuleConfig,
    OptionKind,
    Options,
    OptionSpec,
    ThinModule,
    UnitStencil,
    UnsupportedError,
    output_file_name,
    programs_digest,
)

from .flags import SOURCE_LANGUAGES, check_flags, standard_for
from .memory import MAX_MEMORY, PAGE, check_sizes
from .targets import CLibrary, find_library, include_words
from .toolchain import TARGETS, WasmToolchain, find_toolchain

VERSION = "0.1.0"


def _size(name: str, step: int, text: str) -> OptionSpec:
    return OptionSpec(name=name, kind=OptionKind.SIZE, default=None, least=step, most=MAX_MEMORY, step=step, help=text)


class WasmBackend(CodegenBackend):
    """C, C++, LLVM IR and WAT to WebAssembly modules."""

    NAME = "wasm"
    FINGERPRINT_OF_FILES = True
    API_VERSION = 1
    TARGETS = TARGETS
    SUFFIXES = tuple(SOURCE_LANGUAGES)
    OPTIONS: ClassVar[tuple[OptionSpec, ...]] = (
        OptionSpec.texts("std", "language standards, each for sources in its language: c17, c++20"),
        OptionSpec.texts("flags", "compiler flags"),
        _size("stack_size", 16, "stack size; by default the linker's"),
        _size("initial_memory", PAGE, "initial size of memory"),
        _size("max_memory", PAGE, "maximum size of memory"),
        OptionSpec.flag("import_memory", "import memory from the host, as env.memory"),
        OptionSpec.flag("export_table", "export the function table"),
        OptionSpec.texts("imports", "symbols that the host provides in module env"),
        OptionSpec.choice("strip", ("none", "debug", "all"), "remove debug information, or names as well (all)"),
    )
    UNIT_OPTIONS = frozenset({"include_dirs", "defines", "opt_level", "debuginfo", "std", "flags"})
    MODULE_OPTIONS = frozenset({"opt_level"})
    LTO_OPTIONS = frozenset(
        {"exports", "export_table", "imports", "import_memory", "initial_memory", "max_memory", "stack_size", "strip"}
    )
    LINK_OPTIONS = MODULE_OPTIONS | LTO_OPTIONS
    SETTINGS = frozenset({"CRATE_WASM_CLANG", "CRATE_WASI_SYSROOT"})
    supported_crate_types = frozenset({CrateType.RLIB, CrateType.CDYLIB, CrateType.BIN})
    capabilities = frozenset({Capability.FAT_LTO, Capability.THIN_LTO, Capability.WHOLE_CRATES})

    @cached_property
    def toolchain(self) -> WasmToolchain:
        return find_toolchain(self.session)

    def warm(self, stencils: Sequence[UnitStencil]) -> None:
        """Find the toolchain once, and load the WAT reader if it is installed."""
        # Workers are forked from this process and inherit them.
        from . import lto, unit  # noqa: F401
        from .wat import wat_library

        _ = self.toolchain
        if any(stencil.path.endswith(".wat") for stencil in stencils) and wat_library():
            import wasmtime  # noqa: F401

    def runs_programs(self) -> bool:
        """Return True: WAT, which is read in process, is refused with threads by `check_crate`."""
        return True

    def fingerprint(self) -> str:
        """Return the version of the backend, and the digests of the tools."""
        from .wat import wat_library

        library = wat_library()
        reader = f", wat {programs_digest((library,))[:16]}" if library else ""
        return f"cratewright-wasm {VERSION}, {self.toolchain.text}{reader}"

    def check_crate(self, crate: Crate) -> None:
        where = f"crate '{crate.name}'"
        check_sizes(crate.options, where=where)
        _check_names(crate)
        for source in crate.sources:
            language = SOURCE_LANGUAGES[posixpath.splitext(source.path)[1]]
            check_flags(source.options.texts("flags"), where=source.path)
            standard_for(language, source.options.texts("std"), where=source.path)
            if source.path.endswith(".wat") and self.session.setting("CRATE_WORKERS") == "threads":
                raise ConfigurationError(
                    f"crate '{crate.name}': CRATE_WORKERS is 'threads', and WAT is read in the process that calls it",
                    context=(("source", source.path),),
                    hint="leave it out, or set it to fork or spawn",
                )
        with_lto = any(crate.options.lto_for(kind) is not LtoMode.OFF for kind in crate.crate_types)
        if with_lto and not self.toolchain.plans_lto:
            raise UnsupportedError(
                f"wasm-ld {self.toolchain.version} cannot write an index for ThinLTO",
                context=(("crate", crate.name),),
                hint="use LLVM 20 or newer, pip install 'cratewright-wasm[zig]', or lto='off'",
            )
        include_words(self.toolchain, crate.target)

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        from .unit import compile_clang
        from .wat import compile_wat

        if stencil.path.endswith(".wat"):
            return compile_wat(stencil)
        return compile_clang(self.toolchain, stencil, self.included_names)

    def compile_command(self, path: str, options: Options) -> tuple[str, ...]:
        """Return the command that compiles a source, for editors."""
        if path.endswith(".wat"):
            return ()
        from .unit import clang_words

        return (*clang_words(self.toolchain, self.session.target, path, options), "-c", path)

    def supports_lto(self, module: ModuleCodegen) -> bool:
        """Return whether a module is bitcode; a WAT source becomes an object."""
        from .bitcode import is_raw_bitcode

        return is_raw_bitcode(module.data)

    def kept_symbols(self, request: LinkRequest) -> tuple[str, ...]:
        """Return the function that the start of a program calls."""
        if request.crate_type is not CrateType.BIN:
            return ()
        from .linker import ENTRIES

        defined = {symbol.name for item in request.modules for symbol in item.module.exports}
        return tuple(name for name in ENTRIES if name in defined)

    def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        from . import lto

        return lto.lower_alone(self.toolchain, module, config)

    def run_fat_lto(self, request: LinkRequest) -> ModuleCodegen:
        """Merge the linked modules, and plan what becomes internal."""
        from . import lto

        return lto.merge_linked(self.toolchain, request, self._library(request))

    def optimize_fat(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        from . import lto

        return lto.optimize_merged(self.toolchain, module, config)

    def run_thin_lto(self, request: LinkRequest) -> tuple[ThinModule, ...]:
        """Return the linked modules, each with what it needs to know of the others."""
        from . import lto

        return lto.analyse(self.toolchain, request, self._library(request))

    def optimize_thin(self, module: ThinModule, config: ModuleConfig) -> ModuleCodegen:
        from . import lto

        return lto.optimize_planned(self.toolchain, module, config)

    def could_return(self, call: BackendCall[Any], value: object) -> bool:
        """Return whether a cached result could be ours, since others write to a shared cache."""
        from . import lto
        from .unit import HIDDEN, are_hidden_names

        found = value.modules if isinstance(value, CompiledUnit) else value if isinstance(value, tuple) else (value,)
        modules = [item for item in found if isinstance(item, ModuleCodegen | ThinModule)]
        if call.name in ("run_thin_lto", "run_fat_lto") and not all(map(lto.has_own_file_names, found)):
            return False
        return all(are_hidden_names(word) for item in modules for name, word in item.attributes if name == HIDDEN)

    def lto_memory(self, request: LinkRequest) -> int:
        """Return some fifty times the bitcode, on top of what a compiler needs to start."""
        return (100 << 20) + 50 * sum(len(item.module.data) for item in request.modules)

    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        return (output_file_name(crate, crate_type, self.session.target),)

    def link(self, request: LinkRequest) -> LinkResult:
        from .linker import link_objects

        return link_objects(self.toolchain, request, self._library(request))

    def _library(self, request: LinkRequest) -> CLibrary:
        return find_library(self.toolchain, request.target, request.crate_type)


def _check_names(crate: Crate) -> None:
    """Refuse options without effect, and impossible symbol names."""
    for name, instead in (("multimodule", "a crate is one module"), ("entry_point", "a program starts at `_start`")):
        if crate.options[name]:
            raise UnsupportedError(
                f"backend 'wasm' has no '{name}'",
                context=(("crate", crate.name), ("reason", instead)),
                hint="leave it out",
            )
    for name in crate.options.texts("imports"):
        if not name or not name.isprintable() or " " in name:
            raise ConfigurationError(
                f"imports: {name!r} is not the name of a symbol",
                context=(("crate", crate.name),),
                hint="one name for each symbol that the host provides",
            )
