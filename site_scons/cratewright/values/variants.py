"""Variants of a source: all combinations of its axes' values that meet the conditions.

Conditions prune combinations while these are built, so excluded ones are never enumerated.
"""

from __future__ import annotations

import json
import keyword
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from ..base.digest import content_digest
from ..base.errors import ConfigurationError
from ..base.patterns import pattern
from ..base.values import dataclass
from .constraint import Constraint, Value, kind_of, read_constraints, same, shown

__all__ = ["AXES_AND_CONDITIONS", "MOST_VARIANTS", "Variant", "Variants", "check_axes", "read_variant"]

AXES_AND_CONDITIONS = ("variants", "when")
"""The options of a crate or a source that declare them."""

MOST_VARIANTS = 10_000
"""The most variants of one source."""
_MOST_AXES = 64
_MOST_STEPS = 300_000
"""The most values to try, because some conditions take very long to evaluate."""
_LONGEST = 140
"""Characters of a name that spells out the values; longer ones contain a digest."""
_LONGEST_VALUE = 1_000
_AXIS = pattern(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_UNSAFE = pattern(r"[^A-Za-z0-9_.-]")
_RANKS = ("truth value", "number", "word")


@dataclass(frozen=True, slots=True)
class Variant:
    """One combination: the value of each axis, in order of the axes' names."""

    values: tuple[tuple[str, Value], ...]

    @property
    def key(self) -> str:
        """The variant's name, independent of the spelling and order of axes and values in the call."""
        return ",".join(f"{axis}={_spelled(value)}" for axis, value in self.values)

    @property
    def defines(self) -> tuple[tuple[str, str | None], ...]:
        """The macros: none for False, a bare one for True."""
        return tuple((axis, None if value is True else str(value)) for axis, value in self.values if value is not False)

    def unit_name(self, name: str, suffixes: Iterable[str]) -> str:
        """Return the name of a unit's variant: `sky/a.comp` becomes `sky/a.FOG-0.LIGHTS-4.comp`."""
        directory, slash, base = name.rpartition("/")
        stem, known = base, tuple(suffixes)
        while (found := max((each for each in known if stem.endswith(each)), key=len, default="")) and found != stem:
            stem = stem[: -len(found)]
        words = ".".join(f"{axis}-{_word(value)}" for axis, value in self.values)
        if len(words) > _LONGEST:
            words = f"variant-{content_digest(self.key.encode())[:16]}"
        return f"{directory}{slash}{stem}.{words}{base[len(stem) :]}"

    def encode(self, of: str) -> str:
        """Return the variant as text, with the name of the unit it varies."""
        return json.dumps({"of": of, "key": self.key, "values": dict(self.values)})


def read_variant(text: str) -> dict[str, object]:
    """Decode the text of `Variant.encode` to `of`, `key` and `values`; empty for an empty text."""
    return dict(json.loads(text)) if text else {}


@dataclass(frozen=True, slots=True)
class Variants:
    """The variants of a crate or a source.

    Shape: `axes` are the values by axis, as given, None if not given; `when` are conditions, all of which must hold.
    `chosen` are the combinations that meet them, sorted by the axes' names, then by their values, however these are
    ordered; without axes, `chosen` is None alone.
    """

    axes: object
    when: tuple[object, ...]
    chosen: tuple[Variant | None, ...]

    @classmethod
    def read(cls, given: Mapping[str, object], *, where: str) -> Variants:
        """Parse `variants` and `when`, either of which may be missing; parsed ones are returned as they are.

        Raises: ConfigurationError for invalid axes, values and conditions, for conditions that exclude everything, and
        for more than `MOST_VARIANTS`; UnknownNameError for a condition on an unknown axis.
        """
        axes, when = given.get("variants"), _texts(given.get("when"), where)
        if isinstance(axes, Variants):
            return axes
        return cls(axes, when, _chosen({} if axes is None else axes, when, where) or (None,))

    def of_source(self, given: Mapping[str, object], *, where: str) -> Variants:
        """Return a source's variants: its own axes and conditions, or the crate's, perhaps with further conditions.

        Raises: as `read`.
        """
        if given.get("variants") is not None:
            return Variants.read(given, where=where)
        if given.get("when") is None:
            return self
        return Variants.read({"variants": self.axes, "when": [*self.when, *_texts(given["when"], where)]}, where=where)


def check_axes(variant: Variant, defines: Iterable[tuple[str, str | None]], *, where: str) -> None:
    """Refuse an axis that is already a macro.

    Raises: ConfigurationError.
    """
    axes = {axis for axis, _ in variant.values}
    for name, value in defines:
        if name in axes:
            raise ConfigurationError(
                f"'{name}' is an axis of variants and one of 'defines'",
                context=(("where", where), ("defined", name if value is None else f"{name}={value}")),
                hint="leave it out of one of the two",
            )


def _texts(when: object, where: str) -> tuple[object, ...]:
    texts = () if when is None else (when,) if isinstance(when, str) else when
    if not isinstance(texts, (list, tuple)):
        raise ConfigurationError(f"'when' takes a condition or a list, not {when!r}", context=(("where", where),))
    return tuple(texts)


def _chosen(variants: object, texts: Sequence[object], where: str) -> tuple[Variant, ...]:
    axes = _axes(variants, where)
    if not axes:
        if texts:
            raise ConfigurationError(
                "'when' has no axes to choose from",
                context=(("where", where),),
                hint="it goes with 'variants': {\"FOG\": [0, 1]}",
            )
        return ()
    constraints = [part for text in texts for part in read_constraints(text, axes, where=where)]
    found = _combinations(axes, constraints, where)
    if not found:
        raise ConfigurationError(
            "'when' excludes all variants",
            context=(("where", where), *(("condition", shown(str(text))) for text in texts)),
            hint="leave out or weaken a condition",
        )
    return tuple(Variant(tuple(zip(axes, values, strict=True))) for values in found)


def _axes(variants: object, where: str) -> dict[str, tuple[Value, ...]]:
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
        word = _word(value)
        if word in words:
            other = words[word]
            twice = f"axis '{axis}' has the value {value!r} twice"
            alike = f"axis '{axis}': the variants of {other!r} and {value!r} would have one name"
            raise ConfigurationError(
                twice if same(other, value) else alike,
                context=context,
                hint="leave one out" if same(other, value) else "spell one of them in another way",
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


def _word(value: Value) -> str:
    """Return a value as part of a file name, and of a C identifier made from it."""
    word = _spelled(value)
    return f"minus{word[1:]}" if word.startswith("-") else word


def _spelled(value: Value) -> str:
    """Return a value as letters, digits and `_.-~`; different texts give different words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return _UNSAFE.sub(lambda found: "".join(f"~{byte:02X}" for byte in found[0].encode()), str(value))


def _too_many(context: tuple[tuple[str, str], ...], what: str) -> ConfigurationError:
    return ConfigurationError(
        f"too many variants: up to {MOST_VARIANTS} of a source can be made",
        context=(*context, ("found", what)),
        hint="exclude combinations with 'when', or split the source into several with fewer axes",
    )


def _combinations(
    axes: Mapping[str, tuple[Value, ...]], constraints: Sequence[Constraint], where: str
) -> list[tuple[Value, ...]]:
    """Return the combinations that meet the constraints, in order."""
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
    places = {axis: {_word(value): at for at, value in enumerate(values)} for axis, values in axes.items()}
    rows = [tuple(each[axis] for axis in axes) for each in every]
    return sorted(rows, key=lambda row: [at[_word(value)] for at, value in zip(places.values(), row, strict=True)])


def _order(domains: Mapping[str, tuple[Value, ...]], constraints: Sequence[Constraint]) -> list[str]:
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
