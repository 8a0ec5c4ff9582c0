"""How every crate below a root is linked, by rustc's rules.

The caller says in which forms each crate is available.

rustc 1.95 decides in three steps. If everything can be static and that is preferred, everything is. Otherwise, every
available dylib is linked, with everything recorded when it was linked itself. What no dylib includes is static. A crate
that is included twice, or needed in a form that is not available, is a conflict.

These do not exist here and are left out: panic runtimes and allocators, which rustc adds by itself (declared as a
dependency, one behaves the same); `rustc_private`, which serves rustc's own driver; procedural macros, which run in the
compiler; `#[no_link]`; interfaces of `sdylib`, which are unstable; a static C runtime; and the unstable switches for
dylibs in a staticlib.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from ..base.errors import GraphError
from ..base.values import dataclass
from ..values.crate_type import CrateType
from .graph import CrateGraph
from .linkage_conflict import Conflict, ConflictKind, conflict_error


class Linkage(Enum):
    """How one crate is linked."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    INCLUDED_FROM_DYLIB = "included-from-dylib"


_ONLY_STATIC = frozenset({CrateType.OBJECT, CrateType.STATICLIB})

Recorded = tuple[tuple[str, Linkage], ...]
"""The crates that a dylib has inside (`STATIC`) or was linked with (`DYNAMIC`), in load order."""


@dataclass(frozen=True, slots=True)
class Available:
    """The available forms of one crate.

    Shape: `name` is unique among the crates below one root; `recorded` is `DependencyFormats.recorded` of the link
    that made the crate's dylib.
    """

    name: str
    rlib: bool
    dylib: bool
    recorded: Recorded = ()


@dataclass(frozen=True, slots=True)
class DependencyFormats:
    """Every crate below a root with its linkage; empty if the root is not linked.

    Shape: two tuples of equal length, in load order; equal exactly if the same crates are linked in the same way.
    """

    crates: tuple[str, ...] = ()
    linkages: tuple[Linkage, ...] = ()

    @property
    def recorded(self) -> Recorded:
        """The crates that a dylib linked like this includes or needs, for its metadata."""
        pairs = zip(self.crates, self.linkages, strict=True)
        return tuple(pair for pair in pairs if pair[1] in (Linkage.STATIC, Linkage.DYNAMIC))


@dataclass(frozen=True, slots=True)
class Resolution:
    """The formats, valid only without conflicts, and the conflicts."""

    formats: DependencyFormats = DependencyFormats()
    conflicts: tuple[Conflict, ...] = ()


def load_order(graph: CrateGraph, root: str) -> tuple[str, ...]:
    """Return the crates that `root` reaches, without itself, in the order in which rustc numbers them.

    Shape: depth first, each crate before its dependencies, which are in the order declared.
    """
    order: dict[str, None] = {root: None}
    pending: list[Iterator[str]] = [iter(graph.dependencies(root))]
    while pending:
        name = next(pending[-1], None)
        if name is None:
            pending.pop()
        elif name not in order:
            order[name] = None
            pending.append(iter(graph.dependencies(name)))
    return tuple(order)[1:]


def calculate(
    root: str, crate_type: CrateType, crates: Sequence[Available], *, prefer_dynamic: bool = False
) -> DependencyFormats:
    """Decide how each of `crates`, given in load order, is linked into `root`.

    Raises: LinkageConflictError with every conflict; GraphError if a crate is missing or repeated.
    """
    resolution = resolve(crate_type, crates, prefer_dynamic=prefer_dynamic)
    if resolution.conflicts:
        dynamic = _prefers_dylibs(crate_type, prefer_dynamic)
        raise conflict_error(root, crate_type, resolution.conflicts, lacking=_without_rlib(crates), dynamic=dynamic)
    return resolution.formats


def resolve(crate_type: CrateType, crates: Sequence[Available], *, prefer_dynamic: bool) -> Resolution:
    """Decide as `calculate` does, and return the conflicts instead of raising them.

    Raises: GraphError if a crate is missing or repeated.
    """
    _check_complete(crates)
    if crate_type is CrateType.RLIB:
        return Resolution()
    if not _prefers_dylibs(crate_type, prefer_dynamic):
        without_rlib = _without_rlib(crates)
        if not without_rlib:
            return Resolution(_formats(crates, (Linkage.STATIC,) * len(crates)))
        if crate_type in _ONLY_STATIC:
            return Resolution(conflicts=tuple(Conflict(name, ConflictKind.NO_RLIB) for name in without_rlib))
    return _with_dylibs(crates)


def _with_dylibs(crates: Sequence[Available]) -> Resolution:
    dylibs = [crate for crate in crates if crate.dylib]
    brought: dict[str, Linkage] = {}
    twice: set[str] = set()
    for dylib in dylibs:
        for name, linkage in ((dylib.name, Linkage.DYNAMIC), *dylib.recorded):
            # The first to bring a crate wins, as in rustc: what else is missing linked_with a conflict depends on it.
            known = brought.get(name)
            if known is None:
                brought[name] = linkage
            elif known is not linkage or linkage is Linkage.STATIC:
                twice.add(name)

    linkages: list[Linkage] = []
    wrong = [(crate.name, ConflictKind.TWICE) for crate in crates if crate.name in twice]
    for crate in crates:
        found = brought.get(crate.name)
        linkage = Linkage.INCLUDED_FROM_DYLIB if found is Linkage.STATIC else found or Linkage.STATIC
        if linkage is Linkage.DYNAMIC and not crate.dylib:
            wrong.append((crate.name, ConflictKind.NO_DYLIB))
        elif linkage is Linkage.STATIC and not crate.rlib:
            wrong.append((crate.name, ConflictKind.NO_RLIB))
        linkages.append(linkage)
    return Resolution(_formats(crates, tuple(linkages)), _conflicts(wrong, dylibs) if wrong else ())


def _formats(crates: Iterable[Available], linkages: tuple[Linkage, ...]) -> DependencyFormats:
    return DependencyFormats(tuple(crate.name for crate in crates), linkages)


def _conflicts(wrong: Sequence[tuple[str, ConflictKind]], dylibs: Sequence[Available]) -> tuple[Conflict, ...]:
    inside: dict[str, list[str]] = {name: [] for name, _ in wrong}
    linked_with: dict[str, list[str]] = {name: [] for name, _ in wrong}
    for dylib in dylibs:
        for name, linkage in ((dylib.name, Linkage.DYNAMIC), *dylib.recorded):
            if name in inside:
                (inside if linkage is Linkage.STATIC else linked_with)[name].append(dylib.name)
    return tuple(Conflict(name, kind, tuple(inside[name]), tuple(linked_with[name])) for name, kind in wrong)


def _prefers_dylibs(crate_type: CrateType, prefer_dynamic: bool) -> bool:
    return prefer_dynamic and crate_type not in _ONLY_STATIC


def _without_rlib(crates: Iterable[Available]) -> tuple[str, ...]:
    return tuple(crate.name for crate in crates if not crate.rlib)


def _check_complete(crates: Sequence[Available]) -> None:
    names: set[str] = set()
    for crate in crates:
        if crate.name in names:
            raise GraphError(f"crate '{crate.name}' appears twice", hint="give each version a name of its own")
        names.add(crate.name)
    for crate in crates:
        for name, _ in crate.recorded:
            if name not in names:
                raise GraphError(
                    f"the dylib of crate '{crate.name}' was linked with crate '{name}', which is missing",
                    hint=f"link '{crate.name}' again, or add '{name}'",
                )
