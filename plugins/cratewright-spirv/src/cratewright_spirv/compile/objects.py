"""The linkable objects of a unit, and what the text says about the functions in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from cratewright import Symbol, dataclass

from ..base.implied import NOTHING_IMPLIED, Implied

# A local variable with this name marks the body of a stub.
MARKER = "cw_import_stub"
SourcePosition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ObjectVariant:
    """One object of a unit and the stages it serves; no stages means any.

    Shape: `initialiser` is the linkage name of the function that sets the unit's globals;
    `entry_point` is a stage's suffix word and a name; `implied` what it implies about its stage.
    """

    stages: tuple[str, ...]
    data: bytes
    exports: tuple[Symbol, ...]
    imports: tuple[Symbol, ...]
    initialiser: str | None
    entry_point: tuple[str, str] | None
    implied: Implied = NOTHING_IMPLIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What the text says about the functions in the module.

    Shape: `definitions` holds each name with its place, None if private, in the text's order; `texts` are the sources
    for debug information; `reserved` is the id of the first of the constants that stand for the workgroup's size in the
    text, 0 for none.
    """

    path: str
    library: bool
    definitions: tuple[tuple[str, SourcePosition | None], ...] = ()
    stubs: tuple[tuple[str, SourcePosition], ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)
    reserved: int = 0
