"""All measurements: `python -m tests.bench [what...] [--rounds N] [--output DIRECTORY]`.

Knows nothing of what is measured. Without a word it measures all that is compared with other build systems, and says of
each that cannot run here why. `python -m tests.bench NAME arguments` runs one of the others, by itself.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

from . import generated, llama_shaders, native, scaling, sizes
from .case import Row, run
from .measure import adopt_orphans, versions
from .table import plot, table

from cratewright.base.errors import CratewrightError  # isort: skip

COMPARED = {
    "null": sizes.nulls,
    "edit": sizes.edits,
    "native": native.cases,
    "shaders": llama_shaders.cases,
    "scaling": scaling.cases,
    "growth": sizes.growth,
    "generated": generated.cases,
}
HERE = Path(__file__).resolve().parent
COMMON = (
    *("__main__", "builds", "case", "generated", "measure", "model", "table"),
    *("native", "sizes", "scaling", "llama_shaders"),
)
PROGRAMS = ("ninja", "meson", "cmake", "clang-19", "gcc")


def others() -> list[str]:
    """Return the measurements that have arguments and tables of their own."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in COMMON)


def main(arguments: list[str]) -> int:
    """Measure, print a table, and draw how costs grow."""
    if arguments and arguments[0].replace("-", "_") in others():
        module = importlib.import_module(f"tests.bench.{arguments[0].replace('-', '_')}")
        return int(module.main(arguments[1:]) or 0)
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="measure builds side by side with other build systems",
        epilog=f"By themselves, with arguments of their own: {' '.join(others())}.",
    )
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"any of {' '.join(COMPARED)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured; the median counts")
    parser.add_argument("--output", type=Path, metavar="DIRECTORY", help="write bench.md there, and plots of growth")
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.what if name not in COMPARED]:
        parser.error(f"no measurement '{unknown[0]}'; there are {' '.join((*COMPARED, *others()))}")
    load = os.getloadavg()[0]
    rows: list[Row] = []
    try:
        adopt_orphans()
        for name in chosen.what or COMPARED:
            for number, case in enumerate(COMPARED[name]()):
                with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
                    rows += run(case, Path(scratch, f"{name}-{number}"), chosen.rounds)
    except CratewrightError as error:
        print(error, file=sys.stderr)
        return 2
    text = table(rows, [*versions(PROGRAMS), f"{os.cpu_count()} processors", f"load {load:.1f} at the start"])
    print(text, end="")
    if chosen.output:
        chosen.output.mkdir(parents=True, exist_ok=True)
        (chosen.output / "bench.md").write_text(text, encoding="utf-8")
        if why := plot(rows, chosen.output):
            print(f"no plots: {why}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
