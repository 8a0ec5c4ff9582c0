"""What can be wrong with a backend class."""

from __future__ import annotations

from ..base.values import dataclass


@dataclass(frozen=True, slots=True)
class ClassFault:
    """What is wrong with a class, such as `TARGETS is empty`; what was expected; a way out."""

    message: str
    expected: str = ""
    hint: str = ""
