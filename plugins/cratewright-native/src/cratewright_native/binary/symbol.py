"""A symbol, as in any kind of object file."""

from __future__ import annotations

from cratewright import dataclass

__all__ = ["ObjectSymbol"]


@dataclass(frozen=True, slots=True)
class ObjectSymbol:
    """A name visible to other objects.

    Shape: `weak` if several objects may define it, also by C's old rule for tentative definitions; `hidden` if the
    linked output does not export it; `data` if it is a variable.
    """

    name: str
    defined: bool
    weak: bool
    hidden: bool
    data: bool = False
