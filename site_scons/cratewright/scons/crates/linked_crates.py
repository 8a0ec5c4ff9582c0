"""How declared crates are linked: dependency formats, the files to link, and what shares a run of LTO."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import SCons.Script

from ...base.errors import GraphError, LinkageConflictError
from ...formats.locator import check_stable_ids
from ...rules.dependency_format import DependencyFormats, Linkage
from ...rules.format_table import FormatTable, LinkableCrate
from ...rules.graph import CrateGraph
from ...values.crate_type import CrateType
from ...values.options import LtoMode
from ..nodes.node import Node
from .declared_crate import DeclaredCrate


@dataclass(frozen=True, slots=True)
class LinkedCrate:
    """A crate that another one links, how, and the node that is linked."""

    crate: DeclaredCrate
    linkage: Linkage
    node: Node


class CrateLinks:
    """How the crates of a build are linked; answers are cached until `forget`.

    Shape: `crates` by key; `direct` gives the direct dependencies of a crate. `known` are the answers of `links_of` for
    crates that are linked by others which are not declared.
    """

    def __init__(
        self, crates: Mapping[str, DeclaredCrate], direct: Callable[[DeclaredCrate], list[DeclaredCrate]]
    ) -> None:
        self.known: Mapping[str, Sequence[bool]] = {}
        self._crates = crates
        self._direct = direct
        self._lock = threading.Lock()
        self._graph: CrateGraph | None = None
        self._formats: FormatTable | None = None
        self._linked: dict[tuple[str, CrateType], tuple[DependencyFormats, list[LinkedCrate]]] = {}
        self._links_of: dict[str, tuple[bool, bool]] = {}
        self._any_instead: bool | None = None

    def forget(self) -> None:
        """Drop all answers, because another crate was declared."""
        self._graph = self._formats = self._any_instead = None
        self._linked.clear()
        self._links_of.clear()

    def below(self, crate: DeclaredCrate) -> list[DeclaredCrate]:
        """Return all dependencies of a crate, in link order.

        Raises: GraphError as `linked`.
        """
        with self._lock:
            graph, _ = self._tables()
            return [self._crates[key] for key in graph.link_order(crate.key)]

    def links_of(self, crate: DeclaredCrate) -> tuple[bool, bool]:
        """Return whether links optimize a crate's modules with others, and whether some link them as they are.

        Shape: a crate that nothing here links may be linked in any way elsewhere, also with LTO.
        Raises: GraphError as `find`.
        """
        if crate.key in self.known:
            for_lto, for_code = self.known[crate.key]
            return for_lto, for_code
        with self._lock:
            if not self._links_of:
                own: dict[bool, set[str]] = {True: set(), False: set()}
                below: dict[bool, set[str]] = {True: set(), False: set()}
                for item in self._crates.values():
                    for mode in item.lto_modes():
                        own[mode is not LtoMode.OFF].add(item.key)
                        together = mode not in (LtoMode.OFF, LtoMode.THIN_LOCAL)
                        self._mark(item, below[together], static=not together)
                alone = own[False] | below[False]
                with_others = own[True] | below[True] | (self._crates.keys() - alone)
                self._links_of = {key: (key in with_others, key in alone) for key in self._crates}
            return self._links_of[crate.key]

    def _mark(self, crate: DeclaredCrate, marked: set[str], *, static: bool = False) -> None:
        """Mark the dependencies of a crate; if `static`, only those that can be linked statically."""
        pending = self._direct(crate)
        while pending:
            item = pending.pop()
            if item.key not in marked and (CrateType.RLIB in item.crate_types or not static):
                marked.add(item.key)
                pending += self._direct(item)

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
            with _display_names(self._crates):
                formats = table.formats(crate.key, kind)
                order = graph.link_order(crate.key)
        check_stable_ids(
            [
                (item.path(item.name), item.reference)
                for key in (crate.key, *formats.crates)
                for item in [self._crates[key]]
            ]
        )
        how = dict(zip(formats.crates, formats.linkages, strict=True))
        needs = {Linkage.STATIC: CrateType.RLIB, Linkage.DYNAMIC: CrateType.DYLIB}
        instead = self._instead(crate)
        linked = [
            LinkedCrate(
                self._crates[key], how[key], _library(crate, self._crates[key], needs[how[key]], instead.get(key))
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
        found = any(item.instead for item in self._crates.values())
        if not SCons.Script.sconscript_reading:
            self._any_instead = found
        return found

    def groups(self, crate: DeclaredCrate, kinds: Sequence[CrateType]) -> list[tuple[CrateType, ...]]:
        """Return the crate types of each distinct list of dependency formats and mode of LTO.

        Raises: GraphError and LinkageConflictError as `linked`.
        """
        if len(kinds) < 2:
            return [tuple(kinds)] * bool(kinds)
        keys = self._reachable(crate)
        table = FormatTable(
            CrateGraph({key: [other.key for other in self._direct(self._crates[key])] for key in keys}),
            {key: _linkable(self._crates[key]) for key in keys},
        )
        found: dict[object, list[CrateType]] = {}
        for kind in kinds:
            with _display_names(self._crates):
                formats = table.formats(crate.key, kind)
            found.setdefault((formats.linkages, crate.lto_for(kind)), []).append(kind)
        return [tuple(group) for group in found.values()]

    def _reachable(self, crate: DeclaredCrate) -> list[str]:
        found: dict[str, None] = {}
        todo = [crate]
        while todo:
            item = todo.pop()
            if item.key not in found:
                found[item.key] = None
                todo += self._direct(item)
        return list(found)

    def _tables(self) -> tuple[CrateGraph, FormatTable]:
        if self._graph is not None and self._formats is not None:
            return self._graph, self._formats
        edges = {item.key: [other.key for other in self._direct(item)] for item in self._crates.values()}
        with _display_names(self._crates):
            graph = CrateGraph(edges)
        crates = {item.key: _linkable(item) for item in self._crates.values()}
        self._graph, self._formats = graph, FormatTable(graph, crates)
        return self._graph, self._formats


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
