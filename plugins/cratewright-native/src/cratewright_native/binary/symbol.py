"""A symbol, as in any kind of object file."""

from __future__ import annotations

from cratewright import dataclass

__all__ = ["ObjectSymbol"]


@dataclass(frozen=True, slots=True)
class ObjectSymbol:
    """A name visible to other objects.

    Shape: `weak` if several objects may define it, `common` if because C's old rule merges tentative definitions;
    `hidden` if the linked output does not export it.
    """

    name: str
    defined: bool
    weak: bool
    hidden: bool
    common: bool = False
