"""Finds the combinations of axes' values that meet all conditions.

Conditions prune combinations while these are built, so excluded ones are never enumerated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

from ..base.errors import ConfigurationError
from .axes import MOST_VARIANTS, Axes, too_many, word_of
from .constraint import Constraint, Value

_MOST_STEPS = 300_000
"""The most values to try, because some conditions take very long to evaluate."""


def combinations(axes: Axes, constraints: Sequence[Constraint], where: str) -> list[tuple[Value, ...]]:
    """Return the combinations that meet the constraints, in order of the axes and their values.

    Raises: ConfigurationError for more than `MOST_VARIANTS`, or constraints that take too long.
    """
    context = (("where", where),)
    domains = dict(axes)
    for each in constraints:
        if len(each.names) == 1:
            (axis,) = each.names
            domains[axis] = tuple(value for value in domains[axis] if each.decide({axis: (value,)}) is not False)
    if not all(domains.values()) or any(each.decide(domains) is False for each in constraints):
        return []
    bound = [each for each in constraints if len(each.names) > 1]
    order = _order(domains, bound)
    free = [axis for axis in axes if axis not in order]
    rest = math.prod(len(domains[axis]) for axis in free)
    found: list[dict[str, Value]] = []
    for chosen in _search(dict(domains), order, bound, context):
        found.append(chosen)
        if len(found) * rest > MOST_VARIANTS:
            raise too_many(context, f"more than {MOST_VARIANTS}")
    every = (
        {**chosen, **dict(zip(free, values, strict=True))}
        for chosen in found
        for values in product(*(domains[axis] for axis in free))
    )
    places = {axis: {word_of(value): at for at, value in enumerate(values)} for axis, values in axes.items()}
    rows = [tuple(each[axis] for axis in axes) for each in every]
    return sorted(rows, key=lambda row: [at[word_of(value)] for at, value in zip(places.values(), row, strict=True)])


def _order(domains: Axes, constraints: Sequence[Constraint]) -> list[str]:
    """Return the constrained axes, ordered so that constraints are decided as early as possible."""
    order: list[str] = []
    left = {axis for each in constraints for axis in each.names}
    while left:
        placed = frozenset(order)

        def cost(axis: str, placed: frozenset[str] = placed) -> tuple[int, int, str]:
            open_axes = (len(each.names - placed) for each in constraints if axis in each.names)
            return min(open_axes), len(domains[axis]), axis

        order.append(min(left, key=cost))
        left.remove(order[-1])
    return order


def _search(
    domains: dict[str, tuple[Value, ...]],
    order: Sequence[str],
    constraints: Sequence[Constraint],
    context: tuple[tuple[str, str], ...],
) -> Iterator[dict[str, Value]]:
    about = {axis: [each for each in constraints if axis in each.names] for axis in order}
    steps = 0

    def below(depth: int) -> Iterator[dict[str, Value]]:
        nonlocal steps
        if depth == len(order):
            yield {axis: domains[axis][0] for axis in order}
            return
        axis = order[depth]
        every = domains[axis]
        for value in every:
            steps += 1
            if steps > _MOST_STEPS:
                raise ConfigurationError(
                    "'when' needs too many combinations to be tried",
                    context=(*context, ("tried", f"{_MOST_STEPS} values")),
                    hint="let each condition name fewer axes",
                )
            domains[axis] = (value,)
            if all(each.decide(domains) is not False for each in about[axis]):
                yield from below(depth + 1)
        domains[axis] = every

    return below(0)
