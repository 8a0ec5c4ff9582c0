"""Choose variants of the table, by crate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from table import CRATES, VARIANTS
from table.row import TARGET, Variant

__all__ = ["CRATES", "TARGET", "VARIANTS", "Variant", "crates", "output", "whole_table"]


def crates(limit: int = 0, *, every: bool = False) -> dict[str, list[Variant]]:
    """Return variants by crate: the first two of each source, or `every` one.

    With a `limit`, about that many of them, spread evenly over the table.
    """
    return _spread(CRATES, VARIANTS if every else _first_of_each_source(), limit)


def whole_table(rows: Iterable[Variant], limit: int = 0) -> dict[str, list[Variant]]:
    """Return the rows of the generator by crate: those above, of each target one; `limit` is as there."""
    topics = {variant.source: name for name, members in CRATES.items() for variant in members}
    made: dict[str, list[Variant]] = {}
    for row in rows:
        name = topics.get(row.source) or _topic(row.source)
        made.setdefault(name if row.target == TARGET else f"{name}_{row.target.replace('.', '_')}", []).append(row)
    return _spread(made, [row for members in made.values() for row in members], limit)


def _topic(source: str) -> str:
    """Return the crate of a source that only the newest compiler takes."""
    starts = {"mul_mat_vec": "mul_mat_vec", "mul_mm": "matmul", "flash_attn": "flash_attn"}
    return next((topic for start, topic in starts.items() if source.startswith(start)), "layers")


def _spread(made: dict[str, list[Variant]], table: list[Variant], limit: int) -> dict[str, list[Variant]]:
    count = len(table)
    wanted = min(limit, count) if limit > 0 else count
    kept = {table[index * count // wanted].name for index in range(wanted)}
    chosen = {crate: [v for v in members if v.name in kept] for crate, members in made.items()}
    return {crate: members for crate, members in chosen.items() if members}


def _first_of_each_source(most: int = 2) -> list[Variant]:
    seen: Counter[str] = Counter()
    chosen: list[Variant] = []
    for variant in VARIANTS:
        seen[variant.source] += 1
        if seen[variant.source] <= most:
            chosen.append(variant)
    return chosen


def output(crate: str, variant: Variant) -> str:
    """Return where the multi-module image of a crate holds a variant, relative to the build directory."""
    return f"{crate}.spvs/{variant.name}.comp.spv"
