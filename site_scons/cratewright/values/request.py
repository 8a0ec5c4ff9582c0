"""Requests for a link, and their results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..base.diagnostic import Diagnostic
from ..base.values import dataclass
from .crate import CrateType
from .module import ModuleCodegen, Observed
from .native_library import NativeLibrary
from .options import LtoMode, Options
from .source_options import with_own

__all__ = [
    "Artifact",
    "LinkLibrary",
    "LinkModule",
    "LinkPart",
    "LinkRequest",
    "LinkResult",
    "ModuleConfig",
    "ThinBuffer",
    "ThinModule",
]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of a link.

    Shape: `path` relative to the crate's output directory, or, if `dump`, to the project root; `executable` if
    it is a program. With `link` it is not a file but a link to that path, as `output_links` promised it.
    """

    path: str
    data: bytes
    dump: bool = False
    executable: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class LinkModule:
    """A module that takes part in a link, and the crate it comes from."""

    crate: str
    module: ModuleCodegen


@dataclass(frozen=True, slots=True)
class LinkLibrary:
    """A crate that is linked dynamically.

    Shape: `path` of its dylib, root-relative; `digest` of its content, so that it counts in a key; `directory` is
    where it lies as seen from the linked file, `.` for beside it.
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
    """What decides beside a module's own bytes how it is optimized and lowered.

    Shape: `options` are the link options of the crate that it is lowered for.
    """

    target: str
    options: Options

    def of(self, attributes: Iterable[tuple[str, str]]) -> ModuleConfig:
        """Return what decides for a module of these attributes: its source may have options of its own."""
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

    Shape: `name` and `crate` are for messages and archives; the name is that of the module it comes from, or begins
    with that and a space if several come from one. `attributes` are words that the optimized module gets beside its
    own; they are no part of a cache key and `optimize_thin` does not see them, so nothing may depend on them.
    `index` is the backend's own: what the analysis found out for this module; `imports` are the modules
    that others may be inlined from, whole or in part. An index that calls its module by a name carries that name.
    """

    name: str
    crate: str
    data: bytes
    index: bytes = b""
    imports: tuple[ThinBuffer, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """All that decides a linked artifact, or one step on the way to it.

    Shape: own modules first, then the allocator shim if there is one (of the same crate), then those of
    statically linked dependencies in link order; `dependencies` are the crates whose modules are offered, in that
    order; `whole` are crates that are linked whole, needed or not; `libraries` those linked dynamically;
    `natives` foreign libraries in link order. `exported` are the symbols, sorted, that the result must offer under
    their names, and `kept` more that must have theirs, if they are linked: everything else LTO may internalise, but
    for what `beside` needs: modules, in the methods of LTO only, that are linked later and take no part in it. `embed`
    are bytes that a dylib must carry. `part` names the part this request is for, if the link was split.
    In the methods of LTO, whose result serves several types, `crate_type` is RLIB: `kept_symbols` is told the type.
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
    beside: tuple[LinkModule, ...] = ()
    lto: LtoMode = LtoMode.OFF
    embed: bytes = b""
    part: str = ""

    @property
    def config(self) -> ModuleConfig:
        """How modules are optimized and lowered for this link."""
        return ModuleConfig(target=self.target, options=self.options)

    def of_part(self, part: LinkPart) -> LinkRequest:
        """Return the request for one part: its modules, and no symbol to export that another part defines.

        What a part is not concerned with must not be in its key.
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
    """What a link made.

    Shape: `report` is the backend's own, JSON text; `diagnostics` and `observed` as in `CompiledUnit`: libraries,
    scripts and start files that the request does not hold, and paths where a library was missing.
    """

    artifacts: tuple[Artifact, ...]
    report: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    observed: tuple[Observed, ...] = ()
