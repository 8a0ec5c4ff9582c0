"""Variants of a source: all combinations of its axes' values that meet the conditions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from ..base.digest import content_digest
from ..base.errors import ConfigurationError
from ..base.values import dataclass
from .axes import combinations, read_axes, value_text, word_of
from .constraint import Value, read_constraints, shown

AXES_AND_CONDITIONS = ("variants", "when")
"""The options of a crate or a source that declare them."""

_LONGEST = 140
"""Characters of a name that spells out the values; longer ones contain a digest."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One combination: the value of each axis, in order of the axes' names."""

    values: tuple[tuple[str, Value], ...]

    @property
    def key(self) -> str:
        """The variant's name, independent of the spelling and order of axes and values in the call."""
        return ",".join(f"{axis}={value_text(value)}" for axis, value in self.values)

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
        words = ".".join(f"{axis}-{word_of(value)}" for axis, value in self.values)
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
    axes = read_axes(variants, where)
    if not axes:
        if texts:
            raise ConfigurationError(
                "'when' has no axes to choose from",
                context=(("where", where),),
                hint="it goes with 'variants': {\"FOG\": [0, 1]}",
            )
        return ()
    constraints = [part for text in texts for part in read_constraints(text, axes, where=where)]
    found = combinations(axes, constraints, where)
    if not found:
        raise ConfigurationError(
            "'when' excludes all variants",
            context=(("where", where), *(("condition", shown(str(text))) for text in texts)),
            hint="leave out or weaken a condition",
        )
    return tuple(Variant(tuple(zip(axes, values, strict=True))) for values in found)
