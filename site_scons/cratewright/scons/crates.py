"""Crates as SCons knows them: their nodes, and the actions that make them.

Knows nothing of how a crate was declared; it is given values and functions that give values.
"""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import field
from typing import Any

import SCons.Errors
import SCons.Node.FS
import SCons.Script
import SCons.Util

from ..crate import CrateType
from ..dependency_format import DependencyFormats, Linkage
from ..digest import content_digest
from ..emitted import emitted_directory
from ..errors import CratewrightError, GraphError, LinkageConflictError, ValidationError, near_miss
from ..events import OutputMade
from ..format_table import FormatTable, LinkableCrate
from ..fs import OutputArea, prune_directory, read_bytes, write_atomic
from ..graph import CrateGraph
from ..locator import check_stable_ids
from ..metadata import decode_dylib, decode_rlib, decode_rlink, encode_rlib, encode_rlink, read_interface
from ..output_name import seen_from
from ..pipeline.codegen import codegen_crate
from ..pipeline.emit import discard, emit, output_area, place
from ..pipeline.engine import Engine
from ..pipeline.job import NOUNS
from ..pipeline.link import Dependency, link_crate
from ..pipeline.locating import source_of
from ..pipeline.lto import lto_event, lto_line, lto_row
from ..request import LinkLibrary
from ..values import dataclass
from .generated import GeneratedFiles
from .paths import relative
from .reporting import Reporting, left_to_say
from .state import StageState, forget
from .target import CrateTarget, DeclaredCrate

__all__ = ["Build", "CrateTarget", "DeclaredCrate", "planning_errors"]

Node = Any
"""An SCons node; SCons has no types to check against."""


@dataclass(frozen=True, slots=True)
class LinkedCrate:
    """A crate that another links, how, and the node that is linked."""

    crate: DeclaredCrate
    linkage: Linkage
    node: Node


@dataclass(slots=True)
class Build:
    """All crates of one SCons run.

    Shape: `crates` by key; a key is the name, the directory and what distinguishes one environment's crates.
    """

    root: str
    crates: dict[str, DeclaredCrate] = field(default_factory=dict)
    engines: dict[tuple[tuple[str, str], ...], Engine] = field(default_factory=dict)
    generated: GeneratedFiles = field(init=False)
    _graph: CrateGraph | None = None
    _named: dict[str, dict[str, DeclaredCrate]] = field(default_factory=dict)
    _linked: dict[tuple[str, CrateType], tuple[DependencyFormats, list[LinkedCrate]]] = field(default_factory=dict)
    _formats: FormatTable | None = None
    _for_lto: frozenset[str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    reporting: Reporting = field(init=False)

    def __post_init__(self) -> None:
        self.generated = GeneratedFiles(self.root)
        self.reporting = Reporting(self.root)

    def declare(self, crate: DeclaredCrate) -> None:
        """Add a crate.

        Raises: GraphError if its files would be those of another.
        """
        named = self._named.setdefault(crate.name, {})
        if crate.directory in named:
            raise GraphError(
                f"two crates are called '{crate.name}'",
                context=(("directory", crate.directory or "."),),
                hint="rename one, or build it in a variant directory of its own",
            )
        named[crate.directory] = crate
        self.crates[crate.key] = crate
        if self.reporting.is_recorded:
            self.reporting.hear(crate.event)
        self._graph = self._formats = self._for_lto = None
        self._linked.clear()

    def of_target(self, target: CrateTarget) -> DeclaredCrate | None:
        """Return the crate that a target stands for, if it is one of this build."""
        crate = self.crates.get(target.key)
        return crate if crate is not None and crate.target is target else None

    def find(self, name: str, *, near: DeclaredCrate) -> DeclaredCrate:
        """Return the crate that a dependency names: by its key, or the one crate of that name.

        Raises: GraphError if there is none, or more than one.
        """
        if name in self.crates:
            return self.crates[name]
        found = self._named.get(name, {})
        if near.directory in found:
            return found[near.directory]
        if len(found) == 1:
            return next(iter(found.values()))
        where = f"{near.place(name)}: " if near.place else ""
        if found:
            raise GraphError(
                f"{where}crate '{near.name}' depends on '{name}', and there are {len(found)} of that name",
                context=tuple(("in", directory or ".") for directory in found),
                hint="pass what env.Crate returned instead of the name",
            )
        others = (crate.name for crate in self.crates.values() if crate is not near)
        raise GraphError(
            f"{where}crate '{near.name}' depends on '{name}', which is no crate", hint=near_miss(name, others)
        )

    def direct(self, crate: DeclaredCrate) -> list[DeclaredCrate]:
        """Return the crates that one depends on directly, in the order declared.

        Raises: GraphError as `find`.
        """
        return [self.find(name, near=crate) for name in crate.dependencies]

    def below(self, crate: DeclaredCrate) -> list[DeclaredCrate]:
        """Return all crates that one depends on, in link order.

        Raises: GraphError as `linked`.
        """
        with self._lock:
            graph, _ = self._tables()
            return [self.crates[key] for key in graph.link_order(crate.key)]

    def is_for_lto(self, crate: DeclaredCrate) -> bool:
        """Return whether a link may optimise the modules of a crate with others; so it may if nothing here links them.

        Raises: GraphError as `find`.
        """
        with self._lock:
            if self._for_lto is None:
                linked: dict[bool, set[str]] = {True: set(), False: set()}
                for item in self.crates.values():
                    for has_lto in item.links_with_lto():
                        self._mark(item, linked[has_lto])
                self._for_lto = frozenset({*linked[True], *(self.crates.keys() - linked[False])})
            return crate.key in self._for_lto

    def _mark(self, crate: DeclaredCrate, marked: set[str]) -> None:
        pending = [crate]
        while pending:
            item = pending.pop()
            if item.key not in marked:
                marked.add(item.key)
                pending += self.direct(item)

    def linked(self, crate: DeclaredCrate, kind: CrateType) -> tuple[DependencyFormats, list[LinkedCrate]]:
        """Return how each dependency gets into one crate type of a crate, and the nodes that are linked, in order.

        Raises: GraphError for an unknown crate or a cycle; LinkageConflictError naming the crates that conflict;
        LinkError for two crates of one identity.
        """
        known = self._linked.get((crate.key, kind))
        if known is not None:
            return known
        with self._lock:
            graph, table = self._tables()
            with _display_names(self.crates):
                formats = table.formats(crate.key, kind)
                order = graph.link_order(crate.key)
        check_stable_ids(
            [
                (item.path(item.name), item.reference)
                for key in (crate.key, *formats.crates)
                for item in [self.crates[key]]
            ]
        )
        how = dict(zip(formats.crates, formats.linkages, strict=True))
        needs = {Linkage.STATIC: CrateType.RLIB, Linkage.DYNAMIC: CrateType.DYLIB}
        linked = [
            LinkedCrate(self.crates[key], how[key], self.crates[key].libraries[needs[how[key]]])
            for key in order
            if how.get(key) in needs
        ]
        if not SCons.Script.sconscript_reading:
            self._linked[crate.key, kind] = formats, linked
        return formats, linked

    def _tables(self) -> tuple[CrateGraph, FormatTable]:
        if self._graph is not None and self._formats is not None:
            return self._graph, self._formats
        edges = {item.key: [other.key for other in self.direct(item)] for item in self.crates.values()}
        with _display_names(self.crates):
            graph = CrateGraph(edges)
        crates = {
            item.key: LinkableCrate(crate_types=frozenset(item.crate_types), prefer_dynamic=item.prefer_dynamic)
            for item in self.crates.values()
        }
        self._graph, self._formats = graph, FormatTable(graph, crates)
        return self._graph, self._formats

    # The three stages. Each is an SCons action's body: it reads nodes, asks the pipeline, writes.

    def codegen(self, crate: DeclaredCrate, targets: list[Node], state: StageState, jobs: int) -> None:
        """Make the `.rlink`, and what units leave beside their crate."""
        target = targets[0]
        crate.engine.jobs = jobs
        noted = crate.engine.ledger(str(target.abspath))
        told = self.reporting.stage("codegen", crate.name, relative(target))
        kept = self._nothing_left(crate, state, targets)
        with _build_errors(target, state), kept, told as report, noted as ledger:
            result = codegen_crate(crate.engine, crate.crate)
            area = OutputArea(self.root, crate.directory)
            files, outputs = place(result.emitted, area, where=f"crate '{crate.name}'")
            emit(area, files, state.outputs())
            if set(state.outputs()) - set(outputs):
                prune_directory(self._emitted(crate))
            write_atomic(str(target.abspath), encode_rlink(result.metadata))
            state.update(result.observed, outputs)
            report.counts = _counts("unit", result.compiled, "compiled", result.reused)
            report.reason = ledger.reason(NOUNS)
            report.timings = crate.engine.timing_lines()

    def archive(self, declared: DeclaredCrate, rlink: Node, target: Node) -> None:
        """Make the `.rlib`, which records the interfaces of what the crate depends on."""
        with _build_errors(target, None), self.reporting.stage("archive", declared.name, relative(target)):
            crate = decode_rlink(read_bytes(str(rlink.abspath)), path=str(rlink))
            interfaces = {
                other.reference.stable_id: read_interface(read_bytes(str(node.abspath)), path=str(node))
                for other in self.direct(declared)
                for node in [other.described_by]
            }
            write_atomic(str(target.abspath), encode_rlib(crate.knowing(interfaces)))

    def link(
        self,
        crate: DeclaredCrate,
        kind: CrateType,
        rlink: Node,
        targets: list[Node],
        state: StageState,
        jobs: int,
    ) -> None:
        """Make what a crate type consists of."""
        crate.engine.jobs = jobs
        noted = crate.engine.ledger(str(targets[0].abspath))
        told = self.reporting.stage("link", crate.name, relative(targets[0]))
        kept = self._nothing_left(crate, state, targets)
        with _build_errors(targets[0], state), kept, told as report, noted as ledger:
            own = decode_rlink(read_bytes(str(rlink.abspath)), path=str(rlink))
            formats, linked_crates = self.linked(crate, kind)
            dependencies = [_dependency(item, crate.directory) for item in linked_crates]
            try:
                linked = link_crate(crate.engine, own, dependencies, kind, formats)
            except ValidationError as error:
                sources = {
                    item.crate.stable_id: item.crate for item in (crate, *(each.crate for each in linked_crates))
                }
                report.diagnostics = source_of(error, crate.engine, own, dependencies, kind, formats, sources=sources)
                raise
            area = output_area(self.root, crate.directory, crate.engine.backend(own.backend, own.target), own)
            files, outputs = place(linked.artifacts, area, where=f"crate '{crate.name}'")
            emit(area, files, state.outputs())
            state.update(linked.observed, outputs, lto_row(linked.lto) if linked.lto else None)
            made = _counts("image", linked.linked, "linked", linked.reused)
            if linked.lto is not None:
                made = f"{lto_line(linked.lto, shared=linked.lto_shared)}; {made}"
                self.reporting.hear(lto_event(crate.name, relative(targets[0]), linked.lto))
            for item in linked.artifacts:
                self.reporting.hear(OutputMade(crate.name, item.path, len(item.data)))
            report.diagnostics = linked.diagnostics
            report.counts = made
            report.reason = ledger.reason(NOUNS)
            report.timings = crate.engine.timing_lines()

    @contextmanager
    def _nothing_left(self, crate: DeclaredCrate, state: StageState, targets: list[Node]) -> Iterator[None]:
        """Remove the outputs of a link that fails, those of the link before it included."""
        try:
            yield
        except BaseException:
            discard(
                OutputArea(self.root, crate.directory), (*state.outputs(), *(str(node.abspath) for node in targets))
            )
            for node in targets:
                if isinstance(node, SCons.Node.FS.Dir):
                    prune_directory(str(node.abspath))
            prune_directory(self._emitted(crate))
            raise

    def _emitted(self, crate: DeclaredCrate) -> str:
        return os.path.join(self.root, crate.directory, emitted_directory(crate.name))


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


@contextmanager
def _display_names(crates: Mapping[str, DeclaredCrate]) -> Iterator[None]:
    """Show crates in an error by their names: keys are for telling them apart inside."""
    try:
        yield
    except (GraphError, LinkageConflictError) as error:

        def shown(text: str) -> str:
            for key in sorted(crates, key=len, reverse=True):
                text = text.replace(key, crates[key].name)
            return text

        context = [(label, shown(str(value))) for label, value in error.context]
        raise type(error)(shown(error.message), context=context, hint=shown(error.hint)) from error


def _counts(noun: str, made: int, verb: str, reused: int) -> str:
    total = made + reused
    return f"{total} {noun}{'s' if total != 1 else ''}: {made} {verb}, {reused} reused"


@contextmanager
def planning_errors() -> Iterator[None]:
    """Let SCons print a planning error as one of its own, without a traceback."""
    try:
        yield
    except CratewrightError as error:
        raise SCons.Errors.UserError(str(error)) from error


# As for the methods of an Environment: the message is to name the line of the SConstruct.
_body = planning_errors.__wrapped__  # type: ignore[attr-defined]
_body.__code__ = _body.__code__.replace(co_filename=SCons.Errors.__file__)


@contextmanager
def _build_errors(target: Node, state: StageState | None) -> Iterator[None]:
    """Let SCons print a build error as one of its own; the target is gone and counts as never built."""
    try:
        yield
    except BaseException as error:
        if state is not None:
            forget(str(target.abspath))
        if not isinstance(target, SCons.Node.FS.Dir):
            # What cannot be removed is out of date all the same; the error is about what came before.
            with suppress(OSError):
                os.unlink(target.abspath)
        if isinstance(error, CratewrightError):
            raise SCons.Errors.BuildError(node=target, errstr=left_to_say(error), status=2, exitstatus=2) from error
        raise
