"""A symbol, as in any kind of object file."""

from __future__ import annotations

from cratewright import dataclass

__all__ = ["ObjectSymbol"]


@dataclass(frozen=True, slots=True)
class ObjectSymbol:
    """A name that other objects may see.

    Shape: `weak` if several objects may define it; `hidden` if what is linked from the object does not offer it.
    """

    name: str
    defined: bool
    weak: bool
    hidden: bool
