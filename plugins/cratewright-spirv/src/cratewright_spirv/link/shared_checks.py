"""Refuses units of one entry point that contradict each other about what they share."""

from __future__ import annotations

from collections.abc import Collection

from cratewright import LinkError

from ..base.implied import MEMBERS
from ..binary.bindings import block_of, slot_of
from ..binary.program import reach
from ..binary.signatures import misnamed
from .reached import initialisers_of
from .unit_variables import UnitVariables

__all__ = ["check_order", "check_slots"]


def check_slots(found: UnitVariables, merged: Collection[int]) -> None:
    """Raise LinkError for a slot that two units bind to different things, except merged ones."""
    _check_alike(found, "constant_id", "types or defaults", "or give one another constant_id")
    _check_alike(found, "xfb_buffer", "strides", "or let one use another xfb_buffer")
    _check_alike(found, "buffer_reference", "alignments", "or rename one")
    _check_members(found)
    slots: dict[str, list[tuple[int, int]]] = {}
    for variable, position in found.marked():
        words = found.variables[variable]
        marks = found.strict.decorations(variable)
        slot = slot_of(words[3], marks) or block_of(found.strict, words)
        if not slot or variable not in found.reached.globals or variable in merged:
            continue
        for other, by in (known := slots.setdefault(slot, [])):
            if by == position or found.bound(other) == found.bound(variable):
                continue
            # Vulkan allows resources of different names to share a binding.
            if "binding" not in slot or found.names_of(other) & found.names_of(variable):
                raise found.two_types(slot, (other, by), (variable, position))
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


def _check_alike(found: UnitVariables, kind: str, detail: str, otherwise: str) -> None:
    """Raise LinkError for something that two units declare differently."""
    known: dict[str, tuple[str, int]] = {}
    for at in sorted(found.taking_part):
        for what, digest in found.units[at].implied.declared:
            if what.startswith(kind):
                value, by = known.setdefault(what, (digest, at))
                if value != digest:
                    raise LinkError(
                        f"{what} has two {detail} in entry point `{found.reached.entry.name}`",
                        context=[*found.rows([by, at])],
                        hint=f"declare it once, in a header that both include, {otherwise}",
                    )


def _check_members(found: UnitVariables) -> None:
    """Raise LinkError for a name that means two members of one block or variable."""
    known: dict[str, list[tuple[str, int]]] = {}
    for at in sorted(found.taking_part):
        for what, text in found.units[at].implied.declared:
            if not what.startswith(MEMBERS):
                continue
            for other, by in known.setdefault(what, []):
                if name := misnamed(other, text):
                    raise LinkError(
                        f"`{name}` is not the same member of {what.removeprefix(MEMBERS)} in two units of entry "
                        f"point `{found.reached.entry.name}`",
                        context=[*found.rows([by, at])],
                        hint="declare it once, in a header that both include",
                    )
            known[what].append((text, at))
