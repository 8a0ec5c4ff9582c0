"""The contract between cratewright and a backend, and all values that cross it.

Knows nothing of any backend, nor of when, how often or in which process its methods are called.

A complete plugin is a class and a hook, in a module that an entry point or `cratewright.register` names:

    import cratewright

    class Upper(cratewright.CodegenBackend):
        NAME = "upper"
        API_VERSION = 1
        TARGETS = ("text",)
        SUFFIXES = (".txt",)
        supported_crate_types = frozenset({cratewright.CrateType.RLIB, cratewright.CrateType.BIN})

        def fingerprint(self):
            return "upper 1"

        def compile_codegen_unit(self, stencil):
            module = cratewright.ModuleCodegen(name=".up", data=stencil.source.upper())
            return cratewright.CompiledUnit(modules=(module,))

        def output_names(self, crate, crate_type, options):
            return (crate + ".out",)

        def link(self, request):
            data = b"".join(entry.module.data for entry in request.modules)
            return cratewright.LinkResult(artifacts=(cratewright.Artifact(request.crate + ".out", data),))

    @cratewright.hookimpl
    def cratewright_register_backend():
        return Upper
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from ..base.errors import UnsupportedError
from ..formats.included import included_names
from ..values.call import BackendCall
from ..values.capability import Capability
from ..values.construction import ConstructionVariable
from ..values.crate import Crate, CrateType
from ..values.module import CanonicalForm, CompiledUnit, ModuleCodegen
from ..values.native_library import NativeLibrary
from ..values.option_spec import OptionSpec
from ..values.options import Options
from ..values.request import LinkPart, LinkRequest, LinkResult, ModuleConfig, ThinModule
from ..values.stencil import UnitStencil
from .session import Session

__all__ = ["API_VERSION", "OLDEST_API_VERSION", "Capability", "CodegenBackend", "Session"]

API_VERSION = 1
"""The version of this contract; docs/contract-versions.md says what each changed, and how long it is served."""
OLDEST_API_VERSION = 1
"""The oldest version that is still served."""


class CodegenBackend(ABC):
    """Compiles sources to modules and links modules; everything else is the pipeline's.

    Called: one object a process, after `init`. Methods that take a stencil, a module or a request may run in
    a worker process, several side by side, in any order; nothing they keep on `self` is seen elsewhere.
    Guarantees: nothing that is not in its arguments alters a result, apart from files it reports as observed.
    Source: rustc's `CodegenBackend` and `WriteBackendMethods`.
    """

    NAME: ClassVar[str]
    API_VERSION: ClassVar[int]
    """The version of this contract that the class was written for: a number of its own, not what is installed."""
    TARGETS: ClassVar[tuple[str, ...]]
    """Targets it can serve; the first is the default."""
    SUFFIXES: ClassVar[tuple[str, ...]]
    """Suffixes of sources it compiles."""
    OPTIONS: ClassVar[tuple[OptionSpec, ...]] = ()
    """Options of its own, beside the common ones."""
    UNIT_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Names of the options that `compile_codegen_unit` may see; changing another only links again."""
    LINK_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Names of the options that `link` may see."""
    SOURCE_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Those of `LINK_OPTIONS` that a source may have of its own beside `UNIT_OPTIONS`; see `ModuleConfig.of`."""
    MODULE_OPTIONS: ClassVar[frozenset[str] | None] = None
    """Those of `LINK_OPTIONS` that LTO and `codegen` may see, or None for all; changing another only links again."""
    LTO_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Those of `LINK_OPTIONS` beside `MODULE_OPTIONS` that the global analysis of LTO may see."""
    PATH_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Options, lists of words, in which a word may name a file: those that `locate_words` is asked about."""
    VARIABLES: ClassVar[tuple[ConstructionVariable, ...]] = ()
    """Construction variables of SCons that count for its crates, below the options of the crate."""
    EMITTED: ClassVar[Mapping[str, str]] = {}
    """The files that its option `emit` may ask a unit for, each with its suffix: `.s` is `CRATE.emit/src/f.c.s`."""
    SETTINGS: ClassVar[frozenset[str]] = frozenset()
    """Names of the `CRATE_*` settings that it reads through the session, beside those that all know."""
    LTO_DECIDES_UNITS: ClassVar[bool] = False
    """Whether what a unit is compiled to depends on its links, as `for_lto` and `for_code` of `UnitStencil` say."""
    RUNS_PROGRAMS: ClassVar[bool] = False
    """Whether all work is left to programs, which `child.run_program` ends after `Session.timeout` and with the build.

    Then several threads may call one object, and a call that is alone is made where it is asked for.
    """

    FINGERPRINT_OF_FILES: ClassVar[bool] = False
    """Whether `fingerprint` depends on files given to `programs_digest`, what is installed and variables alone."""
    supported_crate_types: ClassVar[frozenset[CrateType]]
    capabilities: ClassVar[frozenset[Capability]] = frozenset()

    session: Session

    def init(self, session: Session) -> None:
        """Take the session.

        Called: once in each process, before anything else.
        Guarantees: cheap; tools are loaded when first used.
        """
        self.session = session

    def warm(self, stencils: Sequence[UnitStencil]) -> None:  # noqa: B027 - optional
        """Load and warm up what compiling some units needs.

        Called: once, in the process that workers are forked from, with the first units; none if a link comes first.
        """

    def runs_programs(self) -> bool:
        """Say whether it does as `RUNS_PROGRAMS` says with the settings of its session: threads call no other."""
        return self.RUNS_PROGRAMS

    @abstractmethod
    def fingerprint(self) -> str:
        """Return the versions of the backend and every tool that can alter a result, as one line of text.

        Called: once while planning, in the build's own process; the session's root may not be there yet.
        Guarantees: the same text on every machine with the same versions: no path, no time.
        Raises: ToolError if a tool it cannot do without is missing.
        """

    def check_crate(self, crate: Crate) -> None:  # noqa: B027 - optional
        """Refuse what cannot be done honestly.

        Called: once a crate while planning, before any work. Of the common options, `multimodule` and `entry_point`
        are for the backend alone: one that knows neither refuses them.
        Raises: ConfigurationError naming the crate, the option and the way out.
        """

    @abstractmethod
    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile one source to one or more modules.

        Guarantees: every file read and every missing path is in the result's `observed`; `form` is what
        `canonical_form` returns, if the backend has such forms.
        Raises: SourceError whose diagnostics say where, or ToolError.
        """

    def locate_words(self, option: str, words: Sequence[str], place: Callable[[str, bool], str]) -> tuple[str, ...]:
        """Return the words of an option with the paths in them as `place` gives each, told whether the link makes it.

        Called: once a declaration, for options in `PATH_OPTIONS`.
        Guarantees: words that were placed are recognised again, and are what `Options` holds from then on.
        """
        return tuple(words)

    def compile_command(self, path: str, options: Options) -> tuple[str, ...]:
        """Return the command that compiles a source in the project root, for editors; empty if there is none.

        Shape: `options` are those that `compile_codegen_unit` would see; outputs may be left out.
        """
        return ()

    def read_variables(self, values: Mapping[str, tuple[str, ...]]) -> Mapping[str, bool | str | tuple[str, ...]]:
        """Return the options that construction variables stand for.

        Called: in the build's own process, for a crate whose Environment holds some of `VARIABLES`.
        Shape: `values` are the words of each option, as a program would be given them; so are the options returned,
        which go below what an SConstruct says with `CRATE_*` and in its call, and are put together with lists of those.
        """
        return dict(values)

    def included_names(self, text: bytes) -> tuple[str, ...]:
        """Return the names of the files that a text includes, as it spells them.

        Called: in the build's own process, for sources and for what they include, if there are files that the build
        makes: those among them must be made first. A name too many costs nothing but its order, so conditions need not
        be heeded. What a unit read last time is known; this is for what is new or has changed.
        """
        return included_names(text)

    def canonical_form(self, stencil: UnitStencil) -> CanonicalForm | None:
        """Return what is left of a unit when all that cannot alter its result is taken away, None if nothing can be.

        Called: for a unit that was compiled before and has changed; must cost far less than compiling.
        Guarantees: units of one form have one result, apart from what `place_unit` restores.
        """
        return None

    def relative_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit | None:
        """Return a fresh result without what is the form's `parameters`; None if it must not serve others.

        Called: in the build's own process, with the form that `compile_codegen_unit` put into its result.
        """
        return unit

    def place_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit:
        """Return what `relative_unit` returned with a form's parameters put in. Called: in the build's own process."""
        return unit

    def codegen_allocator(self, config: ModuleConfig, provided: bool) -> ModuleCodegen:
        """Return the allocator shim: what crates that need an allocator call, and what it forwards to.

        Shape: a module of kind ALLOCATOR; `provided` if a crate of the link provides the implementation, else the
        platform's own is used.
        Raises: UnsupportedError unless ALLOCATOR is declared.
        """
        raise self._undeclared(Capability.ALLOCATOR)

    def optimize(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Optimize one module by itself, before it is archived; kept in the cache as any other.

        Called: for the modules of a crate's units that `needs_optimizing`, with the crate's link options.
        """
        return module

    def needs_optimizing(self, module: ModuleCodegen) -> bool:
        """Say whether `optimize` has anything to do for a module: each call takes a worker and a place in the cache.

        Called: in the build's own process, for every module of a crate's units.
        """
        return True

    def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Lower a module to what is linked.

        Called: for every module that comes to a link without LTO, and for what `optimize_fat` returned. The
        module has no name: nothing may depend on it.
        """
        return module

    def is_lowered(self, module: ModuleCodegen) -> bool:
        """Return whether `codegen` would return a module as it is; then it is not called. Cheap."""
        return False

    def bundle_library(self, library: NativeLibrary, directories: Sequence[str]) -> CompiledUnit | None:
        """Return a static library's members as modules of the crate that asks for it; None leaves it to the link.

        Called: in the build's own process, after the crate's units are compiled, for libraries with `bundle`.
        Shape: `directories` are the crate's `lib_dirs`. Modules offer no symbols: a library's interface is its own.
        Guarantees: `observed` has the library and every missing path before it.
        Raises: LinkError for a library that is not found or cannot be taken apart.
        """
        return None

    def supports_lto(self, module: ModuleCodegen) -> bool:
        """Return whether a module can be optimized with others; one that cannot (an object) is linked as it is."""
        return True

    def kept_symbols(self, request: LinkRequest) -> tuple[str, ...]:
        """Return symbols beside the exported that LTO must leave under their names, for the sake of the link's options.

        Called: in the build's own process, once a link with LTO; may read files that `link` reports as observed.
        Raises: LinkError.
        """
        return ()

    def run_link(self, request: LinkRequest) -> ModuleCodegen:
        """Merge the modules of an object into one that can be linked again, as `ld -r` does.

        Called: once a crate of type OBJECT, with what LTO has left; `link` is then given the one module.
        Guarantees: `exported` keep their names and stay visible; what else is defined clashes with nothing.
        Raises: UnsupportedError unless OBJECT is among the crate types.
        """
        raise UnsupportedError(f"backend '{self.NAME}' makes no objects")

    def run_fat_lto(self, request: LinkRequest) -> ModuleCodegen:
        """Merge all modules of a link that support LTO into one, and internalise what is not exported.

        Raises: UnsupportedError unless FAT_LTO is declared.
        """
        raise self._undeclared(Capability.FAT_LTO)

    def optimize_fat(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Optimize a whole program.

        Raises: UnsupportedError unless FAT_LTO is declared.
        """
        raise self._undeclared(Capability.FAT_LTO)

    def split_lto(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return the independent parts of the global analysis of thin LTO.

        Called: in the build's own process, once a link.
        """
        return (LinkPart("", tuple(range(len(request.modules)))),)

    def split_crashed(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return what a part of `split_lto` or `split_link` holds, each to be tried alone after a crash or a hang."""
        return ()

    def narrow_lto(self, request: LinkRequest) -> LinkRequest:
        """Return the request for a part of thin LTO with only what its analysis can depend on.

        Called: in the build's own process, once a part, before the cache is asked; cheap. What is left out can
        change without the part being analysed again. If the analysis fails, it is done again with all of it, for
        the sake of the message.
        """
        return request

    def run_thin_lto(self, request: LinkRequest) -> tuple[ThinModule, ...]:
        """Analyse the modules of a part together; return what is left to do, in an order that is always the same.

        Shape: a module that nothing reaches is left out. The pipeline tells those that the cache already has from
        those to optimize: reuse is never a backend's business.
        Raises: UnsupportedError unless THIN_LTO is declared.
        """
        raise self._undeclared(Capability.THIN_LTO)

    def optimize_thin(self, module: ThinModule, config: ModuleConfig) -> ModuleCodegen:
        """Optimize and lower one module with what it imports; its name and crate are blank.

        Raises: UnsupportedError unless THIN_LTO is declared.
        """
        raise self._undeclared(Capability.THIN_LTO)

    def is_portable(self, call: BackendCall[Any]) -> bool:
        """Say whether a call may go to other machines: by `run_elsewhere` if it `RUNS_PROGRAMS`, else whole; cheap."""
        return False

    def could_return(self, call: BackendCall[Any], value: object) -> bool:
        """Say whether a call, as of `CodegenBackend.link`, could have returned a value, as a cache says that it did.

        Called: in the build's own process, once a hit; cheap. An exception counts as no, and no as a miss.
        Guarantees: no word of the backend's own (`attributes`, `index`, `report`) becomes a path, an argument or an
        exception unchecked; all else the pipeline has checked. Others may have written what a shared cache holds.
        """
        return True

    def lto_memory(self, request: LinkRequest) -> int:
        """Return how much memory, in bytes, one job of LTO may need; 0 if it is not worth a thought."""
        return 0

    @abstractmethod
    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Return the files of a link that are known before it, relative to the output directory.

        Shape: at least one; the first stands for the link and is written last.
        """

    def output_links(self, crate: str, crate_type: CrateType, options: Options) -> Mapping[str, str]:
        """Return links beside the files of a link: names as in `output_names`, and the file or link each leads to.

        Shape: the first stands for the link, before any file. The pipeline makes them; `link` does not see them.
        """
        return {}

    def expected_images(self, crate: Crate) -> Mapping[str, str] | None:
        """Return the files that a link puts into the directory that `output_names` tells of, by entry point.

        Called: once a crate while planning, in the build's own process; must be cheap. Sources may be yet to be made.
        Shape: files relative to the output directory, in the order of the sources; None if they are not all known.
        """
        return None

    def split_link(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return the independent parts of a link.

        Called: in the build's own process, once a link, before any part is linked.
        Raises: LinkError for what is wrong with the link as a whole.
        """
        return (LinkPart("", tuple(range(len(request.modules)))),)

    @abstractmethod
    def link(self, request: LinkRequest) -> LinkResult:
        """Link one part.

        Guarantees: every file read that the request does not hold, and every missing path, is in the
        result's `observed`.
        Raises: LinkError, ValidationError or ToolError; nothing of a failed link is written.
        """

    def finish_link(self, request: LinkRequest, results: Sequence[LinkResult]) -> LinkResult:
        """Put the parts of a link together, in the order of `split_link`.

        Called: in the build's own process, for every link; what the parts observed is kept by the pipeline.
        """
        if len(results) == 1:
            return results[0]
        return LinkResult(
            artifacts=tuple(artifact for result in results for artifact in result.artifacts),
            diagnostics=tuple(line for result in results for line in result.diagnostics),
        )

    @property
    def times_passes(self) -> bool:
        """Whether the user wants to know where time goes; what that costs is to be spent only then."""
        return self.session.setting("CRATE_TIME_PASSES") == "1"

    def print_pass_timings(self) -> Mapping[str, float]:
        """Return the passes that ran in this process since this was last asked, and how long each took.

        Called: in a worker, before and after each call of another method, only if `times_passes`; the pipeline
        sums the answers and prints the sums.
        Guarantees: what is timed has the same results as what is not.
        Units: seconds of wall time; a pass within a pass counts once.
        """
        return {}

    def _undeclared(self, capability: Capability) -> UnsupportedError:
        return UnsupportedError(f"backend '{self.NAME}' does not declare {capability.value}")
