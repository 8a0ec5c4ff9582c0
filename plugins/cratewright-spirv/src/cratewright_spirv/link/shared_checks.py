"""Refuses units of one entry point that contradict each other about what they share."""

from __future__ import annotations

from collections.abc import Collection

from cratewright import LinkError

from ..base.implied import MEMBERS
from ..binary.bindings import binding_place, block_of
from ..binary.program import reach
from ..binary.signatures import misnamed
from .reached import initialisers_of
from .unit_variables import UnitVariables

__all__ = ["check_order", "check_places"]


def check_places(found: UnitVariables, merged: Collection[int]) -> None:
    """Raise LinkError for a place that two units bind to different things, except merged ones."""
    _check_said(found, "constant_id", "types or defaults", "or give one another constant_id")
    _check_said(found, "xfb_buffer", "strides", "or let one use another xfb_buffer")
    _check_said(found, "buffer_reference", "alignments", "or rename one")
    _check_members(found)
    places: dict[str, list[tuple[int, int]]] = {}
    for variable, position in found.marked():
        words = found.variables[variable]
        marks = found.strict.decorations(variable)
        place = binding_place(words[3], marks) or block_of(found.strict, words)
        if not place or variable not in found.reached.globals or variable in merged:
            continue
        for other, by in (known := places.setdefault(place, [])):
            if by == position or found.bound(other) == found.bound(variable):
                continue
            # Vulkan allows resources of different names to share a binding.
            if "binding" not in place or found.names_of(other) & found.names_of(variable):
                raise found.two_types(place, (other, by), (variable, position))
        known.append((variable, position))


def check_order(found: UnitVariables) -> None:
    """Raise LinkError for a variable that the entry point's unit sets after initialisers of another read it."""
    mine = found.initialised(found.reached.own)
    numbers = initialisers_of(found.program)
    names = {each: found.shared_name(each, position) for each, position in found.marked()} if mine else {}
    for at in sorted(found.reached.units) if mine else ():
        read = reach(found.program.graph(), *numbers.get(found.units[at].item.module.attribute("initialiser"), ()))
        for name in sorted({names.get(each) or "" for each in read} & mine - found.initialised(at)):
            raise LinkError(
                f"initialisers of a library read `{name}` before entry point `{found.reached.entry.name}` sets it",
                context=[*found.rows([at, found.reached.own])],
                hint="initialise it in the library that reads it, or in a header that both include",
            )


def _check_said(found: UnitVariables, kind: str, what: str, otherwise: str) -> None:
    """Raise LinkError for a place that two units declare differently."""
    known: dict[str, tuple[str, int]] = {}
    for at in sorted(found.taking_part):
        for place, digest in found.units[at].implied.placed:
            if place.startswith(kind):
                value, by = known.setdefault(place, (digest, at))
                if value != digest:
                    raise LinkError(
                        f"{place} has two {what} in entry point `{found.reached.entry.name}`",
                        context=[*found.rows([by, at])],
                        hint=f"declare it once, in a header that both include, {otherwise}",
                    )


def _check_members(found: UnitVariables) -> None:
    """Raise LinkError for a name that means two members of one block or variable."""
    known: dict[str, list[tuple[str, int]]] = {}
    for at in sorted(found.taking_part):
        for place, text in found.units[at].implied.placed:
            if not place.startswith(MEMBERS):
                continue
            for other, by in known.setdefault(place, []):
                if name := misnamed(other, text):
                    raise LinkError(
                        f"`{name}` is not the same member of {place.removeprefix(MEMBERS)} in two units of entry "
                        f"point `{found.reached.entry.name}`",
                        context=[*found.rows([by, at])],
                        hint="declare it once, in a header that both include",
                    )
            known[place].append((text, at))
