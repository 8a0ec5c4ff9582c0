"""Which functions of a library unit others may call."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cratewright import SourceError, pattern

from ..text.scan import Function
from .objects import SourcePosition

__all__ = ["exported"]

# In HLSL, glslang drops what is appended to a stream that no entry point has.
_STREAM = pattern(rb"(?:Point|Line|Triangle)Stream<")


def exported(
    definitions: Iterable[Function], locate: Callable[[Function], SourcePosition], is_include: Callable[[str], bool]
) -> tuple[tuple[str, SourcePosition | None], ...]:
    """Return all definitions; those included or hidden by the language have no position.

    Raises: SourceError for one that only works in the unit of its entry point.
    """
    result: list[tuple[str, SourcePosition | None]] = []
    for function in definitions:
        position = locate(function)
        private = function.private or is_include(position[0])
        if not private and any(map(_STREAM.match, function.parameters)):
            raise SourceError.at(
                *position,
                f"`{function.name}` writes to a stream, whose outputs only the unit with the entry point knows",
                hint="#include it in the geometry shader, or let it return a vertex",
            )
        result.append((function.name, None if private else position))
    return tuple(result)
