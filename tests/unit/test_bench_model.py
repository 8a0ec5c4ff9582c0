"""The build model, where it can be calculated by hand; `tests.bench simulate --check` compares it with real builds."""

from __future__ import annotations

import math

import pytest

from tests.bench.model import Cache, Recorded, Stage, forecast, limits

CODEGEN = Stage(0, making=0.5, finding=0.25, steps=((1.0,) * 8,), after=())
LINK = Stage(0, making=0.5, finding=0.25, steps=((2.0,),), after=(0,))
ONE = Recorded(begin=1.0, declare=0.5, end=0.25, stages=(CODEGEN, LINK), entry=1000.0)


@pytest.mark.parametrize(("workers", "units"), [(1, 10.0), (2, 6.0), (8, 3.0), (64, 3.0)])
def test_workers_share_units_of_a_step(workers: int, units: float) -> None:
    assert forecast(ONE, workers=workers).wall == pytest.approx(1.5 + 1.0 + units + 0.25)


def test_all_results_in_cache() -> None:
    expected = forecast(ONE, workers=4, cache=Cache(latency=0.1))
    assert expected.wall == pytest.approx(1.5 + 0.5 + 2 * 0.1 + 0.25) and expected.waited == pytest.approx(0.2)
    assert (expected.requests, expected.received, expected.sent) == (9, 9000, 0)
    slow = forecast(ONE, workers=4, cache=Cache(bandwidth=1000.0))
    assert slow.wall == pytest.approx(2.25 + 9.0)


def test_misses_are_computed_and_uploaded() -> None:
    expected = forecast(ONE, workers=1, cache=Cache(found=0.5))
    assert (expected.sent, expected.received) == (5000, 4500)
    assert expected.wall == pytest.approx(1.5 + 0.75 + 4.0 + 2.0 + 0.25)


def test_independent_crates_run_in_parallel() -> None:
    many = ONE.grown(10)
    assert many.crates == 10 and len(many.stages) == 20 and many.stages[19].after == (18,)
    assert len(ONE.grown(10).grown(7).stages) == 14
    base = many.begin + 10 * many.declare + many.end
    alone, together = (forecast(many, workers=n).wall for n in (1, 80))
    assert alone == pytest.approx(base + 10 * (1.0 + 10.0)) and base + 10.0 + 2.0 <= together < base + 14.0


def test_prefetch_reduces_waiting() -> None:
    many, cache = ONE.grown(50), Cache(latency=0.1)
    ahead, each = (forecast(many, workers=1, cache=cache, ahead=ahead) for ahead in (True, False))
    assert each.waited == pytest.approx(50 * 2 * 0.1) and ahead.waited < each.waited / 2
    assert ahead.wall < each.wall and ahead.received == each.received == 50 * 9000


def test_clients_share_cache_bandwidth() -> None:
    cache = Cache(bandwidth=9000.0)
    assert forecast(ONE, workers=8, cache=cache, clients=20).wall > 20.0
    assert forecast(ONE, workers=8, cache=Cache(bandwidth=math.inf), clients=20).wall == pytest.approx(2.25)
    parts = limits(ONE, 8, cache, 20)
    assert max(parts, key=lambda name: parts[name]) == "bandwidth" and parts["bandwidth"] == pytest.approx(20.0)
