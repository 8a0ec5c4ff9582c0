"""The dependency formats of all crates of a build, each computed once.

What prebuilt dylibs were linked with is given; what others will be linked with is computed.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..base.values import dataclass
from ..values.crate_type import CrateType
from .dependency_format import Available, DependencyFormats, Recorded, calculate, load_order
from .graph import CrateGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkableCrate:
    """The properties of a crate that decide how it is linked.

    Shape: `recorded` comes from a prebuilt dylib's metadata; None for a dylib that is yet to be linked.
    """

    crate_types: frozenset[CrateType]
    prefer_dynamic: bool = False
    recorded: Recorded | None = None


class FormatTable:
    """Computes how each dependency of a crate is linked into each of its crate types."""

    def __init__(self, graph: CrateGraph, crates: Mapping[str, LinkableCrate]) -> None:
        self._graph = graph
        self._crates = crates
        self._known: dict[str, Available] = {}

    def formats(self, root: str, crate_type: CrateType) -> DependencyFormats:
        """Return the formats of one crate type of a crate.

        Raises: LinkageConflictError as `calculate`, for `root` or for a dylib below it.
        """
        # Dependencies first, without recursion: a chain of crates may be ten thousand long.
        for name in reversed(self._graph.link_order(root)):
            if name not in self._known:
                self._known[name] = self._available(name)
        return self._calculate(root, crate_type)

    def _calculate(self, root: str, crate_type: CrateType) -> DependencyFormats:
        crates = [self._known[name] for name in load_order(self._graph, root)]
        return calculate(root, crate_type, crates, prefer_dynamic=self._crates[root].prefer_dynamic)

    def _available(self, name: str) -> Available:
        crate = self._crates[name]
        recorded: Recorded = ()
        if CrateType.DYLIB in crate.crate_types:
            recorded = self._calculate(name, CrateType.DYLIB).recorded if crate.recorded is None else crate.recorded
        types = crate.crate_types
        return Available(name, CrateType.RLIB in types, CrateType.DYLIB in types, recorded)
