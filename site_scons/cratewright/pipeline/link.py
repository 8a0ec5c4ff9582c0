"""The link of one crate type: selects modules, runs LTO, links parts in parallel, combines the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from ..base.diagnostic import Diagnostic
from ..base.errors import ConfigurationError, CratewrightError, LinkError
from ..base.values import dataclass
from ..contract.backend import CodegenBackend
from ..contract.edge import check_promised, implements
from ..formats.locator import check_interfaces
from ..formats.metadata import CrateMetadata, encode_dylib
from ..rules.dependency_format import DependencyFormats, Linkage
from ..rules.link_contents import allocator_provider, brings_allocator_shim, exported_symbols, libraries_to_link
from ..values.call import BackendCall
from ..values.crate import CrateType
from ..values.identity import unique_labels
from ..values.module import ModuleCodegen, Observed, merge_observed
from ..values.options import Options
from ..values.request import Artifact, LinkLibrary, LinkModule, LinkRequest, LinkResult
from .emit import dump_directories, leave
from .engine import Engine, Job, JobOutcome
from .lto import LtoReport, optimize, split_crashed
from .plan import check_linkable

__all__ = ["Dependency", "Linked", "leavings", "link_crate", "link_modules", "link_request"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """The result of a link; `linked` parts were made now, `reused` ones came from the cache.

    Shape: `observed` as in `CodegenResult`, without what the request holds; `lto` reports link-time optimization,
    if there was any; `lto_shared` if another crate type's result was used.
    """

    artifacts: tuple[Artifact, ...]
    diagnostics: tuple[Diagnostic, ...]
    observed: tuple[Observed, ...]
    linked: int
    reused: int
    lto: LtoReport | None = None
    lto_shared: bool = False


def link_crate(
    engine: Engine,
    crate: CrateMetadata,
    dependencies: Sequence[Dependency],
    crate_type: CrateType,
    formats: DependencyFormats,
) -> Linked:
    """Link a crate with its dependencies, given in link order.

    Raises: ConfigurationError for a dependency of another backend or target; LinkError for one that was compiled
    against another interface; LinkError, ValidationError and ToolError from the backend. Writes nothing except the
    dumps of a failed part.
    """
    request = link_request(engine, crate, dependencies, crate_type, formats)
    backend = engine.backend(crate.backend, crate.target)
    with leavings(engine, backend, request):
        optimized = optimize(engine, backend, request)
    linked = link_modules(engine, backend, replace(request, modules=optimized.modules))
    return replace(linked, lto=optimized.report, lto_shared=optimized.shared)


def link_request(
    engine: Engine,
    crate: CrateMetadata,
    dependencies: Sequence[Dependency],
    crate_type: CrateType,
    formats: DependencyFormats,
) -> LinkRequest:
    """Return everything that decides a link, before any optimization.

    Raises: ConfigurationError and LinkError as `link_crate`, for what does not fit together.
    """
    _check(crate, dependencies)
    check_interfaces([crate, *(item.crate for item in dependencies)])
    backend = engine.backend(crate.backend, crate.target)
    check_linkable(crate, backend, crate_type)
    return _request(engine, backend, crate, dependencies, crate_type, formats)


def link_modules(engine: Engine, backend: CodegenBackend, request: LinkRequest) -> Linked:
    """Link modules that have been optimized or lowered.

    Raises: LinkError, ValidationError and ToolError from the backend.
    """
    with leavings(engine, backend, request):
        if request.crate_type is CrateType.OBJECT:
            request = replace(request, modules=(_merged(engine, backend, request),))
        results, hits = _link_parts(engine, backend, request)
        what = (request.crate, request.crate_type, request.options)
        made = backend.finish_link(request, results)
        finished = check_promised(backend, backend.output_names(*what), made, request.crate)
        told = {item for result in results for item in result.diagnostics}
        links = (Artifact(name, b"", link=to) for name, to in backend.output_links(*what).items())
    return Linked(
        artifacts=(*links, *finished.artifacts),
        diagnostics=tuple(item for item in dict.fromkeys(finished.diagnostics) if item not in told),
        observed=merge_observed([*(result.observed for result in results), finished.observed]),
        linked=len(results) - hits,
        reused=hits,
    )


@contextmanager
def leavings(engine: Engine, backend: CodegenBackend, request: LinkRequest) -> Iterator[None]:
    """Write a failed part's dumps where options ask for them."""
    try:
        yield
    except CratewrightError as error:
        leave(
            error.leftovers, engine.root, dump_directories(backend, request.options), where=f"crate '{request.crate}'"
        )
        raise


def _request(
    engine: Engine,
    backend: CodegenBackend,
    crate: CrateMetadata,
    dependencies: Sequence[Dependency],
    crate_type: CrateType,
    formats: DependencyFormats,
) -> LinkRequest:
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


def _merged(engine: Engine, backend: CodegenBackend, request: LinkRequest) -> LinkModule:
    """Return the modules left to link as one module."""
    job = Job(BackendCall(CodegenBackend.run_link, request), f"crate '{request.crate}'", crate=request.crate)
    (outcome,) = engine.run_cached(
        backend.NAME, request.target, [job], engine.fingerprint(backend.NAME, request.target)
    )
    return LinkModule(request.crate, outcome.get(request.crate))


def _link_parts(engine: Engine, backend: CodegenBackend, request: LinkRequest) -> tuple[list[LinkResult], int]:
    """Return the result of each part, and how many came from the cache."""
    label, fingerprint = f"crate '{request.crate}'", engine.fingerprint(backend.NAME, request.target)

    def link(parts: Sequence[LinkRequest], retried: bool = False) -> list[JobOutcome[LinkResult]]:
        jobs = [
            Job(
                BackendCall(CodegenBackend.link, part),
                f"{label}: {part.part}" if part.part else label,
                crate=request.crate,
                unit=part.part or request.crate,
                retried=retried,
            )
            for part in parts
        ]
        return engine.run_cached(backend.NAME, request.target, jobs, fingerprint)

    parts = [request.of_part(part) for part in backend.split_link(request)]
    again = implements(backend, CodegenBackend.split_crashed)
    first = link(parts, again)
    asked = [
        (split_crashed(backend, part, outcome.error) or [part]) if again and outcome.error else []
        for part, outcome in zip(parts, first, strict=True)
    ]
    retries = iter(link([each for row in asked for each in row]))
    outcomes = [
        each
        for row, outcome in zip(asked, first, strict=True)
        for each in (islice(retries, len(row)) if row else [outcome])
    ]
    return [outcome.get(request.crate) for outcome in outcomes], sum(outcome.hit for outcome in outcomes)


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
