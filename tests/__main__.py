"""All checks: `python -m tests [--quick] [--exhaustive] [--coverage] [--workers=KIND] [pytest arguments]`.

Fast checks run first; types are checked beside the tests, because mypy uses only one processor. `--quick` leaves out
what takes long: it runs the tests that start no build, and a few builds of each backend. `--exhaustive` runs what is
left out without it, and nothing else: cases of tests with many dimensions in which no two values meet for the first
time, and tests that cost more time than the faults they find are worth. `--coverage` lists the lines that no process
reached: neither tests, nor `scons`, nor workers. `--workers=spawn` runs all tests with workers that are new
interpreters, as `CRATE_WORKERS` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from tests.support.paths import ROOT, source_paths

QUICK = (
    "tests/architecture",
    "tests/unit",
    "tests/e2e/test_build.py",
    "tests/e2e/test_null_build.py",
    "tests/native_e2e/test_rebuild.py",
    "tests/native_e2e/test_compile.py::test_editing_a_header_compiles_its_includers[gcc]",
    "tests/spirv_e2e/test_rebuild.py",
    "plugins/cratewright-wasm/tests/test_projects.py::test_edit_rebuilds_its_dependents",
    "--deselect=tests/architecture/test_wheel.py",
    "--hypothesis-profile=quick",
    # What talks with servers, sends code away and draws: a third of the time of all unit tests.
    *(f"--ignore=tests/unit/test_{name}.py" for name in ("bench", "remote_http", "remote_reapi", "sender")),
)

_WORKERS = "--workers="


def main(argv: Sequence[str]) -> int:
    """Run every level and return the exit status of the first that fails, or 0."""
    quick = QUICK if "--quick" in argv else ()
    ours = [word for word in argv if word in ("--quick", "--coverage") or word.startswith(_WORKERS)]
    chosen = [word for word in argv if word not in ours]
    coverage = ("coverage", "run", "-m") if "--coverage" in argv else ()
    for word in ours:
        if word.startswith(_WORKERS):
            os.environ["CRATE_WORKERS"] = word.removeprefix(_WORKERS)
    for level in (("ruff", "format", "--check", "."), ("ruff", "check", ".")):
        if status := _status(_start(*level), level[0]):
            return status
    with tempfile.TemporaryFile() as said:
        types = _start("mypy", stdout=said)
        try:
            # pytest's own status 5, no test ran, is a failure like any other.
            tested = _status(_start(*coverage, "pytest", "-n", "auto", "--dist=worksteal", *quick, *chosen), "pytest")
            checked = _status(types, "mypy")
        finally:
            types.kill()
            types.wait()
        said.seek(0)
        print(said.read().decode(), end="", flush=True)
    if coverage:
        _status(_start("coverage", "combine", "-q"), "coverage")
        _status(_start("coverage", "report", "--skip-covered", "--show-missing"), "coverage")
    if not (tested or checked):
        print("tests: all passed")
    return tested or checked


def _start(*words: str, stdout: object = None) -> subprocess.Popen[bytes]:
    print(f"tests: {' '.join(words)}", flush=True)
    return subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, env=_environment(), stdout=stdout)  # type: ignore[call-overload]


def _status(process: subprocess.Popen[bytes], name: str) -> int:
    if status := process.wait():
        print(f"tests: {name} failed with exit status {status}", file=sys.stderr)
    return status


def _environment() -> dict[str, str]:
    """Return the environment in which the packages of this checkout are found."""
    inherited = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*source_paths(), *inherited])}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
