"""What a unit implies about the stage that links it, apart from its functions, as one attribute of its module.

The attribute is written when the unit is compiled and read when it is linked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from cratewright import ModuleCodegen, dataclass

IMPLIES = "implies"
"""The attribute that holds it."""

INITIALISER = "$init:"
"""What begins the name of a function that sets the global variables of a unit; its path follows."""

INVARIANT_OUTPUT, PRECISE_OUTPUT = "invariant ", "precise "
"""How a declaration of a built-in output as `invariant` or `precise` is named; the output's name follows."""

MEMBERS = "members of "
"""How the declaration of the members of a block or variable is named; the name of that follows."""

Mode = tuple[int, ...]
"""An execution mode and its operands; of `LocalSizeId` each constant's default and its id, -1 for a literal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Implied:
    """Execution modes and storage of one unit.

    Shape: `stage` is the suffix word of the stage that the unit was compiled for; `modes` are those that a library
    declares, `defaults` those that an entry point has although its source declares none; `unbounded` if the length of a
    library's interface arrays depends on a layout that it lacks; `sized` if code takes the size of its workgroup from
    what links it; `shared` names each variable of which a stage has only one, with a digest of its initialiser (empty:
    none; `?`: not constant); `declared` names what units must declare alike, with a digest of the declaration.
    """

    stage: str = ""
    modes: tuple[Mode, ...] = ()
    defaults: tuple[int, ...] = ()
    unbounded: bool = False
    sized: bool = False
    shared: tuple[tuple[str, str], ...] = ()
    declared: tuple[tuple[str, str], ...] = ()

    def encode(self) -> str:
        """Return the attribute's text; empty if nothing is implied."""
        row = (self.stage, self.modes, self.defaults, int(self.unbounded), int(self.sized), self.shared, self.declared)
        if not any(row[1:]):
            return ""
        return json.dumps(row, separators=(",", ":"))

    @classmethod
    def of(cls, module: ModuleCodegen) -> Implied:
        """Parse a module's attribute."""
        text = module.attribute(IMPLIES)
        if not text:
            return NOTHING_IMPLIED
        stage, modes, defaults, unbounded, sized, shared, declared = json.loads(text)
        return cls(
            stage=stage,
            modes=tuple(map(tuple, modes)),
            defaults=tuple(defaults),
            unbounded=bool(unbounded),
            sized=bool(sized),
            shared=tuple((name, initial) for name, initial in shared),
            declared=tuple((name, digest) for name, digest in declared),
        )


NOTHING_IMPLIED = Implied()


def share(units: Iterable[Implied]) -> bool:
    """Return whether units must be checked together.

    Shape: true if two share a variable, or declare something differently, or one needs a layout that it lacks, or
    qualifies an output that others may write.
    """
    names: set[str] = set()
    declared: dict[str, str] = {}
    for unit in units:
        own = {name for name, _ in unit.shared}
        if unit.unbounded or not names.isdisjoint(own):
            return True
        names |= own
        for name, digest in unit.declared:
            if declared.setdefault(name, digest) != digest or name.startswith((INVARIANT_OUTPUT, PRECISE_OUTPUT)):
                return True
    return False
