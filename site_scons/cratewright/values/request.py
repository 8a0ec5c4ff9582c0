"""Requests for a link, and their results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..base.diagnostic import Diagnostic
from ..base.values import dataclass
from .crate_type import CrateType
from .module import ModuleCodegen, Observed
from .native_library import NativeLibrary
from .options import LtoMode, Options
from .source_options import with_own


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of a link.

    Shape: `path` is relative to the crate's output directory, or with `dump` to the project root; `executable` marks a
    program. With `link` it is a symbolic link to that path, as `output_links` promised.
    """

    path: str
    data: bytes
    dump: bool = False
    executable: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class LinkModule:
    """A module in a link, and its crate."""

    crate: str
    module: ModuleCodegen


@dataclass(frozen=True, slots=True)
class LinkLibrary:
    """A crate that is linked dynamically.

    Shape: `path` is that of its dylib, root-relative; `digest` that of its content, for cache keys; `directory` that of
    the dylib relative to the linked file's, `.` for the same.
    """

    crate: str
    path: str
    digest: str
    directory: str = "."


@dataclass(frozen=True, slots=True)
class LinkPart:
    """An independent part of a link.

    Shape: `name` is the backend's own; `modules` are positions in the request's `modules`, in link order.
    """

    name: str
    modules: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleConfig:
    """What decides, besides a module's own bytes, how it is optimized and lowered.

    Shape: `options` are the link options of the crate for which it is lowered.
    """

    target: str
    options: Options

    def of(self, attributes: Iterable[tuple[str, str]]) -> ModuleConfig:
        """Return the configuration of a module with these attributes, which may hold options of its source."""
        options = with_own(self.options, attributes)
        return self if options is self.options else replace(self, options=options)


@dataclass(frozen=True, slots=True)
class ThinBuffer:
    """A module prepared for thin LTO: its name and its serialised form."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinModule:
    """One module to optimize after the global analysis, with everything it needs and nothing else.

    Shape: `name` and `crate` are for messages and archives; the name is that of the original module, followed by a
    space and more if several come from one. `attributes` are added to the optimized module's own; they are not in the
    cache key and `optimize_thin` does not see them, so nothing may depend on them. `index` is the backend's own: the
    results of the analysis for this module, including any name by which they refer to it. `imports` are the modules
    from which functions may be inlined, whole or in part.
    """

    name: str
    crate: str
    data: bytes
    index: bytes = b""
    imports: tuple[ThinBuffer, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """Everything that decides a linked artifact, or one step towards it.

    Shape: `modules` are the crate's own, then its allocator shim if there is one, then those of statically linked
    dependencies in link order. `dependencies` are these crates, in that order; `whole` those linked whole, needed or
    not; `libraries` those linked dynamically; `natives` foreign libraries in link order. `exported` are the sorted
    symbols that the result must export, and `kept` further ones that keep their names if linked; LTO may internalise
    all others, except those that `opaque` modules need: only LTO methods receive these, which are linked later without
    taking part. `embed` are bytes that a dylib must carry. `part` names the request's part, if the link was split.
    For LTO methods, whose result serves several types, `crate_type` is RLIB; `kept_symbols` receives the type.
    """

    crate: str
    crate_type: CrateType
    target: str
    options: Options
    modules: tuple[LinkModule, ...]
    dependencies: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    libraries: tuple[LinkLibrary, ...] = ()
    natives: tuple[NativeLibrary, ...] = ()
    exported: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    opaque: tuple[LinkModule, ...] = ()
    lto: LtoMode = LtoMode.OFF
    embed: bytes = b""
    part: str = ""

    @property
    def config(self) -> ModuleConfig:
        """The configuration of modules in this link."""
        return ModuleConfig(target=self.target, options=self.options)

    def of_part(self, part: LinkPart) -> LinkRequest:
        """Return the request for one part: its modules, without the exports that other parts define.

        Anything irrelevant to a part must stay out of its key.
        """
        modules = tuple(self.modules[index] for index in part.modules)
        exported = self.exported
        if exported:  # shaders have hundreds of parts, and nothing to export
            inside = {symbol.name for item in modules for symbol in item.module.exports}
            elsewhere = {symbol.name for item in self.modules for symbol in item.module.exports} - inside
            exported = tuple(name for name in exported if name not in elsewhere)
        return replace(self, part=part.name, modules=modules, exported=exported)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkResult:
    """The result of a link.

    Shape: `report` is the backend's own, as JSON text; `diagnostics` and `observed` as in `CompiledUnit`, the latter
    with libraries, scripts and start files that are not in the request, and paths where a library was missing.
    """

    artifacts: tuple[Artifact, ...]
    report: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    observed: tuple[Observed, ...] = ()
