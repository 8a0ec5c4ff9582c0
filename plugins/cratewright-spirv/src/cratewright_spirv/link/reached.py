"""What an entry point of a linked program reaches, and through which functions of which units.

Functions are identified by the debug names under which units export them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from cratewright import LinkModule, dataclass

from ..base.implied import INITIALISER, Implied
from ..binary.program import Program, ProgramEntry

Describe = Callable[[str], str]
"""Makes a function's linkage name readable."""

_SHOWN = " -> "


@dataclass(frozen=True, slots=True)
class ReachedUnit:
    """A unit in a link, and what it implies."""

    item: LinkModule
    implied: Implied

    @property
    def shown(self) -> str:
        """Return how messages call it."""
        return f"crate '{self.item.crate}', {self.item.module.attribute('source') or self.item.module.name}"


def units_of(items: Sequence[LinkModule]) -> list[ReachedUnit]:
    """Return the units of some modules."""
    return [ReachedUnit(item, Implied.of(item.module)) for item in items]


@dataclass(frozen=True, slots=True)
class Reached:
    """What one entry point reaches.

    Shape: `own` is the position of its own unit; `globals` are functions and variables; `units` maps the position of
    each other unit to the way there.
    """

    entry: ProgramEntry
    own: int
    globals: Collection[int]
    units: Mapping[int, str]


def initialisers_of(program: Program) -> dict[str, list[int]]:
    """Return the functions that set the globals of units; those of one source have one name."""
    found: dict[str, list[int]] = {}
    for each, name in program.names().items():
        if name.startswith(INITIALISER):
            found.setdefault(name, []).append(each)
    return found


def reached_by(
    program: Program, entry: ProgramEntry, own: int, units: Sequence[ReachedUnit], describe: Describe
) -> Reached:
    """Return what an entry point of the unit at position `own` reaches, also in initialisers of units it reaches."""
    graph, names = program.graph(), program.names()
    owners = {symbol.name: at for at, unit in enumerate(units) for symbol in unit.item.module.exports}
    initialisers = initialisers_of(program)
    paths = {entry.function: entry.name}
    seen: dict[int, None] = {}
    found: dict[int, str] = {}
    for function in (queue := [entry.function]):
        for each in graph.get(function, ()):
            seen[each] = None
            if each in program.functions and each not in paths:
                name = names.get(each, f"%{each}")
                paths[each] = f"{paths[function]}{_SHOWN}{describe(name)}"
                queue.append(each)
                at = owners.get(name, own)
                if at != own and at not in found:
                    found[at] = paths[each]
                    for initialiser in initialisers.get(units[at].item.module.attribute("initialiser"), ()):
                        seen[initialiser] = None
                        if initialiser not in paths:
                            paths[initialiser] = f"{paths[each]}{_SHOWN}initialisers"
                            queue.append(initialiser)
    return Reached(entry, own, seen.keys() | {entry.function}, found)
