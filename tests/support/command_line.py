"""The command line, in this process or as users start it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import cratewright
from cratewright import cli


def run_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with patch.dict(os.environ, NO_COLOR="1"), redirect_stdout(out), redirect_stderr(err):
        try:
            status: object = cli.main(arguments)
        except SystemExit as stop:
            status = stop.code
    assert isinstance(status, int)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def start_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as users do."""
    site = str(Path(cratewright.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-m", "cratewright.cli", *arguments],
        env={**os.environ, "PYTHONPATH": site, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
