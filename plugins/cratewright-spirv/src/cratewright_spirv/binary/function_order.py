"""The functions that some roots call, callees before callers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cratewright import FormatError

from . import opcodes as op
from .program import Program

__all__ = ["callees_first"]


def callees_first(program: Program, roots: Iterable[int]) -> list[int]:
    """Return all functions that the roots call, themselves included, each after those that it calls.

    Shape: otherwise in the order of first calls, so the order of definitions has no effect.
    Raises: FormatError for recursion.
    """
    done: dict[int, None] = {}
    for root in roots:
        path: dict[int, Iterator[int]] = {} if root in done else {root: _calls(program, root)}
        while path:
            function, callees = next(reversed(path.items()))
            callee = next((each for each in callees if each not in done), None)
            if callee is None:
                done[function] = None
                del path[function]
            elif callee in path:
                raise FormatError(
                    f"{program.module.name} has a function that calls itself",
                    hint="turn the recursion into a loop",
                )
            else:
                path[callee] = _calls(program, callee)
    return list(done)


def _calls(program: Program, function: int) -> Iterator[int]:
    return iter([words[3] for words in program.functions[function] if words[0] & 0xFFFF == op.FUNCTION_CALL])
