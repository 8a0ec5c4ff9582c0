"""All crates of one SCons run: their dependencies, and how each is linked."""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING

import SCons.Errors
import SCons.Node.FS
import SCons.Script
import SCons.Util

from ..base.errors import GraphError, LinkageConflictError, near_miss
from ..base.values import dataclass
from ..formats.locator import check_stable_ids
from ..pipeline.engine import Engine
from ..rules.dependency_format import DependencyFormats, Linkage
from ..rules.format_table import FormatTable, LinkableCrate
from ..rules.graph import CrateGraph
from ..system.ending import end_on_signals
from ..values.crate import CrateType
from ..values.options import LtoMode
from .following import Following
from .generated import GeneratedFiles
from .node import Node
from .reporting import Reporting
from .settling import settling_of
from .target import CrateTarget, DeclaredCrate

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["Build", "CrateTarget", "DeclaredCrate", "build_of"]

_AHEAD = 100
"""How many crates are fetched before they are built: SCons may build only a few."""


@dataclass(frozen=True, slots=True)
class LinkedCrate:
    """A crate that another one links, in which way, and the node that is linked."""

    crate: DeclaredCrate
    linkage: Linkage
    node: Node


@dataclass(slots=True)
class Build:
    """All crates of one SCons run.

    Shape: `crates` by key; a key is the name, the directory and what distinguishes one environment's crates.
    `known_links` are the answers of `links_of` for crates that crates link which are not declared.
    """

    root: str
    crates: dict[str, DeclaredCrate] = field(default_factory=dict)
    engines: dict[tuple[tuple[str, str], ...], Engine] = field(default_factory=dict)
    generated: GeneratedFiles = field(init=False)
    following: Following = field(default_factory=Following)
    _graph: CrateGraph | None = None
    _named: dict[str, dict[str, DeclaredCrate]] = field(default_factory=dict)
    _linked: dict[tuple[str, CrateType], tuple[DependencyFormats, list[LinkedCrate]]] = field(default_factory=dict)
    _formats: FormatTable | None = None
    known_links: Mapping[str, Sequence[bool]] = field(default_factory=dict)
    _links_of: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    _any_instead: bool | None = None
    _ahead: int = 0
    _order: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    reporting: Reporting = field(init=False)

    def __post_init__(self) -> None:
        self.generated = GeneratedFiles(self.root)
        self.reporting = Reporting(self.root, lambda: sum(each.ran_elsewhere for each in self.engines.values()))

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
        self._graph = self._formats = self._any_instead = None
        self._linked.clear()
        self._links_of.clear()

    def prefetch(self, crate: DeclaredCrate) -> None:
        """Fetch results of crates that come after this one and were never built from distant caches: it is about to be
        built.
        """
        prefetch = crate.engine.prefetch
        if prefetch is None or not prefetch.begun:
            return
        with self._lock:
            if len(self._order) != len(self.crates):
                self._order = {key: number for number, key in enumerate(self.crates)}
            here = self._order[crate.key] + 1
            if self._ahead > here + _AHEAD // 2:
                return
            others = list(self.crates.values())[max(self._ahead, here) : here + _AHEAD]
            self._ahead = here + _AHEAD
        prefetch.expect(
            other.key
            for other in others
            if other.engine is crate.engine
            and other.target is not None
            and other.target.rlink is not None
            and not os.path.exists(str(other.target.rlink.abspath))
        )

    def named(self, name: str) -> list[DeclaredCrate]:
        """Return the declared crates of a name."""
        return list(self._named.get(name, {}).values())

    def of_target(self, target: CrateTarget) -> DeclaredCrate | None:
        """Return the crate that a target of this build stands for."""
        crate = self.crates.get(target.key)
        return crate if crate is not None and crate.target is target else None

    def find(self, name: str, *, near: DeclaredCrate) -> DeclaredCrate:
        """Return the crate that a dependency names: by its key, or the one crate of that name.

        Raises: GraphError if there is none, or more than one.
        """
        if name in self.crates:
            return self.crates[name]
        found = self._named.get(name, {})
        fit = {place: item for place, item in found.items() if item.fits(near.backend, near.machine)} or found
        for place in (near.directory, posixpath.join(near.directory, near.machine)):
            if place in fit:
                return fit[place]
        if len(fit) == 1:
            return next(iter(fit.values()))
        where = f"{near.place(name)}: " if near.place else ""
        if found:
            raise GraphError(
                f"{where}crate '{near.name}' depends on '{name}', and there are {len(found)} of that name",
                context=tuple(("in", directory or ".") for directory in found),
                hint="pass what env.Crate returned instead of the name",
            )
        others = (crate.name for crate in self.crates.values() if crate is not near)
        raise GraphError(
            f"{where}crate '{near.name}' depends on '{name}', which is not a crate", hint=near_miss(name, others)
        )

    def direct(self, crate: DeclaredCrate) -> list[DeclaredCrate]:
        """Return the direct dependencies of a crate, in the order declared.

        Raises: GraphError as `find`, and for a crate of another target.
        """
        found = [self.find(name, near=crate) for name in crate.dependencies]
        for name, other in zip(crate.dependencies, found, strict=True):
            if not other.fits(crate.backend, crate.machine):
                where = f"{crate.place(name)}: " if crate.place else ""
                raise GraphError(
                    f"{where}crate '{crate.name}' is for target '{crate.machine}', and '{other.name}' is not",
                    context=(("declared in", crate.declared_at), (other.name, f"{other.machine}, {other.declared_at}")),
                    hint=f"declare '{other.name}' without a target, or for this one as well: target=[...]",
                )
        return found

    def below(self, crate: DeclaredCrate) -> list[DeclaredCrate]:
        """Return all dependencies of a crate, in link order.

        Raises: GraphError as `linked`.
        """
        with self._lock:
            graph, _ = self._tables()
            return [self.crates[key] for key in graph.link_order(crate.key)]

    def links_of(self, crate: DeclaredCrate) -> tuple[bool, bool]:
        """Return whether links may optimize the modules of a crate with others, and whether some link each module as
        it is.

        Shape: a crate that nothing here links may be linked in any way elsewhere, also with LTO.
        Raises: GraphError as `find`.
        """
        if crate.key in self.known_links:
            for_lto, for_code = self.known_links[crate.key]
            return for_lto, for_code
        with self._lock:
            if not self._links_of:
                own: dict[bool, set[str]] = {True: set(), False: set()}
                below: dict[bool, set[str]] = {True: set(), False: set()}
                for item in self.crates.values():
                    for mode in item.lto_modes():
                        own[mode is not LtoMode.OFF].add(item.key)
                        together = mode not in (LtoMode.OFF, LtoMode.THIN_LOCAL)
                        self._mark(item, below[together], static=not together)
                alone = own[False] | below[False]
                with_others = own[True] | below[True] | (self.crates.keys() - alone)
                self._links_of = {key: (key in with_others, key in alone) for key in self.crates}
            return self._links_of[crate.key]

    def _mark(self, crate: DeclaredCrate, marked: set[str], *, static: bool = False) -> None:
        """Mark the dependencies of a crate; if `static`, leave out those that can only be linked dynamically, and
        their contents.
        """
        pending = self.direct(crate)
        while pending:
            item = pending.pop()
            if item.key not in marked and (CrateType.RLIB in item.crate_types or not static):
                marked.add(item.key)
                pending += self.direct(item)

    def linked(self, crate: DeclaredCrate, kind: CrateType) -> tuple[DependencyFormats, list[LinkedCrate]]:
        """Return how each dependency gets into one crate type of a crate, and the nodes to link, in order.

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
        instead = self._instead(crate)
        linked = [
            LinkedCrate(
                self.crates[key], how[key], _library(crate, self.crates[key], needs[how[key]], instead.get(key))
            )
            for key in order
            if how.get(key) in needs
        ]
        if not SCons.Script.sconscript_reading:
            self._linked[crate.key, kind] = formats, linked
        return formats, linked

    def _instead(self, crate: DeclaredCrate) -> Mapping[str, Node]:
        """Return the rlibs that replace a crate's own; those of the linked crate take precedence."""
        if not self._has_instead():
            return {}
        found: dict[str, Node] = {}
        for item in (*reversed(self.below(crate)), crate):
            found |= item.instead
        return found

    def _has_instead(self) -> bool:
        if self._any_instead is not None:
            return self._any_instead
        found = any(item.instead for item in self.crates.values())
        if not SCons.Script.sconscript_reading:
            self._any_instead = found
        return found

    def groups(self, crate: DeclaredCrate, kinds: Sequence[CrateType]) -> list[tuple[CrateType, ...]]:
        """Return the crate types of each distinct list of dependency formats and mode of LTO.

        Raises: GraphError and LinkageConflictError as `linked`.
        """
        if len(kinds) < 2:
            return [tuple(kinds)] * bool(kinds)
        keys = self._reached(crate)
        table = FormatTable(
            CrateGraph({key: [other.key for other in self.direct(self.crates[key])] for key in keys}),
            {key: _linkable(self.crates[key]) for key in keys},
        )
        found: dict[object, list[CrateType]] = {}
        for kind in kinds:
            with _display_names(self.crates):
                formats = table.formats(crate.key, kind)
            found.setdefault((formats.linkages, crate.lto_for(kind)), []).append(kind)
        return [tuple(group) for group in found.values()]

    def _reached(self, crate: DeclaredCrate) -> list[str]:
        found: dict[str, None] = {}
        todo = [crate]
        while todo:
            item = todo.pop()
            if item.key not in found:
                found[item.key] = None
                todo += self.direct(item)
        return list(found)

    def _tables(self) -> tuple[CrateGraph, FormatTable]:
        if self._graph is not None and self._formats is not None:
            return self._graph, self._formats
        edges = {item.key: [other.key for other in self.direct(item)] for item in self.crates.values()}
        with _display_names(self.crates):
            graph = CrateGraph(edges)
        crates = {item.key: _linkable(item) for item in self.crates.values()}
        self._graph, self._formats = graph, FormatTable(graph, crates)
        return self._graph, self._formats


def build_of(env: Environment) -> Build:
    """Return all crates of the SCons run that an Environment belongs to, including recorded ones."""
    settling_of(env).declare()
    end_on_signals()
    root = env.Dir("#").abspath
    builds: dict[str, Build] = env.fs.__dict__.setdefault("cratewright_builds", {})
    return builds.setdefault(root, Build(root))


@contextmanager
def _display_names(crates: Mapping[str, DeclaredCrate]) -> Iterator[None]:
    """Show crates in errors by name: keys are internal."""
    try:
        yield
    except (GraphError, LinkageConflictError) as error:

        def shown(text: str) -> str:
            for key in sorted(crates, key=len, reverse=True):
                text = text.replace(key, crates[key].name)
            return text

        context = [(label, shown(str(value))) for label, value in error.context]
        raise type(error)(shown(error.message), context=context, hint=shown(error.hint)) from error


def _linkable(crate: DeclaredCrate) -> LinkableCrate:
    return LinkableCrate(crate_types=frozenset(crate.crate_types), prefer_dynamic=crate.prefer_dynamic)


def _library(crate: DeclaredCrate, other: DeclaredCrate, kind: CrateType, instead: Node | None) -> Node:
    """Return the file of a crate that another one links.

    Raises: GraphError if there is none: the stages were called by hand, and one was left out.
    """
    if instead is not None and kind is CrateType.RLIB:
        return instead
    if kind not in other.libraries:
        stage = "CrateArchive" if kind is CrateType.RLIB else "CrateLink"
        raise GraphError(
            f"crate '{crate.name}' is linked with '{other.name}', of which no {kind.value} is made",
            context=(("declared at", other.declared_at),),
            hint=f"env.{stage}() makes it of {other.name}.rlink",
        )
    return other.libraries[kind]
