"""Which cases of tests run by default, and which only with `--exhaustive`.

`@pytest.mark.pairwise` is for a test of many dimensions: parameters of its own and of its fixtures. By default every
two values of different dimensions meet in some case; the other cases are exhaustive. `@pytest.mark.exhaustive` is for
other cases that cost more than they find. `pairwise(native="gcc", lto="thin")` says that such cases test nothing, so
they do not count for any pair; `exhaustive(compiler="executable", path="u.hlsl")` applies only to such cases. Each mark
may be repeated, and a tuple stands for any of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import pytest

__all__ = ["cover", "exhaustive_cases"]


def exhaustive_cases(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return the cases that do not run by default."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    return {case for cases in tests.values() for case in _exhaustive(cases)}


def cover(rows: Sequence[Mapping[str, int]]) -> list[int]:
    """Return the indices of rows that together contain every pair of values that any row contains.

    It takes the row with the most new pairs, the first of several, until there are none; then it drops rows that later
    ones made redundant. The result is deterministic.
    """
    pairs = [{*combinations(sorted(row.items()), 2)} for row in rows]
    new, chosen = pairs, []
    while any(new):
        best = max(range(len(rows)), key=lambda place: len(new[place]))
        chosen.append(best)
        met = new[best]
        new = [each - met for each in new]
    for place in [*chosen]:
        others = [other for other in chosen if other != place]
        if pairs[place] <= {pair for other in others for pair in pairs[other]}:
            chosen = others
    return chosen


def _exhaustive(cases: Sequence[pytest.Item]) -> list[pytest.Item]:
    found = [case for case in cases if any(_applies_to(mark, case) for mark in case.iter_markers("exhaustive"))]
    idle = [*cases[0].iter_markers("pairwise")]
    if idle and len(cases) > 1:
        tried = [case for case in cases if not any(mark.kwargs and _applies_to(mark, case) for mark in idle)]
        chosen = {*cover(_numbered([case.callspec.params for case in tried]))}  # type: ignore[attr-defined]
        found += [case for place, case in enumerate(tried) if place not in chosen]
    return found


def _numbered(rows: Sequence[Mapping[str, object]]) -> list[dict[str, int]]:
    """Return numbers in place of values, some of which are not hashable; equal values of a type get the same."""
    seen: dict[str, list[object]] = {}
    numbered = []
    for row in rows:
        for name, value in row.items():
            known = seen.setdefault(name, [])
            if (type(value), value) not in known:
                known.append((type(value), value))
        numbered.append({name: seen[name].index((type(value), value)) for name, value in row.items()})
    return numbered


def _applies_to(mark: pytest.Mark, case: pytest.Item) -> bool:
    """Return whether a mark applies to a case, which then has the values that the mark names."""
    values = case.callspec.params if mark.kwargs else {}  # type: ignore[attr-defined]
    return all(
        values[name] in wanted if isinstance(wanted, tuple) else values[name] == wanted
        for name, wanted in mark.kwargs.items()
    )
