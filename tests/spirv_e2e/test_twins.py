"""Random SConstructs and edits: recognizing an up-to-date build has no visible effect.

`CRATE_SOAK=1000` tries that many cases; `python -m tests.soak --twins SEED` shows one.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.soak.cases import case_of
from tests.soak.twins import Mismatch, run_case, shown
from tests.support.scons_project import IN_PLACE, server_of

SEEDS = (25, 26, 28, *range(100, 100 + int(os.environ.get("CRATE_SOAK", "0"))))
"""Cases with some builds that are recognized as up to date; more with CRATE_SOAK."""


@pytest.mark.parametrize("seeds", [SEEDS[:2], pytest.param(SEEDS[2:], marks=pytest.mark.exhaustive)])
def test_known_builds_behave_like_unknown_ones(tmp_path: Path, seeds: tuple[int, ...]) -> None:
    counts: Counter[str] = Counter()
    for seed in seeds:
        steps = case_of(seed)
        try:
            run_case(steps, tmp_path / str(seed), server_of(IN_PLACE), counts)
        except Mismatch as error:
            done = "\n".join(shown(steps[: error.step + 1]))
            pytest.fail(f"seed {seed}:\n{done}\n----\n{error}")
    assert counts["known"], "no build was known to have nothing to do"
