"""The contract between cratewright and a backend, and all values that cross it.

It does not know any backend, nor when, how often or in which process methods are called.

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
from ..values.crate import Crate
from ..values.crate_type import CrateType
from ..values.module import CanonicalForm, CompiledUnit, ModuleCodegen, Observed
from ..values.native_library import NativeLibrary
from ..values.option_spec import OptionSpec
from ..values.options import Options
from ..values.request import LinkPart, LinkRequest, LinkResult, ModuleConfig, ThinModule
from ..values.stencil import UnitStencil
from .session import Session

API_VERSION = 1
"""The version of this contract; docs/contract-versions.md says what changed in each, and how long it is supported."""
OLDEST_API_VERSION = 1
"""The oldest version that is still supported."""


class CodegenBackend(ABC):
    """Compiles sources to modules and links modules; the pipeline does everything else.

    Called: one object per process, after `init`. Methods that take a stencil, a module or a request may run in
    a worker process, concurrently and in any order; what they keep on `self` is not seen by other processes.
    Guarantees: only its arguments, and files it reports as observed, affect a result.
    Source: rustc's `CodegenBackend` and `WriteBackendMethods`.
    """

    NAME: ClassVar[str]
    API_VERSION: ClassVar[int]
    """The version of this contract that the class was written for: write the number, do not import it."""
    TARGETS: ClassVar[tuple[str, ...]]
    """Supported targets; the first is the default."""
    SUFFIXES: ClassVar[tuple[str, ...]]
    """Suffixes of the sources that it compiles."""
    OPTIONS: ClassVar[tuple[OptionSpec, ...]] = ()
    """Its own options, beside the common ones."""
    UNIT_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Names of the options that `compile_codegen_unit` may see; changing any other only repeats the link."""
    LINK_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Names of the options that `link` may see."""
    SOURCE_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Those of `LINK_OPTIONS` that may be set for one source, beside `UNIT_OPTIONS`; see `ModuleConfig.of`."""
    MODULE_OPTIONS: ClassVar[frozenset[str] | None] = None
    """Those of `LINK_OPTIONS` that LTO and `codegen` may see, None for all; any other only affects the link."""
    LTO_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Those of `LINK_OPTIONS`, beside `MODULE_OPTIONS`, that the global analysis of LTO may see."""
    PATH_OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Options of kind TEXTS whose words may name files: `locate_words` is called for them."""
    VARIABLES: ClassVar[tuple[ConstructionVariable, ...]] = ()
    """SCons construction variables that apply to its crates; a crate's options override them."""
    EMITTED: ClassVar[Mapping[str, str]] = {}
    """Kinds of file that its option `emit` offers, each with its suffix: `.s` is `CRATE.emit/src/f.c.s`."""
    SETTINGS: ClassVar[frozenset[str]] = frozenset()
    """Names of the `CRATE_*` settings that it reads through the session, beside the common ones."""
    LTO_DECIDES_UNITS: ClassVar[bool] = False
    """Whether compiling a unit depends on its links, through `for_lto` and `for_code` of `UnitStencil`."""
    RUNS_PROGRAMS: ClassVar[bool] = False
    """Whether programs do all work; `child.run_program` kills them after `Session.timeout` and when the build ends.

    Then threads may share one object, and a single call is made in the calling process.
    """

    FINGERPRINT_OF_FILES: ClassVar[bool] = False
    """Whether `fingerprint` depends only on files given to `programs_digest`, installed packages and variables."""
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
        """Load and warm up what compiling these units needs.

        Called: once, in the process that workers are forked from, with the first units, or none if a link comes first.
        """

    def runs_programs(self) -> bool:
        """Say whether `RUNS_PROGRAMS` holds with the session's settings; threads call no other backend."""
        return self.RUNS_PROGRAMS

    @abstractmethod
    def fingerprint(self) -> str:
        """Return the versions of the backend and of every tool that can affect a result, as one line of text.

        Called: once while planning, in the build's own process; the session's root may not exist yet.
        Guarantees: the same text on every machine with the same versions: no path, no time.
        Raises: ToolError if a required tool is missing.
        """

    def check_crate(self, crate: Crate) -> None:  # noqa: B027 - optional
        """Refuse a crate that the backend cannot build as asked.

        Called: once per crate while planning, before any work. The common options `multimodule` and `entry_point`
        are left to the backend: refuse them if it does not support them.
        Raises: ConfigurationError naming the crate, the option and a way out.
        """

    @abstractmethod
    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile one source to one or more modules.

        Guarantees: every file read and every missing path is in the result's `observed`; `form` is what
        `canonical_form` returns, if the backend has canonical forms.
        Raises: SourceError with located diagnostics, or ToolError.
        """

    def locate_words(self, option: str, words: Sequence[str], place: Callable[[str, bool], str]) -> tuple[str, ...]:
        """Return the words of an option, with each path in them replaced by what `place` returns for it.

        Called: once per declaration, for options in `PATH_OPTIONS`; `place` is told whether the link makes the file.
        Guarantees: placed words are recognised again; `Options` holds them from then on.
        """
        return tuple(words)

    def compile_command(self, path: str, options: Options) -> tuple[str, ...]:
        """Return the command that compiles a source in the project root, for editors; empty if there is none.

        Shape: `options` are what `compile_codegen_unit` would see; outputs may be omitted.
        """
        return ()

    def read_variables(self, values: Mapping[str, tuple[str, ...]]) -> Mapping[str, bool | str | tuple[str, ...]]:
        """Translate construction variables to options.

        Called: in the build's own process, for a crate whose Environment sets some of `VARIABLES`.
        Shape: `values` are the words of each option, as a program would receive them. `CRATE_*` settings and the
        call's arguments override the options returned; lists are joined.
        """
        return dict(values)

    def included_names(self, text: bytes) -> tuple[str, ...]:
        """Return the names of the files that a text includes, as spelled there.

        Called: in the build's own process, for sources and their includes that are new or have changed, if the build
        generates files: included ones must be made first. A superfluous name costs only ordering, so conditions may be
        ignored.
        """
        return included_names(text)

    def canonical_form(self, stencil: UnitStencil) -> CanonicalForm | None:
        """Return a unit without what cannot affect its result, or None if it has no such form.

        Called: for a unit that was compiled before and has changed; must be much cheaper than compiling.
        Guarantees: units with equal forms have equal results, apart from what `place_unit` restores.
        """
        return None

    def relative_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit | None:
        """Return a fresh result without the form's `parameters`, or None if other units must not use it.

        Called: in the build's own process, with the form that `compile_codegen_unit` put in its result.
        """
        return unit

    def place_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit:
        """Put a form's parameters into what `relative_unit` returned. Called: in the build's own process."""
        return unit

    def codegen_allocator(self, config: ModuleConfig, provided: bool) -> ModuleCodegen:
        """Return the allocator shim: the functions that crates call to allocate, forwarded to the implementation.

        Shape: a module of kind ALLOCATOR; `provided` if a crate of the link provides the implementation, otherwise the
        platform's own is used.
        Raises: UnsupportedError unless ALLOCATOR is declared.
        """
        raise self._undeclared(Capability.ALLOCATOR)

    def optimize(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Optimize one module by itself before it is archived; cached like any result.

        Called: with the crate's link options, for modules of its units that `needs_optimizing`.
        """
        return module

    def needs_optimizing(self, module: ModuleCodegen) -> bool:
        """Say whether `optimize` would change a module: each call costs a worker and a cache entry.

        Called: in the build's own process, for every module of a crate's units.
        """
        return True

    def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Lower a module to what `link` takes.

        Called: for every module linked without LTO, and for the result of `optimize_fat`. The module's name is blank:
        nothing may depend on it.
        """
        return module

    def is_lowered(self, module: ModuleCodegen) -> bool:
        """Say whether `codegen` would return a module unchanged; then it is not called. Cheap."""
        return False

    def bundle_library(self, library: NativeLibrary, directories: Sequence[str]) -> CompiledUnit | None:
        """Return a static library's members as modules of the crate that asks for it, or None to leave it to the link.

        Called: in the build's own process, after the crate's units are compiled, for libraries with `bundle`.
        Shape: `directories` are the crate's `lib_dirs`. The modules offer no symbols to other crates.
        Guarantees: `observed` has the library and every path tried before it.
        Raises: LinkError for a library that is missing or cannot be taken apart.
        """
        return None

    def supports_lto(self, module: ModuleCodegen) -> bool:
        """Say whether a module can take part in LTO; one that cannot, such as an object, is linked as it is."""
        return True

    def kept_symbols(self, request: LinkRequest) -> tuple[str, ...]:
        """Return the symbols beside the exported ones whose names LTO must keep because of the link's options.

        Called: in the build's own process, once per link with LTO; may read the files that `kept_from` returns.
        Raises: LinkError.
        """
        return ()

    def kept_from(self, request: LinkRequest) -> tuple[Observed, ...]:
        """Return the files that `kept_symbols` reads, called right after this, and the paths where it finds none."""
        return ()

    def run_link(self, request: LinkRequest) -> ModuleCodegen:
        """Merge the modules of an object into one that can be linked again, as `ld -r` does.

        Called: once per crate of type OBJECT, after LTO; `link` is then given the one module.
        Guarantees: `exported` symbols keep their names and stay visible; no other definition can clash.
        Raises: UnsupportedError unless OBJECT is among the crate types.
        """
        raise UnsupportedError(f"backend '{self.NAME}' makes no objects")

    def run_fat_lto(self, request: LinkRequest) -> ModuleCodegen:
        """Merge all modules of a link that support LTO into one, and internalize what is not exported.

        Raises: UnsupportedError unless FAT_LTO is declared.
        """
        raise self._undeclared(Capability.FAT_LTO)

    def optimize_fat(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Optimize a whole program.

        Raises: UnsupportedError unless FAT_LTO is declared.
        """
        raise self._undeclared(Capability.FAT_LTO)

    def split_lto(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return the independent parts of thin LTO's analysis; called in the build's own process, once per link."""
        return (LinkPart("", tuple(range(len(request.modules)))),)

    def split_crashed(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Split a part of `split_lto` or `split_link` into parts to try one by one after a crash or a hang."""
        return ()

    def narrow_lto(self, request: LinkRequest) -> LinkRequest:
        """Return the request for a part of thin LTO, reduced to what its analysis can depend on.

        Called: in the build's own process, once per part, before the cache lookup; cheap. A change of what is left out
        does not repeat the analysis. If the analysis fails, it is repeated with the full request, for the sake of the
        message.
        """
        return request

    def run_thin_lto(self, request: LinkRequest) -> tuple[ThinModule, ...]:
        """Analyse the modules of a part together; return what is left to do, in a fixed order.

        Shape: unreachable modules are left out. The pipeline decides which modules come from the cache: a backend never
        does.
        Raises: UnsupportedError unless THIN_LTO is declared.
        """
        raise self._undeclared(Capability.THIN_LTO)

    def optimize_thin(self, module: ThinModule, config: ModuleConfig) -> ModuleCodegen:
        """Optimize and lower one module with what it imports; its name and crate are blank.

        Raises: UnsupportedError unless THIN_LTO is declared.
        """
        raise self._undeclared(Capability.THIN_LTO)

    def is_portable(self, call: BackendCall[Any]) -> bool:
        """Say whether a call may run on other machines: by `run_elsewhere` if it `RUNS_PROGRAMS`, else whole; cheap."""
        return False

    def could_return(self, call: BackendCall[Any], value: object) -> bool:
        """Say whether a call, such as one of `CodegenBackend.link`, could have returned a value found in a cache.

        Called: in the build's own process, once per hit; cheap. An exception counts as no, and no is a miss.
        Guarantees: none of the backend's own words (`attributes`, `index`, `report`) becomes a path, an argument or an
        exception unchecked. The pipeline has checked all else. Anyone may have written to a shared cache.
        """
        return True

    def lto_memory(self, request: LinkRequest) -> int:
        """Return how much memory, in bytes, one job of LTO may need; 0 if negligible."""
        return 0

    @abstractmethod
    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Return the files of a link that are known in advance, relative to the output directory.

        Shape: at least one; the first stands for the link and is written last.
        """

    def output_links(self, crate: str, crate_type: CrateType, options: Options) -> Mapping[str, str]:
        """Return links to make beside the files of a link, each with the file or link it leads to.

        Shape: names as in `output_names`; the first stands for the link, before any file. The pipeline makes them;
        `link` does not see them.
        """
        return {}

    def expected_images(self, crate: Crate) -> Mapping[str, str] | None:
        """Return the files that a link puts into a directory named by `output_names`, by entry point.

        Called: once per crate while planning, in the build's own process; must be cheap. Sources may not exist yet.
        Shape: files relative to the output directory, in the order of the sources; None if not all are known.
        """
        return None

    def split_link(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return the independent parts of a link.

        Called: in the build's own process, once per link, before any part is linked.
        Raises: LinkError if the link as a whole is wrong.
        """
        return (LinkPart("", tuple(range(len(request.modules)))),)

    @abstractmethod
    def link(self, request: LinkRequest) -> LinkResult:
        """Link one part.

        Guarantees: `observed` of the result has every file read that the request does not hold, and every missing path.
        Raises: LinkError, ValidationError or ToolError; nothing of a failed link is written.
        """

    def finish_link(self, request: LinkRequest, results: Sequence[LinkResult]) -> LinkResult:
        """Combine the parts of a link, in the order of `split_link`.

        Called: in the build's own process, for every link; the pipeline keeps what the parts observed.
        """
        if len(results) == 1:
            return results[0]
        return LinkResult(
            artifacts=tuple(artifact for result in results for artifact in result.artifacts),
            diagnostics=tuple(line for result in results for line in result.diagnostics),
        )

    @property
    def times_passes(self) -> bool:
        """Whether the user asked where time goes; measure only then."""
        return self.session.setting("CRATE_TIME_PASSES") == "1"

    def print_pass_timings(self) -> Mapping[str, float]:
        """Return the passes that ran in this process since the last call, and how long each took.

        Called: in a worker, before and after each call of another method, only if `times_passes`; the pipeline prints
        the sums.
        Guarantees: timing does not change results.
        Units: seconds of wall time; a pass inside another counts once.
        """
        return {}

    def _undeclared(self, capability: Capability) -> UnsupportedError:
        return UnsupportedError(f"backend '{self.NAME}' does not declare {capability.value}")
