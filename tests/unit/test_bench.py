"""The command that measures: what it takes, how ways are compared, and that its tables and plots hang on figures alone.

Knows nothing of how long anything takes. Measuring waits for every child there is, so it has a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT, source_paths

MEASURED = """
import sys
from pathlib import Path
from tests.bench.case import Case, Way, run
from tests.bench.table import table

def write(directory):
    (directory / "made").write_text("0")

def begin(directory, number):
    (directory / "made").write_text(str(number))

say = [sys.executable, "-I", "-S", "-c", "open('log', 'a').write(open('made').read())"]
ways = [
    Way("cratewright", say, write, begin, first=[say], check=lambda at: seen.append((at / "log").read_text())),
    Way("other", say, write, begin),
    Way("absent", missing="it is not installed"),
]
seen = []
rows = run(Case("saying", ways), Path(sys.argv[1]), 3)
assert seen == ["00", "001", "0012"], seen
assert all(row.cost.cpu > 0 and row.cost.wall > 0 and row.cost.memory > 1 for row in rows[:2])
text = table(rows, ["on a machine"])
assert text.startswith("Median of 3. on a machine."), text
assert "| saying | absent | it is not installed |" in text, text
"""
BROKEN = """
import os, sys
from pathlib import Path
from tests.bench.measure import ToolError, measure
try:
    measure([sys.executable, "-c", "print('why'); raise SystemExit(3)"], Path(sys.argv[1]), os.environ)
except ToolError as error:
    print(error)
"""


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    environ = {"PYTHONPATH": ":".join(source_paths()), "PATH": "/usr/bin:/bin"}
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_ways_take_turns_and_the_missing_are_said(tmp_path: Path) -> None:
    done = _run("-c", MEASURED, str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_a_command_that_fails_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    said = _run("-c", BROKEN, str(tmp_path)).stdout
    assert "failed" in said and "why" in said and "3" in said


def test_names_are_checked_and_all_of_them_can_be_asked() -> None:
    done = _run("-m", "tests.bench", "nul")
    assert done.returncode == 2 and "no measurement 'nul'" in done.stderr
    helped = _run("-m", "tests.bench", "--help").stdout
    known = (
        "__main__",
        "builds",
        "case",
        "generated",
        "llama_shaders",
        "measure",
        "model",
        "native",
        "scaling",
        "sizes",
        "table",
    )
    names = [path.stem for path in sorted((ROOT / "tests" / "bench").glob("*.py")) if path.stem not in known]
    assert names and all(name in helped for name in names)
    code = "import importlib, sys; from tests.bench import measure\n"
    code += "for name in sys.argv[1:]: assert importlib.import_module(f'tests.bench.{name}').main.__code__.co_argcount"
    done = _run("-c", code, *names)
    assert done.returncode == 0, done.stderr


def test_plots_hang_on_figures_alone(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code = (
        "import sys; from pathlib import Path; from tests.bench.case import Case, Row; "
        "from tests.bench.measure import Cost; from tests.bench.table import plot; "
        "rows = [Row(Case(f'{n}', (), 'units', n), 'cratewright', Cost(n / 10, 1.0, 1.0), 3) for n in (1, 2, 3)]; "
        "sys.exit(plot(rows, Path(sys.argv[1])) or None)"
    )
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        done = _run("-c", code, str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        made.append((tmp_path / name / "units.svg").read_bytes())
    assert made[0] == made[1] and str(tmp_path).encode() not in made[0]
