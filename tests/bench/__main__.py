"""All benchmarks: `python -m tests.bench [what...] [--quick] [--rounds N] [--resume] [--publish]`.

Without arguments it runs all comparisons with other build systems, and reports why one cannot run here. Results are
stored in a file by case: a new measurement replaces the last one of its case, and the table shows all cases.
`python -m tests.bench NAME arguments` runs one of the separate benchmarks.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

from . import generated, llama_shaders, memory, native, scaling, sizes
from .case import run
from .measure import ROOT, adopt_orphans, stale, versions
from .results import Results
from .table import brief, heading, plot, renew, table

from cratewright.base.errors import CratewrightError  # isort: skip

COMPARED = {
    "null": sizes.nulls,
    "edit": sizes.edits,
    "clean": sizes.cleans,
    "shaders": llama_shaders.cases,
    "native": native.cases,
    "workers": scaling.cases,
    "starts": scaling.starts,
    "memory": memory.cases,
    "generated": generated.cases,
}
HERE = Path(__file__).resolve().parent
COMMON = (
    *("__main__", "builds", "case", "clock", "generated", "measure", "model", "projects", "results", "table", "tools"),
    *("llama_shaders", "memory", "native", "native_lto_projects", "scaling", "sizes", "store_candidates"),
)
PROGRAMS = ("ninja", "meson", "cmake", "clang-19", "gcc")
KEPT = HERE / ".results" / "results.json"


def others() -> list[str]:
    """Return the benchmarks with their own arguments and tables."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in COMMON)


def main(arguments: list[str]) -> int:
    """Measure, print a table, and update the documents."""
    if arguments and arguments[0].replace("-", "_") in others():
        module = importlib.import_module(f"tests.bench.{arguments[0].replace('-', '_')}")
        return int(module.main(arguments[1:]) or 0)
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="measure builds side by side with other build systems",
        epilog=f"Separate benchmarks, with their own arguments: {' '.join(others())}.",
    )
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"any of {' '.join(COMPARED)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each case is measured; the median counts")
    parser.add_argument(
        "--quick", action="store_true", help="three rounds, without cases that take a minute to prepare"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases whose names contain TEXT")
    parser.add_argument("--resume", action="store_true", help="skip cases that are in the file of results")
    parser.add_argument("--results", type=Path, default=KEPT, metavar="FILE", help="the file of results (%(default)s)")
    parser.add_argument("--publish", action="store_true", help="write the table and plots to README.md and docs")
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.what if name not in COMPARED]:
        parser.error(f"no measurement '{unknown[0]}'; there are {' '.join((*COMPARED, *others()))}")
    if old := stale():
        print(f"{' '.join(old)}: another version is installed; pip install ./plugins/{old[0]}", file=sys.stderr)
        return 2
    results = Results.load(chosen.results)
    results.about = [*versions(PROGRAMS), f"{os.cpu_count()} processors"]
    rounds = min(3, chosen.rounds) if chosen.quick else chosen.rounds
    try:
        adopt_orphans()
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            for name in chosen.what or COMPARED:
                for case in COMPARED[name]():
                    left_out = chosen.only not in case.name or (chosen.quick and case.slow)
                    if left_out or (chosen.resume and case.name in results.parts.get(name, {})):
                        continue
                    results.add(name, run(case, Path(scratch), rounds))
    except CratewrightError as error:
        print(error, file=sys.stderr)
        return 2
    cases = list(results.cases(list(COMPARED)))
    summary = heading(cases, results.about)
    print(f"{summary}\n\n{table(cases)}", end="")
    if chosen.publish:
        if missing := [name for name in COMPARED if not results.parts.get(name)]:
            print(f"not published: no results of {' '.join(missing)}", file=sys.stderr)
            return 2
        renew(ROOT / "docs" / "measured.md", f"{summary}\n\n{table(cases)}")
        renew(ROOT / "README.md", brief(cases))
        if why := plot(cases, ROOT / "docs" / "plots"):
            print(f"no plots: {why}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
