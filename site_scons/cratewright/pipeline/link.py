"""The link of one crate type: runs LTO, links parts in parallel, combines the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from ..base.diagnostic import Diagnostic
from ..base.errors import CratewrightError
from ..base.values import dataclass
from ..contract.backend import CodegenBackend
from ..contract.edge import implements
from ..contract.promised import check_promised
from ..formats.crate_metadata import CrateMetadata
from ..rules.dependency_format import DependencyFormats
from ..values.call import BackendCall
from ..values.crate_type import CrateType
from ..values.module import Observed, merge_observed
from ..values.request import Artifact, LinkModule, LinkRequest, LinkResult
from .emit import dump_directories, leave
from .engine import Engine
from .job import Job, JobOutcome
from .link_inputs import Dependency, link_request
from .lto import LtoReport, optimize, split_crashed


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
        reported = {item for result in results for item in result.diagnostics}
        links = (Artifact(name, b"", link=to) for name, to in backend.output_links(*what).items())
    return Linked(
        artifacts=(*links, *finished.artifacts),
        diagnostics=tuple(item for item in dict.fromkeys(finished.diagnostics) if item not in reported),
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
