"""A small project in its own directory, built by the real `scons`, for tests of backends."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_STEP = re.compile(r"(?:Compiling crate|Archiving|Linking) .*")
_SILENT = re.compile(r"scons: .* is up to date\.|scons: Nothing to be done for .*")


class SconsProject:
    """Files, and what `scons` makes of them.

    Shape: `output` is what the last run printed, standard error after standard output; `environ` are variables that
    are set for runs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.output = ""
        self.environ: dict[str, str] = {"CRATE_CACHE": str(path / ".crate-cache")}
        path.mkdir(parents=True, exist_ok=True)

    @classmethod
    def copy(cls, example: Path, path: Path) -> SconsProject:
        """Return a project with the files of a directory."""
        shutil.copytree(example, path, ignore=shutil.ignore_patterns(".*", "*.rlink"))
        return cls(path)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files; their directories are made."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def read(self, name: str) -> str:
        """Return a file's text."""
        return (self.path / name).read_text(encoding="utf-8")

    def scons(self, *arguments: str, expect: int = 0, timeout: float = 120) -> str:
        """Run `scons` and return its output.

        Units: `timeout` in seconds.
        Raises: AssertionError with the output for another exit status, or a traceback in what it prints.
        """
        done = subprocess.run(
            [sys.executable, "-m", "SCons", "-Q", *arguments],
            cwd=self.path,
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        self.output = done.stdout + done.stderr
        assert done.returncode == expect, f"exit status {done.returncode}, not {expect}:\n{self.output}"
        assert "Traceback" not in self.output, self.output
        return self.output

    def rebuilt(self) -> list[str]:
        """Return the stages that the last run built, as its lines name them, sorted."""
        return sorted(line for line in self.output.splitlines() if _STEP.fullmatch(line))

    def up_to_date(self, *arguments: str) -> bool:
        """Run `scons` again and say whether it found nothing to do."""
        lines = self.scons(*arguments).splitlines()
        return bool(lines) and all(_SILENT.fullmatch(line) for line in lines)
