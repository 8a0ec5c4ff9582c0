"""The backend: cratewright's contract, implemented with the modules of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from cratewright import (
    VARIANT,
    BackendCall,
    CanonicalForm,
    Capability,
    CodegenBackend,
    CompiledUnit,
    ConstructionVariable,
    Crate,
    CrateType,
    LinkPart,
    LinkRequest,
    LinkResult,
    LtoMode,
    ModuleCodegen,
    ModuleConfig,
    Options,
    Session,
    ThinModule,
    UnitStencil,
    options_among,
    programs_digest,
)

from .base.names import entries_of, image_path, output_names, splits
from .base.stages import SUFFIXES
from .base.stopwatch import STOPWATCH
from .crate.options import SPIRV_OPTIONS

if TYPE_CHECKING:
    from .compilers.glslang import Compiler
    from .spirv_tools.tools import Tools

_PORTABLE = frozenset({"compile_codegen_unit", "optimize_thin", "optimize_fat", "link"})


class SpirvBackend(CodegenBackend):
    """Vulkan SPIR-V, by glslang and SPIRV-Tools."""

    NAME = "spirv"
    FINGERPRINT_OF_FILES = True
    API_VERSION = 1
    TARGETS = ("vulkan1.3", "vulkan1.4", "vulkan1.2", "vulkan1.1", "vulkan1.0")
    SUFFIXES = SUFFIXES
    OPTIONS = SPIRV_OPTIONS
    VARIABLES: ClassVar[tuple[ConstructionVariable, ...]] = (
        ConstructionVariable(name="GLSLPATH", option="include_dirs"),
        ConstructionVariable(name="GLSLDEFINES", option="defines"),
    )
    SETTINGS = frozenset({"CRATE_SPIRV_SDK", "CRATE_GLSLANG"})
    UNIT_OPTIONS = frozenset({"include_dirs", "defines", "debuginfo", "entry_point", "dump_source", "strip"})
    LINK_OPTIONS = frozenset(
        {"opt_level", "debuginfo", "multimodule", *(spec.name for spec in SPIRV_OPTIONS)} - {"dump_source"}
    )
    SOURCE_OPTIONS = frozenset({"opt_level", "spirv_opt"})
    supported_crate_types = frozenset({CrateType.RLIB, CrateType.CDYLIB, CrateType.OBJECT})
    capabilities = frozenset({Capability.FAT_LTO, Capability.THIN_LTO, Capability.VARIANTS})

    def init(self, session: Session) -> None:
        """Keep the session, and time steps if it asks for that."""
        super().init(session)
        STOPWATCH.running = self.times_passes

    def warm(self, stencils: Sequence[UnitStencil]) -> None:
        """Load what workers need, and build the compiler's tables."""
        from .warm import warm_up

        warm_up(stencils, self.session.root, self._compiler, self.session.target)

    def runs_programs(self) -> bool:
        """Return whether compiler and tools are programs of an SDK; otherwise they are libraries in this process."""
        chosen = self.session.setting("CRATE_GLSLANG")
        return bool(self.session.setting("CRATE_SPIRV_SDK")) and chosen in ("", "auto", "sdk")

    def fingerprint(self) -> str:
        """Return the versions of compiler and tools, and the digest of their bytes."""
        from . import __version__

        compiler, tools = self._compiler(), self._tools()
        digest = programs_digest((*compiler.programs(), *tools.programs()))[:32]
        return f"cratewright-spirv {__version__}, {compiler.version()}, {tools.version()}, {digest}"

    def tools_fingerprint(self) -> str:
        """Return the versions of the tools, which do not depend on the compiler of a module."""
        tools = self._tools()
        return f"{tools.version()}, {programs_digest(tools.programs())[:32]}"

    def check_crate(self, crate: Crate) -> None:
        """Refuse options without effect."""
        from .crate.option_checks import check_options

        check_options(crate)
        if chosen := self.session.setting("CRATE_GLSLANG"):
            from .compilers.choice import check_languages

            check_languages(crate, chosen)

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile one source: a module for each entry point, or for each way a library differs by stage."""
        from .compile.canonical_form import compile_with_form

        return compile_with_form(stencil, self.session.root, self._compiler, self._tools)

    def canonical_form(self, stencil: UnitStencil) -> CanonicalForm | None:
        """Return the source in canonical form."""
        from .compile.canonical_form import canonical_unit

        return canonical_unit(stencil, self.session.root)

    def needs_optimizing(self, module: ModuleCodegen) -> bool:
        """Return whether something must be refused; everything else is left for the link."""
        return not module.entry_points and bool(options_among(module.attributes) or module.attribute(VARIANT))

    def optimize(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Leave a module for the link; refuse image options of a source that has no image."""
        from .crate.source_options import check_own_options

        check_own_options(module)
        return module

    def relative_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit | None:
        """Replace positions by ordinals of lines."""
        from .compile.positions import text_reader, with_ordinals

        return with_ordinals(unit, form.parameters, text_reader(self.session.root))

    def place_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit:
        """Restore the positions of a source."""
        from .compile.positions import text_reader, with_positions

        return with_positions(unit, form.parameters, text_reader(self.session.root))

    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Return the manifest and the image with its text, or the directory of images; or the object."""
        return output_names(crate, crate_type, options)

    def expected_images(self, crate: Crate) -> Mapping[str, str] | None:
        """Return the image of each entry point, by output name; none of variants, of which equal ones share one."""
        if any(source.variant for source in crate.sources):
            return None
        from .crate.expected_images import expected_outputs

        outputs = expected_outputs(crate.sources, self.session.root)
        return None if outputs is None else {output: image_path(crate.name, output) for output in outputs}

    def run_link(self, request: LinkRequest) -> ModuleCodegen:
        """Link modules to one that exports what is requested and imports nothing."""
        from .images.relocatable import merge_exports

        return merge_exports(request, self._tools())

    def run_fat_lto(self, request: LinkRequest) -> ModuleCodegen:
        """Link what all entry points reach."""
        from .crate.source_options import check_all_alike
        from .images.lto import link_entry_points
        from .link.dumps import leaving_inputs
        from .transforms.debug_split import made_twice

        check_all_alike(request)
        if request.crate_type is CrateType.OBJECT:
            return self.run_link(request)
        if splits(request.options):
            return made_twice(request, self.run_fat_lto)
        with leaving_inputs(request):
            return link_entry_points(request, self._tools())

    def optimize_fat(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Optimize what all entry points reach, together."""
        from .images.lto import optimize_entry_points
        from .transforms.debug_pair import is_pair
        from .transforms.debug_split import optimized_twice

        if is_pair(module):
            return optimized_twice(module, config, self.optimize_fat)
        if module.attribute("merged"):
            from .images.relocatable import optimized

            return optimized(module, config, self._tools())
        return optimize_entry_points(module, config, self._tools())

    def split_lto(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return a part for each entry point, with the modules that it reaches; an object is one part."""
        from .images.parts import lto_parts

        return super().split_lto(request) if request.crate_type is CrateType.OBJECT else lto_parts(request)

    def narrow_lto(self, request: LinkRequest) -> LinkRequest:
        """Return the request for an entry point with only the functions that it calls."""
        from .link.reduction import reduce_part

        if request.crate_type is CrateType.OBJECT or splits(request.options):
            return request
        return reduce_part(request)

    def is_portable(self, call: BackendCall[Any]) -> bool:
        """Return whether a call compiles or optimizes; gathering modules is cheaper than sending them."""
        return call.name in _PORTABLE

    def could_return(self, call: BackendCall[Any], value: object) -> bool:
        """Refuse values that no method here would have written."""
        from .crate.cached_results import is_readable

        return is_readable(value)

    def run_thin_lto(self, request: LinkRequest) -> tuple[ThinModule, ...]:
        """Return what the entry point of a part reaches, in canonical form."""
        from .images.lto import link_entry_point
        from .link.dumps import leaving_inputs
        from .transforms.debug_split import made_twice

        if splits(request.options):
            return (made_twice(request, lambda half: self.run_thin_lto(self.narrow_lto(half))[0]),)
        if request.crate_type is CrateType.OBJECT:
            merged = self.run_link(request)
            return (ThinModule(name=merged.name, crate=request.crate, data=merged.data, index=b"object"),)
        with leaving_inputs(request):
            return link_entry_point(request, self._tools())

    def optimize_thin(self, module: ThinModule, config: ModuleConfig) -> ModuleCodegen:
        """Optimize one entry point with all that it reaches."""
        from .images.lto import optimize_entry_point
        from .transforms.debug_pair import is_pair
        from .transforms.debug_split import optimized_twice

        if is_pair(module):
            return optimized_twice(module, config, self.optimize_thin)
        if module.index:
            from .images.relocatable import optimized

            return optimized(ModuleCodegen(name="", data=module.data), config, self._tools())
        return optimize_entry_point(module.data, config, self._tools())

    def lto_memory(self, request: LinkRequest) -> int:
        """Return the memory for optimizing the modules together, or those of the largest part."""
        from .images.parts import lto_memory

        return lto_memory(request, () if request.lto is LtoMode.FAT else self.split_lto(request))

    def split_link(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return a part for each image, with the modules its entry points reach; an object is one."""
        from .images.parts import link_parts

        return super().split_link(request) if request.crate_type is CrateType.OBJECT else link_parts(request)

    def link(self, request: LinkRequest) -> LinkResult:
        """Link one image; after fat LTO, all of them."""
        from .crate.source_options import with_own_options
        from .transforms.debug_split import linked_twice

        if splits(request.options):
            return linked_twice(request, self.link)
        if request.crate_type is CrateType.OBJECT:
            from .images.relocatable import link_object

            return link_object(request, self._tools())
        entries = [entry for entry in entries_of(request) if request.part in ("", entry.output)]
        request = with_own_options(request, entries)
        if request.lto is not LtoMode.OFF:
            from .images.lto import link_optimized

            return link_optimized(request, entries, self._tools())
        from .images.image import link_image

        return link_image(request, image_path(request.crate, request.part), entries, self._tools())

    def _compiler(self) -> Compiler:
        from .compilers.choice import find_compiler

        return find_compiler(self.session.setting("CRATE_GLSLANG"), self.session.setting("CRATE_SPIRV_SDK"))

    def _tools(self) -> Tools:
        from .spirv_tools.tools import find_tools

        return find_tools(self.session.setting("CRATE_SPIRV_SDK") or None)

    def print_pass_timings(self) -> Mapping[str, float]:
        """Return the times of this package's steps; the tools do not report their passes."""
        return STOPWATCH.take()

    def finish_link(self, request: LinkRequest, results: Sequence[LinkResult]) -> LinkResult:
        """Put the manifest in front of the images; an object has none."""
        if request.crate_type is CrateType.OBJECT:
            return super().finish_link(request, results)
        from .crate.manifest import shared_images, write_manifest, written

        shared = shared_images(request, results)
        return LinkResult(
            artifacts=(write_manifest(request, results, shared), *written(results, shared)),
            diagnostics=tuple(line for result in results for line in result.diagnostics),
        )
