"""Link-time optimization: takes the modules of one link, returns those left to link.

Crate types with equal requests share one result.
Source: rustc's plan to move LTO to link time and run it once for each distinct list of dependency formats.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..base.digest import value_digest
from ..base.errors import CratewrightError, ToolError
from ..base.values import dataclass
from ..contract.backend import CodegenBackend
from ..contract.edge import implements
from ..system.events import LtoEnded
from ..values.call import BackendCall
from ..values.crate_type import CrateType
from ..values.module import ModuleCodegen, Observed
from ..values.options import LtoMode
from ..values.request import LinkModule, LinkRequest, ModuleConfig, ThinModule
from .engine import Engine
from .job import Job, JobOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class LtoReport:
    """What LTO did.

    Shape: `reused` modules came from the cache, `optimized` ones were made now; `offered` has the crates whose
    modules took part and how many; `bytes_before` and `bytes_after` are sizes of modules.
    Units: seconds of wall time.
    """

    mode: LtoMode
    optimized: int
    reused: int
    offered: tuple[tuple[str, int], ...]
    bytes_before: int
    bytes_after: int
    seconds: float


def lto_line(report: LtoReport, *, shared: bool) -> str:
    """Describe LTO in one line of a build's output."""
    if shared:
        return f"{report.mode.value} LTO shared with another crate type"
    crates = "".join(f"{count} of {crate}, " for crate, count in report.offered)
    return (
        f"{report.mode.value} LTO: {report.optimized} optimized, {report.reused} reused, {crates and 'with ' + crates}"
        f"{report.bytes_before} -> {report.bytes_after} bytes, {report.seconds:.2f} s"
    )


def lto_event(crate: str, target: str, report: LtoReport) -> LtoEnded:
    """Return what LTO did as an event."""
    counts = (report.optimized, report.reused, report.bytes_before, report.bytes_after)
    return LtoEnded(crate, target, report.mode.value, *counts, report.seconds)


def lto_row(report: LtoReport) -> dict[str, object]:
    """Return what LTO did as plain values, for a file that does not affect results."""
    return {
        "mode": report.mode.value,
        "optimized": report.optimized,
        "reused": report.reused,
        "offered": dict(report.offered),
        "bytes_before": report.bytes_before,
        "bytes_after": report.bytes_after,
        "seconds": round(report.seconds, 3),
    }


@dataclass(frozen=True, slots=True)
class Optimized:
    """What is left to link, and how it was made.

    Shape: no report if there was no LTO; `shared` if another crate type had asked for the same; `observed` decides
    which symbols were kept.
    """

    modules: tuple[LinkModule, ...]
    report: LtoReport | None = None
    shared: bool = False
    observed: tuple[Observed, ...] = ()


def optimize(engine: Engine, backend: CodegenBackend, request: LinkRequest) -> Optimized:
    """Run the LTO of a request, and lower every module that LTO does not take.

    Shape: equal requests of one build share one result, whatever their crate types.
    Raises: the backend's errors, with the crate added.
    """
    asked = _for_lto(backend, request)
    if request.lto is LtoMode.OFF:
        return Optimized(lower_modules(engine, backend, asked, request.modules))
    observed = backend.kept_from(request)
    asked = replace(asked, kept=backend.kept_symbols(request))
    question = value_digest((backend.NAME, _fingerprint(engine, backend), asked))
    answer, fresh = engine.answers.once(question, lambda: _optimize(engine, backend, asked))
    return replace(answer, shared=not fresh, observed=observed)


def _for_lto(backend: CodegenBackend, request: LinkRequest) -> LinkRequest:
    """Return what LTO may see of a request: no crate type, and no options that only affect the linker.

    Whether it is an object stays: an object without entry points may still be optimized.
    """
    names = backend.MODULE_OPTIONS
    options = request.options if names is None else request.options.only(names | backend.LTO_OPTIONS)
    kind = CrateType.OBJECT if request.crate_type is CrateType.OBJECT else CrateType.RLIB
    return replace(request, crate_type=kind, options=options, natives=(), embed=b"")


def _config(backend: CodegenBackend, request: LinkRequest) -> ModuleConfig:
    """Return how one module is optimized or lowered, which depends on less than the global analysis."""
    names = backend.MODULE_OPTIONS
    options = request.options if names is None else request.options.only(names)
    return replace(request.config, options=options)


def _optimize(engine: Engine, backend: CodegenBackend, request: LinkRequest) -> Optimized:
    started = time.monotonic()
    taking_part, rest = _taking_part(backend, request)
    step = _fat if request.lto is LtoMode.FAT else _thin
    modules, done, reused = step(engine, backend, replace(request, modules=taking_part, opaque=rest))
    report = LtoReport(
        mode=request.lto,
        optimized=done,
        reused=reused,
        offered=_offered(request.crate, taking_part),
        bytes_before=sum(len(item.module.data) for item in taking_part),
        bytes_after=sum(len(item.module.data) for item in modules),
        seconds=time.monotonic() - started,
    )
    return Optimized((*modules, *lower_modules(engine, backend, request, rest)), report)


def _taking_part(
    backend: CodegenBackend, request: LinkRequest
) -> tuple[tuple[LinkModule, ...], tuple[LinkModule, ...]]:
    local = request.lto is LtoMode.THIN_LOCAL
    chosen = [
        backend.supports_lto(item.module) and (not local or item.crate == request.crate) for item in request.modules
    ]
    return (
        tuple(item for item, takes in zip(request.modules, chosen, strict=True) if takes),
        tuple(item for item, takes in zip(request.modules, chosen, strict=True) if not takes),
    )


def _offered(crate: str, modules: Sequence[LinkModule]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(item.crate for item in modules if item.crate != crate).items())


def _fat(engine: Engine, backend: CodegenBackend, request: LinkRequest) -> tuple[list[LinkModule], int, int]:
    if not request.modules:
        return [], 0, 0
    label = f"crate '{request.crate}': fat LTO"
    memory = backend.lto_memory(request)

    def run(call: BackendCall[ModuleCodegen]) -> tuple[ModuleCodegen, bool]:
        jobs = [Job(call, label, memory=memory, crate=request.crate)]
        (outcome,) = engine.run_cached(backend.NAME, request.target, jobs, _fingerprint(engine, backend))
        return outcome.get(request.crate), outcome.hit

    merged, _ = run(BackendCall(CodegenBackend.run_fat_lto, request))
    optimized, hit = run(BackendCall(CodegenBackend.optimize_fat, merged, _config(backend, request)))
    (module,) = lower_modules(engine, backend, request, [LinkModule(request.crate, optimized)], memory=memory)
    return [module], int(not hit), int(hit)


def _thin(engine: Engine, backend: CodegenBackend, request: LinkRequest) -> tuple[list[LinkModule], int, int]:
    name, target, fingerprint = backend.NAME, request.target, _fingerprint(engine, backend)
    label = f"crate '{request.crate}': thin LTO"
    parts = [request.of_part(part) for part in backend.split_lto(request)]

    def analyse(asked: Sequence[LinkRequest], retried: bool = False) -> list[JobOutcome[tuple[ThinModule, ...]]]:
        jobs = [
            Job(
                BackendCall(CodegenBackend.run_thin_lto, part),
                f"{label} of {part.part}" if part.part else label,
                crate=request.crate,
                unit=part.part,
                retried=retried,
            )
            for part in asked
        ]
        return engine.run_cached(name, target, jobs, fingerprint)

    todo: list[ThinModule] = []
    for part, analysed in zip(parts, analyse([backend.narrow_lto(part) for part in parts], True), strict=True):
        # The reduced request may lack what makes a message readable, so a failure is repeated with the full one.
        again = analyse(split_crashed(backend, part, analysed.error) or [part]) if analysed.error else [analysed]
        todo += [module for outcome in again for module in outcome.get(request.crate)]
    if len(parts) > 1:  # results follow the order of the link's modules, not of its parts
        todo.sort(key=_order(request.modules))
    # Names and crates decide nothing and are not in the key: equal modules of other crates share the work.
    memory, config = backend.lto_memory(request), _config(backend, request)
    blank = [replace(item, name="", crate="", attributes=()) for item in todo]
    jobs = [
        Job(
            BackendCall(CodegenBackend.optimize_thin, module, config.of(item.attributes)),
            f"{label} of {item.name}",
            memory=memory,
            size=len(module.data),
            crate=item.crate,
            unit=item.name,
        )
        for module, item in zip(blank, todo, strict=True)
    ]
    outcomes = engine.run_cached(name, target, jobs, fingerprint)
    done: list[LinkModule] = []
    for item, outcome in zip(todo, outcomes, strict=True):
        module = outcome.get(item.crate, item.name)
        attributes = tuple(sorted((*module.attributes, *item.attributes)))
        done.append(LinkModule(item.crate, replace(module, name=item.name, attributes=attributes)))
    hits = sum(outcome.hit for outcome in outcomes)
    return done, len(outcomes) - hits, hits


def split_crashed(backend: CodegenBackend, part: LinkRequest, error: CratewrightError) -> list[LinkRequest]:
    """Return the smaller parts to try if tools crashed or hung on a part; none after any other failure."""
    return [part.of_part(each) for each in backend.split_crashed(part)] if isinstance(error, ToolError) else []


def _order(modules: Sequence[LinkModule]) -> Callable[[ThinModule], int]:
    """Return the position of a module's origin, whose name is equal or is followed by a space and more."""
    places = {(item.crate, item.module.name): at for at, item in enumerate(modules)}

    def place(item: ThinModule) -> int:
        names = (item.name, item.name.rpartition(" ")[0])
        return next((places[item.crate, name] for name in names if (item.crate, name) in places), len(places))

    return place


def lower_modules(
    engine: Engine, backend: CodegenBackend, request: LinkRequest, modules: Sequence[LinkModule], *, memory: int = 0
) -> tuple[LinkModule, ...]:
    """Lower modules, each once, concurrently.

    Units: `memory` in bytes that lowering one may need.
    """
    if not implements(backend, CodegenBackend.codegen):
        return tuple(modules)
    config = _config(backend, request)
    todo = [item for item in modules if not backend.is_lowered(item.module)]
    jobs = [
        Job(
            BackendCall(CodegenBackend.codegen, replace(item.module, name=""), config),
            f"crate '{item.crate}': {item.module.name}",
            memory=memory,
            size=len(item.module.data),
            crate=item.crate,
            unit=item.module.name,
        )
        for item in todo
    ]
    outcomes = iter(engine.run_cached(backend.NAME, request.target, jobs, _fingerprint(engine, backend)))
    lowered: list[LinkModule] = []
    for item in modules:
        if backend.is_lowered(item.module):
            lowered.append(item)
        else:
            module = next(outcomes).get(item.crate, item.module.name)
            lowered.append(LinkModule(item.crate, replace(module, name=item.module.name)))
    return tuple(lowered)


def _fingerprint(engine: Engine, backend: CodegenBackend) -> str:
    return engine.fingerprint(backend.NAME, backend.session.target)
