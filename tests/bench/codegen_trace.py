"""A trace of a clean build of a chain of crates: when the codegen of each began and ended, and when it was linked.

    python -m tests.bench codegen-trace [--crates N] [--units N] [--jobs N]

Each crate depends on the one before it, so a build system that waits for dependencies would compile one crate at
a time. The trace is made from the output of the build alone. Exit status 1 if no two codegens overlapped.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from .measure import scons

WIDTH = 60

HEAD = """\
import cratewright
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_CACHE="off")
"""


def write_chain(directory: Path, crates: int, units: int) -> None:
    """Write a chain of crates; every unit calls a function of the crate before."""
    lines = [HEAD]
    for number in range(crates):
        names = [f"c{number}_{unit}.glsl" for unit in range(units)]
        for unit, name in enumerate(names):
            call = f"f{number - 1}_{unit}(x)" if number else "x"
            before = f"float f{number - 1}_{unit}(float x);\n" if number else ""
            text = f"#version 460\n{before}float f{number}_{unit}(float x) {{ return {call} * {unit}.0 + 1.0; }}\n"
            (directory / name).write_text(text)
        deps = f'deps=["c{number - 1}"]' if number else "deps=[]"
        lines.append(f'env.Crate("c{number}", {names}, {deps})\n')
    main = f"#version 460\nfloat f{crates - 1}_0(float x);\nlayout(binding = 0) buffer B {{ float b[]; }};\n"
    (directory / "main.comp").write_text(main + f"void main() {{ b[0] = f{crates - 1}_0(b[1]); }}\n")
    lines.append(f'env.Crate("app", ["main.comp"], deps=["c{crates - 1}"], crate_type="cdylib")\n')
    (directory / "SConstruct").write_text("".join(lines))


def trace(directory: Path, jobs: int) -> dict[str, list[float]]:
    """Build and return, for each crate, when its codegen began and ended.

    Units: seconds since the start.
    """
    started = time.monotonic()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    spans: dict[str, list[float]] = {}
    with subprocess.Popen(scons(jobs=jobs), cwd=directory, env=environment, stdout=subprocess.PIPE, text=True) as build:
        assert build.stdout is not None
        for line in build.stdout:
            now = time.monotonic() - started
            if found := re.match(r"Compiling crate (\w+)\.rlink", line) or re.match(r"crate (\w+): \d+ units?:", line):
                spans.setdefault(found[1], []).append(now)
    if build.returncode:
        raise SystemExit(f"the build failed with status {build.returncode}")
    return spans


def main(arguments: list[str]) -> int:
    """Build, print the trace, and check that codegens overlapped."""
    parser = argparse.ArgumentParser(description="When does the codegen of crates in a row run?")
    parser.add_argument("--crates", type=int, default=8)
    parser.add_argument("--units", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=4)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        write_chain(Path(directory), chosen.crates, chosen.units)
        spans = trace(Path(directory), chosen.jobs)
    end = max(span[-1] for span in spans.values())
    for name, (first, last) in spans.items():
        left, right = round(first / end * WIDTH), max(round(last / end * WIDTH), round(first / end * WIDTH) + 1)
        print(f"{name:5} {' ' * left}{'#' * (right - left)}{' ' * (WIDTH - right)} {first:5.2f} - {last:5.2f} s")
    pairs = [(a, b) for a in spans for b in spans if a < b]
    overlaps = sum(spans[a][0] < spans[b][1] and spans[b][0] < spans[a][1] for a, b in pairs)
    print(f"{overlaps} of {len(pairs)} pairs of crates overlap in codegen")
    return 0 if overlaps else 1
