"""What a unit implies about its stage, apart from its functions, as one attribute of its module.

The attribute is written when the unit is compiled and read when it is linked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from cratewright import ModuleCodegen, dataclass

__all__ = [
    "IMPLIES",
    "INITIALISER",
    "INVARIANT_OUTPUT",
    "MEMBERS",
    "NOTHING_IMPLIED",
    "PRECISE_OUTPUT",
    "Implied",
    "Mode",
    "share",
]

IMPLIES = "implies"
"""The attribute that holds it."""

INITIALISER = "$init:"
"""What begins the name of a function that sets the global variables of a unit; its path follows."""

INVARIANT_OUTPUT, PRECISE_OUTPUT = "invariant ", "precise "
"""What begins a place that stands for a built-in output which a unit redeclares; the output's name follows."""

MEMBERS = "members of "
"""What a place begins with that stands for the members of a block or variable."""

Mode = tuple[int, ...]
"""An execution mode and its operands; of `LocalSizeId` each constant's default and its id, -1 for a literal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Implied:
    """Execution modes and storage of one unit.

    Shape: `stage` is the suffix word that the unit was compiled for; `modes` are those that a library declares,
    `defaults` those of an entry point that its source does not declare; `unbounded` if arrays of a library's interface
    are as long as a layout says that it lacks; `sized` if code takes the workgroup's size from whatever links it;
    `shared` names each variable of which a stage has one, with a digest of its initialiser (empty: none; `?`: no
    constant); `placed` each place that units may bind to, with a digest of what it is bound to.
    """

    stage: str = ""
    modes: tuple[Mode, ...] = ()
    defaults: tuple[int, ...] = ()
    unbounded: bool = False
    sized: bool = False
    shared: tuple[tuple[str, str], ...] = ()
    placed: tuple[tuple[str, str], ...] = ()

    def encode(self) -> str:
        """Return the attribute's text; empty if nothing is implied."""
        row = (self.stage, self.modes, self.defaults, int(self.unbounded), int(self.sized), self.shared, self.placed)
        if not any(row[1:]):
            return ""
        return json.dumps(row, separators=(",", ":"))

    @classmethod
    def of(cls, module: ModuleCodegen) -> Implied:
        """Parse a module's attribute."""
        text = module.attribute(IMPLIES)
        if not text:
            return NOTHING_IMPLIED
        stage, modes, defaults, unbounded, sized, shared, placed = json.loads(text)
        return cls(
            stage=stage,
            modes=tuple(map(tuple, modes)),
            defaults=tuple(defaults),
            unbounded=bool(unbounded),
            sized=bool(sized),
            shared=tuple((name, initial) for name, initial in shared),
            placed=tuple((place, digest) for place, digest in placed),
        )


NOTHING_IMPLIED = Implied()


def share(units: Iterable[Implied]) -> bool:
    """Return whether units must be checked together.

    Shape: true if two share a variable or bind different things to one place, or one needs a layout that it lacks, or
    qualifies an output that others may write.
    """
    names: set[str] = set()
    places: dict[str, str] = {}
    for unit in units:
        own = {name for name, _ in unit.shared}
        if unit.unbounded or not names.isdisjoint(own):
            return True
        names |= own
        for place, digest in unit.placed:
            if places.setdefault(place, digest) != digest or place.startswith((INVARIANT_OUTPUT, PRECISE_OUTPUT)):
                return True
    return False
