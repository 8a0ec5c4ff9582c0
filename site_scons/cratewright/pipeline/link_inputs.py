"""What a link takes: the crate, its dependencies, and the request that they amount to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..base.errors import ConfigurationError, LinkError
from ..base.values import dataclass
from ..contract.backend import CodegenBackend
from ..formats.crate_metadata import CrateMetadata
from ..formats.locator import check_interfaces
from ..formats.metadata import encode_dylib
from ..rules.dependency_format import DependencyFormats, Linkage
from ..rules.link_contents import allocator_provider, brings_allocator_shim, exported_symbols, libraries_to_link
from ..values.crate_type import CrateType
from ..values.identity import unique_labels
from ..values.module import ModuleCodegen
from ..values.options import Options
from ..values.request import LinkLibrary, LinkModule, LinkRequest
from .engine import Engine
from .plan import check_linkable


@dataclass(frozen=True, slots=True)
class Dependency:
    """A crate that takes part in a link.

    Shape: `key` is the crate's name in the formats of the link; `linkage` is STATIC, with the modules in `crate`, or
    DYNAMIC, with its dylib in `library`.
    """

    key: str
    crate: CrateMetadata
    linkage: Linkage
    library: LinkLibrary | None = None


def link_request(
    engine: Engine,
    crate: CrateMetadata,
    dependencies: Sequence[Dependency],
    crate_type: CrateType,
    formats: DependencyFormats,
) -> LinkRequest:
    """Return everything that decides a link, before any optimization.

    Raises: ConfigurationError and LinkError for a dependency of another backend or target, or one that was compiled
    against another interface.
    """
    _check(crate, dependencies)
    check_interfaces([crate, *(item.crate for item in dependencies)])
    backend = engine.backend(crate.backend, crate.target)
    check_linkable(crate, backend, crate_type)
    labels = _labels(crate, dependencies)
    static = [(label, item.crate) for label, item in labels if item.linkage is Linkage.STATIC]
    lto = crate.options.lto_for(crate_type)
    exported = exported_symbols(
        crate.name,
        crate_type,
        crate.modules,
        (module for _, part in static for module in part.modules),
        crate.options.texts("exports"),
        crate.options.flag("keep_exports"),
    )
    request = LinkRequest(
        crate=crate.name,
        crate_type=crate_type,
        target=crate.target,
        options=_link_options(backend, crate, dependencies),
        modules=(),
        dependencies=tuple(label for label, _ in static),
        whole=_whole(crate, crate_type, labels),
        libraries=tuple(replace(item.library, crate=label) for label, item in labels if item.library is not None),
        natives=libraries_to_link(crate.natives, [(item.linkage, item.crate.natives) for item in dependencies]),
        exported=exported,
        lto=lto,
    )
    shim = _shim(backend, request, crate, dependencies)
    if crate_type is CrateType.DYLIB:
        # What is linked with the dylib has no shim of its own.
        exported = tuple(sorted({*exported, *(symbol.name for module in shim for symbol in module.exports)}))
        request = replace(request, embed=_embedded(crate, shim, dependencies, formats))
    parts = [(crate.name, [*crate.modules, *shim]), *((label, list(part.modules)) for label, part in static)]
    modules = tuple(LinkModule(name, module) for name, modules in parts for module in modules)
    return replace(request, exported=exported, modules=modules)


def _whole(
    crate: CrateMetadata, crate_type: CrateType, dependencies: Sequence[tuple[str, Dependency]]
) -> tuple[str, ...]:
    """Return the crates that are linked whole: into a dylib, which replaces their rlibs, and where asked for.

    Source: rustc links the rlibs of a dylib whole.
    """
    crates = (crate, *(item.crate for _, item in dependencies))
    asked = {item.stable_id for part in crates for item in part.dependencies if item.whole}
    every = crate_type is CrateType.DYLIB
    return tuple(
        label
        for label, item in dependencies
        if item.crate.stable_id in asked or (every and item.linkage is Linkage.STATIC)
    )


def _link_options(backend: CodegenBackend, crate: CrateMetadata, dependencies: Sequence[Dependency]) -> Options:
    """Return the options of a link: its own, and the library directories of its dependencies."""
    options = crate.options.only(backend.LINK_OPTIONS)
    if "lib_dirs" not in backend.LINK_OPTIONS:
        return options
    crates = (crate, *(item.crate for item in dependencies if item.crate.natives))
    found = dict.fromkeys(path for item in crates for path in item.options.texts("lib_dirs"))
    return options.override({"lib_dirs": tuple(found)})


def _labels(crate: CrateMetadata, dependencies: Sequence[Dependency]) -> list[tuple[str, Dependency]]:
    """Return the dependencies with their keys: two versions of one crate may be linked together."""
    crates = (crate, *(item.crate for item in dependencies))
    labels = unique_labels((part.name, part.version, part.metadata) for part in crates)
    return list(zip(labels[1:], dependencies, strict=True))


def _embedded(
    crate: CrateMetadata,
    shim: Sequence[ModuleCodegen],
    dependencies: Sequence[Dependency],
    formats: DependencyFormats,
) -> bytes:
    linked = {item.key: item.crate.reference for item in dependencies}
    known = crate.knowing({reference.stable_id: reference.interface for reference in linked.values()})
    known = replace(known, modules=(*known.modules, *shim))
    return encode_dylib(known, tuple((linked[key], linkage) for key, linkage in formats.recorded))


def _shim(
    backend: CodegenBackend, request: LinkRequest, crate: CrateMetadata, dependencies: Sequence[Dependency]
) -> list[ModuleCodegen]:
    """Return the allocator shim if a crate needs one and no dylib has one.

    Raises: LinkError if a crate linked here provides the allocator, but a dylib's shim would not call it.
    """
    crates = [crate, *(item.crate for item in dependencies)]
    labels = unique_labels((part.name, part.version, part.metadata) for part in crates)
    needed, provider = allocator_provider({label: part.allocator for label, part in zip(labels, crates, strict=True)})
    if not needed:
        return []
    dynamic = {
        label: brings_allocator_shim(item.crate.modules)
        for label, item in zip(labels[1:], dependencies, strict=True)
        if item.linkage is Linkage.DYNAMIC
    }
    bringing = [label for label, brings in dynamic.items() if brings]
    if bringing and provider and provider not in dynamic:
        raise LinkError(
            f"crate '{provider}' provides the global allocator, but the dylib of crate '{bringing[0]}' has one already",
            context=(("linked", request.crate), ("crate type", request.crate_type.value)),
            hint=f"add '{provider}' to the deps of '{bringing[0]}', or link '{bringing[0]}' statically",
        )
    return [] if bringing else [backend.codegen_allocator(request.config, bool(provider))]


def _check(crate: CrateMetadata, dependencies: Sequence[Dependency]) -> None:
    for item in dependencies:
        other = item.crate
        for what, theirs, ours in (
            ("backend", other.backend, crate.backend),
            ("target", other.target, crate.target),
            ("tools", f"{other.producer}, {other.fingerprint}", f"{crate.producer}, {crate.fingerprint}"),
        ):
            if theirs != ours:
                raise ConfigurationError(
                    f"crate '{crate.name}' and its dependency '{other.name}' differ in {what}",
                    context=((crate.name, ours), (other.name, theirs)),
                    hint=f"build '{other.name}' again for this {what}",
                )
