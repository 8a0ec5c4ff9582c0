"""The cases of a test with many dimensions that run by default."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import combinations, product
from pathlib import Path

import pytest

from tests.support.exhaustive import cover
from tests.support.paths import ROOT

TESTS = """\
import pytest

@pytest.fixture(params=["zig", "gcc"])
def native(request):
    return request.param

@pytest.mark.pairwise(native="gcc", lto="thin")
@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("lto", ["off", "thin"])
def test_many(native, lto, level):
    pass

@pytest.mark.exhaustive(name=("b", "c"), number=1)
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_some(name, number):
    pass

@pytest.mark.exhaustive
def test_one():
    pass

def test_plain():
    pass
"""


@pytest.mark.parametrize("sizes", [(3, 3), (3, 3, 2), (6, 3, 3), (2, 2, 2, 2), (4, 3, 2, 2, 5), (5,)])
def test_chosen_cases_cover_all_pairs(sizes: tuple[int, ...]) -> None:
    rows = [dict(zip("abcde", values, strict=False)) for values in product(*map(range, sizes))]
    chosen = [rows[place] for place in cover(rows)]
    pairs = [{pair for row in some for pair in combinations(row.items(), 2)} for some in (rows, chosen)]
    assert pairs[0] == pairs[1]
    assert len(chosen) <= 1.5 * max([a * b for a, b in combinations(sizes, 2)], default=0)


def _run(path: Path, *words: str) -> str:
    (path / "test_it.py").write_text(TESTS)
    shutil.copy(ROOT / "conftest.py", path)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir=.", "-v", *words]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=path, env=environ, capture_output=True, text=True, check=False).stdout


def test_other_cases_are_left_out_and_counted(tmp_path: Path) -> None:
    """Cases that do not apply run, but cover no pairs."""
    output = _run(tmp_path, "-n2")
    assert "15 passed" in output and "5 exhaustive tests were left out" in output, output
    output = _run(tmp_path, "-k", "many and gcc or one")
    assert "6 passed" in output and "1 exhaustive tests" in output, output


def test_exhaustive_runs_only_the_other_cases(tmp_path: Path) -> None:
    output = _run(tmp_path, "--exhaustive")
    assert "5 passed" in output and "left out" not in output, output
    assert "test_some[b-1]" in output and "test_some[b-2]" not in output
    assert "passed" not in _run(tmp_path, "--exhaustive", "-k", "plain")
