"""The backend: cratewright's contract, implemented with Slang. Linked entry points are processed by `spirv`.

It does not depend on the order of work, on caches or on SCons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from cratewright import (
    VARIANT,
    CanonicalForm,
    Capability,
    CompiledUnit,
    ConstructionVariable,
    Crate,
    CrateType,
    LinkError,
    LinkPart,
    LinkRequest,
    LinkResult,
    LtoMode,
    ModuleCodegen,
    ModuleConfig,
    ThinModule,
    UnitStencil,
    compute_cache_key,
)
from cratewright_spirv.sharing import SpirvBackend

from .options import SHARED, SLANG_OPTIONS

_UNIT = frozenset({"include_dirs", "defines", "debuginfo"}) | SHARED
_MISSING = (
    "a module that is imported is linked from the crate that has it: list its source in this crate, or add its crate "
    "to deps"
)
_SEVERAL = "list its source in one crate, and add that crate to the deps of the others"
_NOT_HERE = frozenset({"dump_source", "strip"})


class SlangBackend(SpirvBackend):
    """Vulkan SPIR-V, by Slang and SPIRV-Tools."""

    NAME = "slang"
    FINGERPRINT_OF_FILES = True
    SUFFIXES = (".slang", ".hlsl")
    OPTIONS = (*(spec for spec in SpirvBackend.OPTIONS if spec.name not in _NOT_HERE), *SLANG_OPTIONS)
    VARIABLES = (
        ConstructionVariable(name="SLANGPATH", option="include_dirs"),
        ConstructionVariable(name="SLANGDEFINES", option="defines"),
    )
    SETTINGS = frozenset({"CRATE_SPIRV_SDK"})
    UNIT_OPTIONS = _UNIT
    LINK_OPTIONS = (SpirvBackend.LINK_OPTIONS | SHARED) - _NOT_HERE
    # Modules of Slang are linked for an entry point, never into one module.
    supported_crate_types = SpirvBackend.supported_crate_types - {CrateType.OBJECT}
    capabilities = SpirvBackend.capabilities | {Capability.LIBRARY_VARIANTS}

    def needs_optimizing(self, module: ModuleCodegen) -> bool:
        """Return whether something must be refused. Variants are not: importers choose among them."""
        return super().needs_optimizing(_without_variant(module))

    def optimize(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Leave a module for the link; refuse image options of a source that has no image."""
        super().optimize(_without_variant(module), config)
        return module

    def warm(self, stencils: Sequence[UnitStencil]) -> None:
        """Start Slang, which takes as long as compiling twenty shaders."""
        # Loaded here they are loaded once, not by each worker.
        from . import link, unit, wheel  # noqa: F401

        wheel.library()
        if stencils and self.session.cache:
            compute_cache_key(self, stencils[0])  # reads all code, so that workers have its digest

    def fingerprint(self) -> str:
        """Return the versions of Slang and of the tools."""
        from . import __version__
        from .wheel import build_tag, installed_version

        tools = self.tools_fingerprint()
        return f"cratewright-slang {__version__}, slangpy {installed_version()} (slang {build_tag()}), {tools}"

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile one source to a module in Slang's IR."""
        from .unit import compile_slang_source

        return compile_slang_source(stencil, self)

    def included_names(self, text: bytes) -> tuple[str, ...]:
        """Return the files that a text imports or includes."""
        from .files import imported_names

        return imported_names(text)

    def canonical_form(self, stencil: UnitStencil) -> CanonicalForm | None:
        """Return None: Slang reads a source in a few milliseconds."""
        return None

    def expected_images(self, crate: Crate) -> Mapping[str, str] | None:
        """Return None: entry points are known when a source is compiled."""
        return None

    def split_lto(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return a part for each group of entry points, with the modules that they import."""
        from .grouping import parts_of_groups

        with _in_words_of_modules(request):
            return parts_of_groups(request, super().split_lto(request), across=True)

    def split_link(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return a part for the images of each source, with the modules that it imports; after LTO, for each image."""
        from .grouping import parts_of_groups

        with _in_words_of_modules(request):
            parts = super().split_link(request)
        if request.lto is not LtoMode.OFF or not request.options.flag("multimodule"):
            return parts
        return parts_of_groups(request, parts, across=False)

    def split_crashed(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return a part for each entry point of a part on which Slang crashed."""
        from .grouping import entries_of_part

        names = [entry.output for entry in entries_of_part(request)]
        alone = super().split_lto(replace(request, part="")) if request.part and len(names) > 1 else ()
        return tuple(part for part in alone if part.name in names)

    def narrow_lto(self, request: LinkRequest) -> LinkRequest:
        """Return the request unchanged: modules are linked whole."""
        return request

    def run_thin_lto(self, request: LinkRequest) -> tuple[ThinModule, ...]:
        """Return the entry points of a part, linked and in canonical form."""
        from cratewright_spirv.sharing.linking import one_by_one

        parts = one_by_one(self._linked(request))
        return tuple(module for part in parts for module in super(SlangBackend, self).run_thin_lto(part))

    def run_fat_lto(self, request: LinkRequest) -> ModuleCodegen:
        """Return all entry points, each linked, in one module."""
        return super().run_fat_lto(self._linked(request))

    def link(self, request: LinkRequest) -> LinkResult:
        """Link the images of a source; after LTO, one of its results."""
        if request.lto is not LtoMode.OFF:
            return super().link(request)
        linked = self._linked(request)
        if not request.part:
            return super().link(linked)
        from cratewright_spirv.sharing.linking import joined, one_by_one

        return joined([super(SlangBackend, self).link(part) for part in one_by_one(linked)])

    def _linked(self, request: LinkRequest) -> LinkRequest:
        from cratewright_spirv.sharing.linking import independent_form, with_whole_entries

        from .grouping import entries_of_part
        from .link import code_of_entries

        with _in_words_of_modules(request):
            return with_whole_entries(
                request,
                entries_of_part(request),
                lambda asked: [
                    independent_form(request, code, self._tools()) for code in code_of_entries(request, asked)
                ],
            )


@contextmanager
def _in_words_of_modules(request: LinkRequest) -> Iterator[None]:
    """Report modules that nothing defines, or several, as modules."""
    try:
        yield
    except LinkError as error:
        if "`module " not in error.message:
            raise
        from .macros import refuse_other_macros

        refuse_other_macros(request, error.message)
        raise LinkError(
            "" if error.diagnostics else _of_modules(error.message),
            diagnostics=[replace(item, text=_of_modules(item.text)) for item in error.diagnostics],
            context=(("crate", request.crate), *error.context),
            hint=_SEVERAL if " is defined " in error.message else _MISSING,
        ) from error


def _without_variant(module: ModuleCodegen) -> ModuleCodegen:
    return replace(module, attributes=tuple(each for each in module.attributes if each[0] != VARIANT))


def _of_modules(text: str) -> str:
    return text.replace("unresolved symbols", "no crate has").replace("unresolved symbol", "no crate has")
