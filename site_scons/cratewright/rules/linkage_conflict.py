"""Crates that cannot be linked together, and the error that says why and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from ..base.errors import LinkageConflictError
from ..base.values import dataclass
from ..values.crate_type import CrateType


class ConflictKind(Enum):
    """The kind of a conflict."""

    TWICE = "twice"
    NO_RLIB = "no rlib"
    NO_DYLIB = "no dylib"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A crate that cannot be linked as required.

    Shape: `inside` names the dylibs that contain the crate; `linked_with` those linked with its own dylib, and the
    crate itself if it has one; both in load order.
    """

    crate: str
    kind: ConflictKind
    inside: tuple[str, ...] = ()
    linked_with: tuple[str, ...] = ()


def conflict_error(
    root: str, crate_type: CrateType, conflicts: Sequence[Conflict], *, lacking: Sequence[str], dynamic: bool
) -> LinkageConflictError:
    """Return the error about all conflicts of a link.

    Shape: `lacking` are the crates without an rlib; `dynamic` if dynamic linking was preferred.
    """
    return LinkageConflictError(
        f"the dependencies of crate '{root}' cannot be linked together",
        context=(("crate type", crate_type.value), *_rows(conflicts)),
        hint=_way_out(conflicts, lacking, dynamic),
    )


def _rows(conflicts: Iterable[Conflict]) -> tuple[tuple[str, str], ...]:
    # Two dylibs that contain the same twenty crates are one conflict to report, not twenty.
    grouped: dict[tuple[ConflictKind, str], list[str]] = {}
    for conflict in conflicts:
        grouped.setdefault((conflict.kind, _places(conflict)), []).append(conflict.crate)
    return tuple((kind.value, f"{' '.join(names)}\n{places}".rstrip()) for (kind, places), names in grouped.items())


def _places(conflict: Conflict) -> str:
    inside = f"inside {_dylib_of(conflict.inside)}" if conflict.inside else ""
    users = [name for name in conflict.linked_with if name != conflict.crate]
    beside = ("as its own dylib" if conflict.linked_with else "") + (f", used by {_dylib_of(users)}" if users else "")
    return "; ".join(place for place in (inside, beside) if place)


def _dylib_of(names: Sequence[str]) -> str:
    return f"the dylib{'s' * (len(names) > 1)} of {' '.join(names)}"


def _way_out(conflicts: Sequence[Conflict], lacking: Sequence[str], dynamic: bool) -> str:
    steps = []
    if lacking:
        steps.append(f"give an rlib to {' '.join(lacking)}")
    if dynamic:
        steps.append("do not prefer dynamic linking")
    ways = [f"{' and '.join(steps)}: then all is linked statically"]
    twice = {conflict.crate: conflict.inside for conflict in conflicts if conflict.kind is ConflictKind.TWICE}
    # Containers that are duplicated themselves need no new link: sharing the outermost shares everything inside.
    if sharing := dict.fromkeys(name for inside in twice.values() for name in inside if name not in twice):
        ways.append(f"or link {' '.join(sharing)} with prefer_dynamic, and make what they share a dylib of its own")
    if gone := [conflict.crate for conflict in conflicts if conflict.kind is ConflictKind.NO_DYLIB]:
        ways.append(f"or link {_dylib_of(gone)} again")
    return "\n".join(ways)
