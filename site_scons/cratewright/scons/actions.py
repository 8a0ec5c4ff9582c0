"""The bodies of SCons actions: each reads nodes, calls the pipeline and writes the result."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import SCons.Errors
import SCons.Node.FS

from ..base.diagnostic import Diagnostic
from ..base.digest import content_digest
from ..base.errors import CratewrightError, FormatError, ValidationError, VersionError
from ..cache.history import StageHistory
from ..contract.backend import CodegenBackend
from ..contract.emitted import emitted_directory
from ..formats.crate_metadata import CrateMetadata
from ..formats.lto_file import LtoFile, decode_lto, encode_lto
from ..formats.metadata import decode_dylib, decode_rlib, decode_rlink, encode_rlib, encode_rlink, read_interface
from ..pipeline.codegen import codegen_crate
from ..pipeline.emit import assign_paths, discard, emit, output_area
from ..pipeline.job import NOUNS
from ..pipeline.link import leavings, link_modules
from ..pipeline.link_inputs import Dependency, link_request
from ..pipeline.locating import source_of
from ..pipeline.lto import lto_event, lto_line, lto_row, optimize
from ..rules.dependency_format import DependencyFormats, Linkage
from ..rules.output_name import seen_from
from ..system.events import CratesLinked, OutputMade
from ..system.fs import prune_directory, read_bytes, write_atomic
from ..system.output_area import OutputArea
from ..system.stage_file import read_record
from ..values.crate_type import CrateType
from ..values.module import Observed, merge_observed
from ..values.request import LinkLibrary, LinkRequest
from .crates.build import Build
from .crates.declared_crate import DeclaredCrate
from .crates.linked_crates import LinkedCrate
from .graph.mirror import Mirror
from .nodes.node import Node
from .nodes.paths import relative
from .nodes.state import StageState
from .reporting.build_events import error_summary

FROM = "from"
"""The file from link-time optimization, in the record of a link."""


def run_codegen(build: Build, crate: DeclaredCrate, targets: list[Node], state: StageState, jobs: int) -> None:
    """Make the `.rlink`, and the files that units write beside their crate."""
    target = targets[0]
    crate.engine.jobs = jobs
    history = StageHistory(state.history)
    recording = crate.engine.recording(history, crate.key)
    reporting = build.reporting.stage("codegen", crate.name, relative(target))
    removing = _removed_on_error(build, crate, state, targets)
    with _build_errors(target, state, history), recording, removing, reporting as report:
        build.prefetch(crate)
        result = codegen_crate(crate.engine, crate.crate)
        for mirror in {mirror for node in crate.sources if (mirror := Mirror.for_node(node)) and mirror.duplicates}:
            read = (item.path for item in result.observed if item.digest is not None)
            build.generated.check_beside(mirror, read, crate=crate.name)
        area = OutputArea(build.root, crate.directory)
        files, outputs = assign_paths(result.emitted, area, where=f"crate '{crate.name}'")
        emit(area, files, state.outputs())
        if set(state.outputs()) - set(outputs):
            prune_directory(_emitted(build, crate))
        write_atomic(str(target.abspath), encode_rlink(result.metadata))
        state.update(result.observed, outputs, history=history.encode())
        report.counts = _counts("unit", result.compiled, "compiled", result.reused)
        report.reason = history.reason(NOUNS)
        report.timings = crate.engine.timing_lines()


def run_archive(build: Build, declared: DeclaredCrate, rlink: Node, target: Node, state: StageState) -> None:
    """Make the `.rlib`, which records the interfaces of the crate's dependencies."""
    with _build_errors(target, state), build.reporting.stage("archive", declared.name, relative(target)):
        crate = _own(rlink)
        interfaces = {
            other.reference.stable_id: read_interface(read_bytes(str(node.abspath)), path=str(node))
            for other in build.direct(declared)
            for node in [other.interface_file]
        }
        write_atomic(str(target.abspath), encode_rlib(crate.knowing(interfaces)))
        state.update((), (relative(target),))


def run_lto(
    build: Build,
    crate: DeclaredCrate,
    kinds: Sequence[CrateType],
    rlink: Node,
    target: Node,
    state: StageState,
    links: Sequence[tuple[StageState, list[Node]]],
    jobs: int,
) -> None:
    """Optimize what the crate types of one list of dependency formats link, and write it to one file.

    Shape: `links` are the images linked from it; they are removed if this fails.
    """
    engine = crate.engine
    engine.jobs = jobs
    history = StageHistory(state.history)
    reporting = build.reporting.stage("lto", crate.name, relative(target))
    with ExitStack() as stack:
        stack.enter_context(_build_errors(target, state, history))
        for linked_state, targets in links:
            stack.enter_context(_removed_on_error(build, crate, linked_state, targets))
        report = stack.enter_context(reporting)
        stack.enter_context(engine.recording(history, crate.key))
        own = _own(rlink)
        backend = engine.backend(own.backend, own.target)
        requests: list[LinkRequest] = []
        rows: dict[str, object] = {}
        lines: list[str] = []
        observed: list[tuple[Observed, ...]] = []
        formats, linked = build.links.linked(crate, kinds[0])
        dependencies = [_dependency(item, crate.directory) for item in linked]
        for kind in kinds:
            own_formats = formats if kind is kinds[0] else build.links.linked(crate, kind)[0]
            request = link_request(engine, own, dependencies, kind, own_formats)
            with leavings(engine, backend, request):
                optimized = optimize(engine, backend, request)
            requests.append(replace(request, modules=optimized.modules))
            observed.append(optimized.observed)
            if optimized.report is not None:
                rows[kind.value] = lto_row(optimized.report)
                lines.append(lto_line(optimized.report, shared=optimized.shared))
                if not optimized.shared:
                    build.reporting.hear(lto_event(crate.name, relative(target), optimized.report))
        result = LtoFile(own.backend, own.fingerprint, tuple(requests))
        write_atomic(str(target.abspath), encode_lto(result))
        # A report of LTO in its result would make that differ between runs.
        state.update(merge_observed(observed), (relative(target),), rows, history.encode())
        report.counts = "\n".join(lines)
        report.reason = history.reason(NOUNS)
        report.timings = engine.timing_lines()


def run_link(
    build: Build,
    crate: DeclaredCrate,
    kind: CrateType,
    rlink: Node,
    optimized: Node | None,
    targets: list[Node],
    state: StageState,
    jobs: int,
) -> None:
    """Make the files of a crate type, from a `.rlink` or the result of link-time optimization."""
    engine = crate.engine
    engine.jobs = jobs
    history = StageHistory(state.history)
    recording = engine.recording(history, crate.key)
    reporting = build.reporting.stage("link", crate.name, relative(targets[0]))
    removing = _removed_on_error(build, crate, state, targets)
    with _build_errors(targets[0], state, history), recording, removing, reporting as report:
        backend, request, row = _to_link(build, crate, kind, rlink, optimized)
        try:
            linked = link_modules(engine, backend, request)
        except ValidationError as error:
            report.diagnostics = _source_diagnostics(build, crate, kind, rlink, error)
            raise
        if build.reporting.is_recorded:
            below = build.links.linked(crate, kind)[1]
            names, linkages = tuple(item.crate.name for item in below), tuple(item.linkage.value for item in below)
            build.reporting.hear(CratesLinked(crate.name, kind.value, names, linkages))
        area = output_area(build.root, crate.directory, backend, request.options)
        files, outputs = assign_paths(linked.artifacts, area, where=f"crate '{crate.name}'")
        emit(area, files, state.outputs())
        state.update(linked.observed, outputs, row or None, history.encode())
        for item in linked.artifacts:
            build.reporting.hear(OutputMade(crate.name, item.path, len(item.data)))
        report.diagnostics = linked.diagnostics
        report.counts = _counts("image", linked.linked, "linked", linked.reused)
        report.reason = history.reason(NOUNS)
        report.timings = engine.timing_lines()


def _own(rlink: Node) -> CrateMetadata:
    return decode_rlink(read_bytes(str(rlink.abspath), role=".rlink file"), path=str(rlink))


def _to_link(
    build: Build, crate: DeclaredCrate, kind: CrateType, rlink: Node, optimized: Node | None
) -> tuple[CodegenBackend, LinkRequest, dict[str, object]]:
    """Return what is left to link, and the report on its inputs for the record."""
    engine = crate.engine
    if optimized is None:
        own, formats, dependencies = _inputs(build, crate, kind, rlink)
        backend = engine.backend(own.backend, own.target)
        request = link_request(engine, own, dependencies, kind, formats)
        with leavings(engine, backend, request):
            return backend, replace(request, modules=optimize(engine, backend, request).modules), {}
    path = str(optimized)
    left = decode_lto(read_bytes(str(optimized.abspath), role="result of LTO"), path=path)
    request = left.request(kind, path=path)
    if request.crate != crate.name:
        raise FormatError(f"{path} is of crate '{request.crate}', not of '{crate.name}'")
    backend = engine.backend(left.backend, request.target)
    if left.fingerprint != engine.fingerprint(left.backend, request.target):
        raise VersionError(f"{path} was made by tools other than those installed", hint="build it again")
    return backend, request, {**_lto_report(optimized, kind), FROM: os.path.basename(path)}


def _inputs(
    build: Build, crate: DeclaredCrate, kind: CrateType, rlink: Node
) -> tuple[CrateMetadata, DependencyFormats, list[Dependency]]:
    formats, linked = build.links.linked(crate, kind)
    return _own(rlink), formats, [_dependency(item, crate.directory) for item in linked]


def _source_diagnostics(
    build: Build, crate: DeclaredCrate, kind: CrateType, rlink: Node, error: ValidationError
) -> tuple[Diagnostic, ...]:
    """Return diagnostics with the line of a source that makes a link fail, if it can be found."""
    own, formats, dependencies = _inputs(build, crate, kind, rlink)
    parts = (crate, *(each.crate for each in build.links.linked(crate, kind)[1]))
    sources = {item.crate.stable_id: item.crate for item in parts}
    return source_of(error, crate.engine, own, dependencies, kind, formats, sources=sources)


def _lto_report(optimized: Node, kind: CrateType) -> dict[str, object]:
    record = read_record(str(optimized.abspath))
    row = record.report_rows().get(kind.value) if record is not None else None
    return dict(row) if isinstance(row, dict) else {}


@contextmanager
def _removed_on_error(build: Build, crate: DeclaredCrate, state: StageState, targets: list[Node]) -> Iterator[None]:
    """If a stage fails, remove its outputs, including those of its previous run."""
    try:
        yield
    except BaseException:
        discard(OutputArea(build.root, crate.directory), (*state.outputs(), *(str(node.abspath) for node in targets)))
        for node in targets:
            if isinstance(node, SCons.Node.FS.Dir):
                prune_directory(str(node.abspath))
        prune_directory(_emitted(build, crate))
        raise


def _emitted(build: Build, crate: DeclaredCrate) -> str:
    return os.path.join(build.root, crate.directory, emitted_directory(crate.name))


def _dependency(item: LinkedCrate, directory: str) -> Dependency:
    path = str(item.node.abspath)
    if item.linkage is Linkage.STATIC:
        crate = decode_rlib(read_bytes(path, role="rlib"), path=str(item.node))
        return Dependency(item.crate.key, crate, item.linkage)
    data = read_bytes(path, role="dylib")
    crate, _ = decode_dylib(data, path=str(item.node))
    found = relative(item.node)
    library = LinkLibrary(crate.name, found, content_digest(data), seen_from(directory, posixpath.dirname(found)))
    return Dependency(item.crate.key, crate, item.linkage, library)


def _counts(noun: str, made: int, verb: str, reused: int) -> str:
    total = made + reused
    return f"{total} {noun}{'s' if total != 1 else ''}: {made} {verb}, {reused} reused"


@contextmanager
def _build_errors(target: Node, state: StageState, history: StageHistory | None = None) -> Iterator[None]:
    """Raise a build error as one of SCons's own; the target is removed and counts as never built."""
    try:
        yield
    except BaseException as error:
        state.fail(history.encode(failed=True) if history is not None else b"")
        if not isinstance(target, SCons.Node.FS.Dir):
            # A file that cannot be removed is out of date anyway; report the original error.
            with suppress(OSError):
                os.unlink(target.abspath)
        if isinstance(error, CratewrightError):
            raise SCons.Errors.BuildError(node=target, errstr=error_summary(error), status=2, exitstatus=2) from error
        raise
