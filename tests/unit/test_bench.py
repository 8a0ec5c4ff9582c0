"""The benchmark command: its arguments, the comparison of alternatives, and reproducible tables and plots.

No timings are checked. Measuring waits for all child processes, so each test runs it in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT, source_paths

MEASURED = r"""
import sys
from pathlib import Path
from tests.bench.case import Case, Goal, Way, ratio, run
from tests.bench.results import Results
from tests.bench.table import brief, heading, renew, table

def write(directory):
    (directory / "made").write_text("0")

def begin(directory, number):
    (directory / "made").write_text(str(number))

say = [sys.executable, "-I", "-S", "-c", "open('log', 'a').write(open('made').read())"]
ways = [
    Way("cratewright", say, write, begin, first=[say], check=lambda at: seen.append((at / "log").read_text())),
    Way("other", say, write, begin),
    Way("cratewright, twice", say, write, begin),
    Way("absent", missing="it is not installed"),
]
seen = []
goals = [
    Goal("itself", ratio("cratewright", "cratewright"), 1.0),
    Goal("twice", lambda costs: 2.0, 2.5, least=True),
    Goal("none", ratio("cratewright", "absent"), 1.0),
]
scratch = Path(sys.argv[1])
case = run(Case("saying", ways, goals=goals, headline=True), scratch, 3)
assert seen == ["00", "001", "0012"], seen
assert all(len(took.costs) == 3 and took.cost.cpu > 0 and took.cost.wall > 0 for took in case.ways[:3])
assert case.ways[0].cost.memory > 1 and 0 <= case.others <= 1
assert [goal.met for goal in case.goals] == [True, False, False]
text = table([case])
assert "| saying | cratewright | 3 |" in text and "|  | absent | | it is not installed |" in text, text
assert "itself: 1.00, ≤ 1" in text and "**twice: 2.00, ≥ 2.5: not met**" in text and "none: not known" in text, text
ours, other = case.ways[0].cost.cpu, case.ways[1].cost.cpu
row = f"| saying | {ours:.2f} | other {other:.2f} |"
hidden = [run(Case("hidden", ways[:1]), scratch, 1), run(Case("absent", ways[3:], headline=True), scratch, 1)]
assert brief([case, *hidden]).splitlines()[2:] == [row], brief([case])
assert heading([case], ["on a machine"]).endswith("1 of 3 goals are met."), heading([case], [])

# What is measured again takes the place of what there was; the others stay.
results = Results(scratch / "kept.json")
results.add("one", case)
results = Results.load(scratch / "kept.json")
again = run(Case("saying", ways[1:]), scratch, 1)
other = run(Case("more", ways[1:], rounds=1), scratch, 3)
for each in (again, other):
    results.add("two" if each is other else "one", each)
kept = list(Results.load(scratch / "kept.json").cases(["two", "one"]))
assert kept == [other, again], kept

# Ways of one place share a directory; memory of all processes together is more than nothing.
place = Way("more", [sys.executable, "-c", "import time; time.sleep(0.6)"], write, place="same", together=True)
held = run(Case("held", [place, Way("less", ["true"], write, place="same")]), scratch, 1)
assert (scratch / "same" / "made").exists() and held.ways[0].cost.memory > 2, held

document = scratch / "document.md"
document.write_text("before\n<!-- by `python -m tests.bench --publish` -->\nold\n<!-- end -->\nafter\n")
renew(document, r"new \1" + "\n")
assert document.read_text().splitlines()[2] == r"new \1" and "old" not in document.read_text()
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


def test_alternatives_alternate_and_missing_ones_are_reported(tmp_path: Path) -> None:
    done = _run("-c", MEASURED, str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_failed_command_is_reported_with_its_output(tmp_path: Path) -> None:
    output = _run("-c", BROKEN, str(tmp_path)).stdout
    assert "failed" in output and "why" in output and "3" in output


def test_help_lists_every_benchmark() -> None:
    done = _run("-m", "tests.bench", "nul")
    assert done.returncode == 2 and "no measurement 'nul'" in done.stderr
    helped = _run("-m", "tests.bench", "--help").stdout
    known = _run("-c", "from tests.bench.__main__ import COMMON; print(*COMMON)").stdout.split()
    names = [path.stem for path in sorted((ROOT / "tests" / "bench").glob("*.py")) if path.stem not in known]
    assert known and names and all(name in helped for name in names)
    code = "import importlib, sys; from tests.bench import measure\n"
    code += "for name in sys.argv[1:]: assert importlib.import_module(f'tests.bench.{name}').main.__code__.co_argcount"
    done = _run("-c", code, *names)
    assert done.returncode == 0, done.stderr


def test_plot_depends_only_on_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code = (
        "import sys; from pathlib import Path; from tests.bench.case import Measured, Took; "
        "from tests.bench.measure import Cost; from tests.bench.table import plot; "
        "took = lambda n: (Took('cratewright', (Cost(n / 10, 1.0, 1.0),)),); "
        "rows = [Measured(f'{n}', 'units', n, False, 0.0, took(n), ()) for n in (3, 1, 2)]; "
        "sys.exit(plot(rows, Path(sys.argv[1])) or None)"
    )
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        done = _run("-c", code, str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        made.append((tmp_path / name / "units.svg").read_bytes())
    assert made[0] == made[1] and str(tmp_path).encode() not in made[0]
