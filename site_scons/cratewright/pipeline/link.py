"""Linking: a crate and its dependencies to artifacts, for one crate type.

Knows nothing of where rlibs lie, nor of what the backend makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..crate import CrateType
from ..errors import ConfigurationError, LinkError
from ..fs import write_atomic
from ..metadata import CrateMetadata
from ..request import Artifact, LinkModule, LinkRequest, LinkResult
from .engine import Engine, Job

__all__ = ["Linked", "link_crate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What a link made; `linked` parts were made anew, `reused` ones came from the cache."""

    artifacts: tuple[Artifact, ...]
    diagnostics: tuple[str, ...]
    linked: int
    reused: int


def link_crate(
    engine: Engine, crate: CrateMetadata, dependencies: Sequence[CrateMetadata], crate_type: CrateType
) -> Linked:
    """Link a crate with its dependencies, given in link order.

    Raises: ConfigurationError for a dependency of another backend or target; LinkError, ValidationError and
    ToolError from the backend. Nothing is written here but what a failed part leaves to find its cause.
    """
    _check(crate, dependencies)
    backend = engine.backend(crate.backend, crate.target)
    request = LinkRequest(
        crate=crate.name,
        crate_type=crate_type,
        target=crate.target,
        options=crate.options.only(backend.LINK_OPTIONS),
        modules=tuple(LinkModule(part.name, module) for part in (crate, *dependencies) for module in part.modules),
        dependencies=tuple(part.name for part in dependencies),
    )
    parts = backend.split_link(request)
    requests = [
        replace(request, part=part.name, modules=tuple(request.modules[index] for index in part.modules))
        for part in parts
    ]
    fingerprint = engine.fingerprint(crate.backend, crate.target)
    label = f"crate '{crate.name}'"
    jobs = [Job(item, f"{label}: {item.part}" if item.part else label) for item in requests]
    outcomes = engine.run_cached(crate.backend, crate.target, "link", jobs, fingerprint)
    results: list[LinkResult] = []
    for outcome in outcomes:
        if outcome.error is not None:
            for path, data in outcome.error.leftovers:
                write_atomic(engine.path(path), data)
            raise outcome.error.with_context(("crate", crate.name))
        assert isinstance(outcome.result, LinkResult)
        results.append(outcome.result)
    finished = backend.finish_link(request, results)
    hits = sum(outcome.hit for outcome in outcomes)
    return Linked(
        artifacts=finished.artifacts,
        diagnostics=tuple(dict.fromkeys(finished.diagnostics)),
        linked=len(outcomes) - hits,
        reused=hits,
    )


def _check(crate: CrateMetadata, dependencies: Sequence[CrateMetadata]) -> None:
    for other in dependencies:
        for what, theirs, ours in (
            ("backend", other.backend, crate.backend),
            ("target", other.target, crate.target),
            ("tools", other.fingerprint, crate.fingerprint),
        ):
            if theirs != ours:
                raise ConfigurationError(
                    f"crate '{crate.name}' and its dependency '{other.name}' differ in {what}",
                    context=((crate.name, ours), (other.name, theirs)),
                    hint=f"build '{other.name}' again for this {what}",
                )
    known = {crate.name, *(other.name for other in dependencies)}
    for part in (crate, *dependencies):
        for name in part.dependencies:
            if name not in known:
                raise LinkError(
                    f"crate '{part.name}' depends on '{name}', which was not given to the link",
                    hint=f"give lib{name}.rlib as well",
                )
