"""All checks, one after another; stops at the first that fails.

Knows nothing of what each checks. `python -m tests [--quick] [pytest arguments]`; `--quick` leaves out the
end-to-end tests and the wheel.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from tests.support.paths import ROOT, source_paths

_QUICK = ("tests/architecture", "tests/unit", "--deselect=tests/architecture/test_wheel.py")


def main(argv: Sequence[str]) -> int:
    """Run every level and return the exit status of the first that fails, or 0."""
    quick = "--quick" in argv
    chosen = [word for word in argv if word != "--quick"]
    levels = (
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("mypy",),
        ("pytest", "-n", "auto", *(_QUICK if quick else ()), *chosen),
    )
    for level in levels:
        print(f"tests: {' '.join(level)}", flush=True)
        # pytest's own status 5, no test ran, is a failure like any other.
        status = subprocess.run([sys.executable, "-m", *level], cwd=ROOT, env=_environment(), check=False).returncode
        if status != 0:
            print(f"tests: {level[0]} failed with exit status {status}", file=sys.stderr)
            return status
    print("tests: all passed")
    return 0


def _environment() -> dict[str, str]:
    """Return the environment in which the packages of this checkout are found."""
    inherited = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*source_paths(), *inherited])}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
