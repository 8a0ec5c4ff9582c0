"""The axes of variants: their names, the values that each may have, and the combinations that meet all conditions."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from ..base.errors import ConfigurationError
from ..base.patterns import pattern
from .constraint import Constraint, Value, kind_of, same

Axes = Mapping[str, tuple[Value, ...]]
"""The values of each axis, sorted; the axes are sorted by name."""

MOST_VARIANTS = 10_000
"""The most variants of one source."""
_MOST_STEPS = 300_000
"""The most values to try, because some conditions take very long to evaluate."""
_MOST_AXES = 64
_LONGEST_VALUE = 1_000
_AXIS = pattern(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_UNSAFE = pattern(r"[^A-Za-z0-9_.-]")
_RANKS = ("truth value", "number", "word")


def read_axes(variants: object, where: str) -> Axes:
    """Parse `variants`: values by axis.

    Raises: ConfigurationError.
    """
    context = (("where", where),)
    if not isinstance(variants, Mapping):
        hint = 'variants={"FOG": [0, 1]}'
        raise ConfigurationError(f"'variants' takes values by axis, not {variants!r}", context=context, hint=hint)
    for axis in variants:
        if not isinstance(axis, str) or not _AXIS.match(axis) or keyword.iskeyword(axis):
            raise ConfigurationError(
                f"{axis!r} cannot be an axis of variants",
                context=context,
                hint="an axis is a macro that 'when' can name: letters, digits and '_', and no Python keyword",
            )
    if len(variants) > _MOST_AXES:
        raise ConfigurationError(f"{len(variants)} axes are too many: the limit is {_MOST_AXES}", context=context)
    return {axis: _values(axis, variants[axis], where) for axis in sorted(variants)}


def _values(axis: str, given: object, where: str) -> tuple[Value, ...]:
    context = (("where", where),)
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes, bytearray)):
        raise ConfigurationError(
            f"axis '{axis}' takes a list of values, not {given!r}", context=context, hint=f'"{axis}": [0, 1]'
        )
    if not given:
        raise ConfigurationError(f"axis '{axis}' has no values", context=context, hint="give it one, or leave it out")
    if len(given) > MOST_VARIANTS:
        raise _too_many(context, f"axis '{axis}' alone has {len(given)}")
    values = [_value(axis, value, context) for value in given]
    words: dict[str, Value] = {}
    for value in values:
        word = word_of(value)
        if word in words:
            other = words[word]
            twice = f"axis '{axis}' has the value {value!r} twice"
            alike = f"axis '{axis}': the variants of {other!r} and {value!r} would have one name"
            raise ConfigurationError(
                twice if same(other, value) else alike,
                context=context,
                hint="leave one out" if same(other, value) else "spell one of them differently",
            )
        words[word] = value
    return tuple(sorted(values, key=lambda value: (_RANKS.index(kind_of(value)), value)))


def _value(axis: str, value: object, context: tuple[tuple[str, str], ...]) -> Value:
    wanted = ""
    if not isinstance(value, (bool, int, float, str)):
        wanted = "a number, a text, True (defined) or False (not defined)"
    elif isinstance(value, str) and (not value.isprintable() or len(value) > _LONGEST_VALUE):
        wanted = f"a text of one line, up to {_LONGEST_VALUE} characters"
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        wanted = "a number of up to 64 bits"
    elif isinstance(value, float) and not math.isfinite(value):
        wanted = "a number that can be written down"
    if wanted or not isinstance(value, (bool, int, float, str)):
        long = isinstance(value, int) and not isinstance(value, bool)
        shown = "a longer one" if long or (isinstance(value, str) and len(value) > _LONGEST_VALUE) else repr(value)
        raise ConfigurationError(
            f"axis '{axis}' cannot have {shown} as a value", context=(*context, ("a value is", wanted))
        )
    return value


def word_of(value: Value) -> str:
    """Return a value as part of a file name, and of a C identifier made from it."""
    word = value_text(value)
    return f"minus{word[1:]}" if word.startswith("-") else word


def value_text(value: Value) -> str:
    """Return a value as letters, digits and `_.-~`; different texts give different words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return _UNSAFE.sub(lambda found: "".join(f"~{byte:02X}" for byte in found[0].encode()), str(value))


def combinations(axes: Axes, constraints: Sequence[Constraint], where: str) -> list[tuple[Value, ...]]:
    """Return the combinations that meet the constraints, in order of the axes and their values.

    Constraints prune combinations while these are built, so excluded ones are never enumerated.
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
            raise _too_many(context, f"more than {MOST_VARIANTS}")
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


def _too_many(context: tuple[tuple[str, str], ...], what: str) -> ConfigurationError:
    return ConfigurationError(
        f"too many variants: up to {MOST_VARIANTS} of a source can be made",
        context=(*context, ("found", what)),
        hint="exclude combinations with 'when', or split the source into several with fewer axes",
    )
