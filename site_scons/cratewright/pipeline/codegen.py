"""Codegen: compiles the sources of one crate to modules.

It reads no files of other crates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..base.diagnostic import Diagnostic
from ..base.digest import content_digest
from ..base.errors import CratewrightError, SourceError
from ..base.host import whole_path
from ..base.values import dataclass
from ..contract.backend import CodegenBackend
from ..contract.edge import implements
from ..contract.emitted import emitted_directory, emitted_suffixes
from ..formats.crate_metadata import CrateMetadata, identified
from ..rules.output_place import check_output_path
from ..system.fs import read_bytes
from ..values.call import BackendCall
from ..values.crate import Crate, Source
from ..values.module import CompiledUnit, ModuleCodegen, Observed, merge_observed
from ..values.native_library import NativeLibrary, parse_library
from ..values.option_spec import OptionValue
from ..values.options import Options
from ..values.request import Artifact, ModuleConfig
from ..values.stencil import UnitParameters, UnitStencil, apply_parameters
from .emit import dump_directories, leave
from .engine import Engine
from .job import Job, JobOutcome
from .plan import LINKED_BY_PIPELINE


@dataclass(frozen=True, slots=True, kw_only=True)
class CodegenResult:
    """A crate after codegen.

    Shape: `observed` are all files read and all missing paths, sources included, sorted by path; `emitted`
    are those of `emitted_names`.
    """

    metadata: CrateMetadata
    emitted: tuple[Artifact, ...]
    observed: tuple[Observed, ...]
    diagnostics: tuple[Diagnostic, ...]
    compiled: int
    reused: int


def codegen_crate(engine: Engine, crate: Crate) -> CodegenResult:
    """Compile every unit of a crate, or take it from the cache.

    Raises: SourceError with the errors of all failed units; ToolError if a compiler crashed or hung. Results of
    other units are kept.
    """
    fingerprint = engine.fingerprint(crate.backend, crate.target)
    backend = engine.backend(crate.backend, crate.target)
    stencils = [
        UnitStencil(
            backend=crate.backend,
            fingerprint=fingerprint,
            target=crate.target,
            path=source.path,
            source=_read_source(engine, crate, source),
            options=source.options.only(backend.UNIT_OPTIONS),
            file=source.file,
            repositories=crate.repositories,
            for_lto=crate.for_lto or not backend.LTO_DECIDES_UNITS,
            for_code=crate.for_lto and crate.for_code and backend.LTO_DECIDES_UNITS,
        )
        for source in crate.sources
    ]
    forms = implements(backend, CodegenBackend.canonical_form)
    jobs = [
        Job(
            BackendCall(CodegenBackend.compile_codegen_unit, stencil),
            _label(crate, source),
            has_form=forms,
            size=len(stencil.source),
            crate=crate.name,
            unit=source.name,
        )
        for stencil, source in zip(stencils, crate.sources, strict=True)
    ]
    outcomes = engine.run_cached(crate.backend, crate.target, jobs)
    _leave_dumps(engine, crate, backend, outcomes)
    _raise_errors(crate, outcomes)
    emitted = [
        Artifact(_beside(crate, source, suffix), data)
        for outcome, source in zip(outcomes, crate.sources, strict=True)
        if outcome.result is not None
        for suffix, data in outcome.result.emitted
    ]
    units = [
        apply_parameters(
            outcome.result,
            UnitParameters(name=source.name, own_options=_own_options(crate, source, backend), variant=source.variant),
        )
        for outcome, source in zip(outcomes, crate.sources, strict=True)
        if outcome.result is not None
    ]
    modules = _optimized(engine, crate, backend, [module for unit in units for module in unit.modules])
    natives, bundled = _bundle(crate, backend)
    units += bundled
    modules += tuple(module for unit in bundled for module in unit.modules)
    _check_exports(crate, modules)
    sources = [
        Observed(source.location, content_digest(stencil.source))
        for source, stencil in zip(crate.sources, stencils, strict=True)
    ]
    seen = (unit.observed for unit in units)
    hits = sum(outcome.hit for outcome in outcomes)
    return CodegenResult(
        metadata=_metadata(crate, backend, fingerprint, modules, natives),
        emitted=tuple(emitted),
        observed=merge_observed([[_whole(engine, item) for item in each] for each in (*seen, sources)]),
        diagnostics=tuple(dict.fromkeys(line for unit in units for line in unit.diagnostics)),
        compiled=len(outcomes) - hits,
        reused=hits,
    )


def _whole(engine: Engine, item: Observed) -> Observed:
    """Return it with the path by which SCons knows a file outside the project."""
    return replace(item, path=whole_path(engine.root, item.path)) if item.path.startswith("../") else item


def _label(crate: Crate, source: Source) -> str:
    """Name a unit after its source, and by its own name if it has siblings of the same source."""
    named = source.path == source.name or source.path.endswith(f"/{source.name}")
    return f"crate '{crate.name}': {source.path}" + ("" if named else f" ({source.name})")


def emitted_names(crate: Crate, backend: CodegenBackend) -> tuple[str, ...]:
    """Return the files that units produce beside their crate, relative to its output directory."""
    return tuple(
        _beside(crate, source, suffix)
        for source in crate.sources
        for suffix in emitted_suffixes(backend.EMITTED, source.options)
    )


def _beside(crate: Crate, source: Source, suffix: str) -> str:
    return f"{emitted_directory(crate.name)}/{source.name}{suffix}"


def _leave_dumps(
    engine: Engine, crate: Crate, backend: CodegenBackend, outcomes: Sequence[JobOutcome[CompiledUnit]]
) -> None:
    """Write the copies that options ask for, those of failed units too."""
    for source, outcome in zip(crate.sources, outcomes, strict=True):
        made = outcome.result
        files = outcome.error.leftovers if outcome.error else made.dumps if made is not None else ()
        if files:
            leave(files, engine.root, dump_directories(backend, source.options), where=f"crate '{crate.name}'")


def _own_options(crate: Crate, source: Source, backend: CodegenBackend) -> dict[str, OptionValue]:
    """Return the link options in which a source differs from its crate."""
    # The compiler has handled the others.
    names = backend.SOURCE_OPTIONS - backend.UNIT_OPTIONS
    return {name: source.options[name] for name in names if source.options[name] != crate.options[name]}


def _optimized(
    engine: Engine, crate: Crate, backend: CodegenBackend, modules: Sequence[ModuleCodegen]
) -> tuple[ModuleCodegen, ...]:
    """Return modules, each optimized by itself if the backend does so; concurrent and cached."""
    if not implements(backend, CodegenBackend.optimize):
        return tuple(modules)
    config = ModuleConfig(target=crate.target, options=crate.options.only(backend.LINK_OPTIONS))
    chosen = [backend.needs_optimizing(module) for module in modules]
    jobs = [
        Job(
            BackendCall(CodegenBackend.optimize, module, config),
            f"crate '{crate.name}': {module.name}",
            size=len(module.data),
        )
        for module, needs in zip(modules, chosen, strict=True)
        if needs
    ]
    if not jobs:
        return tuple(modules)
    fingerprint = engine.fingerprint(crate.backend, crate.target)
    outcomes = engine.run_cached(crate.backend, crate.target, jobs, fingerprint)
    _raise_errors(crate, outcomes)
    results = iter([outcome.result for outcome in outcomes if outcome.result is not None])
    return tuple(next(results) if needs else module for module, needs in zip(modules, chosen, strict=True))


def _bundle(crate: Crate, backend: CodegenBackend) -> tuple[tuple[NativeLibrary, ...], list[CompiledUnit]]:
    """Return the libraries left to the link, and those that become part of the crate."""
    natives: list[NativeLibrary] = []
    units: list[CompiledUnit] = []
    asked = [parse_library(text, where=f"crate '{crate.name}'") for text in crate.options.texts("libs")]
    for library in dict.fromkeys(asked):
        unit = None
        if library.bundle:
            try:
                unit = backend.bundle_library(library, crate.options.texts("lib_dirs"))
            except CratewrightError as error:
                raise error.with_context(("crate", crate.name)) from error
        if unit is None:
            natives.append(library)
        else:
            units.append(unit)
    return tuple(natives), units


def _metadata(
    crate: Crate,
    backend: CodegenBackend,
    fingerprint: str,
    modules: tuple[ModuleCodegen, ...],
    natives: tuple[NativeLibrary, ...],
) -> CrateMetadata:
    return identified(
        CrateMetadata(
            name=crate.name,
            version=crate.version,
            backend=crate.backend,
            fingerprint=fingerprint,
            target=crate.target,
            crate_types=crate.crate_types,
            dependencies=crate.dependencies,
            options=link_options(crate.options, backend),
            modules=modules,
            natives=natives,
            allocator=crate.options.text("allocator"),
            metadata=crate.metadata,
        )
    )


def link_options(options: Options, backend: CodegenBackend) -> Options:
    """Return the options that the steps after codegen may see."""
    return options.only(backend.LINK_OPTIONS | LINKED_BY_PIPELINE)


def _read_source(engine: Engine, crate: Crate, source: Source) -> bytes:
    try:
        return read_bytes(engine.path(source.location), role="source")
    except CratewrightError as error:
        raise SourceError(
            f"{source.path}: the source cannot be read",
            context=(("crate", crate.name), *(row for row in error.context)),
            hint="when the crate is compiled, it must be a readable file, whatever makes it",
        ) from error


def _raise_errors(crate: Crate, outcomes: Sequence[JobOutcome[Any]]) -> None:
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if not errors:
        return
    summary = f"crate '{crate.name}': {len(errors)} of {len(outcomes)} units failed"
    if len(errors) == 1:
        raise errors[0].with_context(("crate", crate.name)).with_summary(summary)
    shown = errors[:10]
    text = "\n".join(str(error) for error in shown)
    more = f"\n({len(errors) - len(shown)} more units failed)" if len(errors) > len(shown) else ""
    raise type(errors[0])(
        f"{text}{more}",
        context=(("crate", crate.name), ("failed", f"{len(errors)} of {len(outcomes)} units")),
    ).with_summary(summary)


def _check_exports(crate: Crate, modules: Sequence[ModuleCodegen]) -> None:
    names = [module.name for module in modules]
    for name in names:
        check_output_path(name, where=f"crate '{crate.name}'")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError(f"crate '{crate.name}' would have two modules called '{twice}'", hint="rename one source")
