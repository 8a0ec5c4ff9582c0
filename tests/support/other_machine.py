"""A simulated remote machine: a directory that has only the files that a program is given."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from cratewright.system.elsewhere import Portable, Ran

__all__ = ["OtherMachine"]


class OtherMachine:
    """Runs portable programs, each in a directory of its own.

    Shape: `staged` has the input paths of each run; `altered` may replace the result of a run.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self.staged: list[set[str]] = []
        self.altered: Callable[[Ran], Ran] = lambda ran: ran

    def run(self, portable: Portable) -> Ran:
        """Run a program."""
        self._place.mkdir(exist_ok=True)
        there = Path(tempfile.mkdtemp(dir=self._place))
        for path in portable.directories:
            (there / path).mkdir(parents=True, exist_ok=True)
        inputs = {path: Path(portable.root, path) for path in portable.inputs}
        inputs |= {path: Path(item.file) for path, item in portable.placed.items()}
        for path, file in inputs.items():
            (there / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, there / path)
        for path, data in portable.contents.items():
            (there / path).write_bytes(data)
        self.staged.append({*inputs})
        done = subprocess.run(portable.argv, cwd=there, env=dict(portable.environ), capture_output=True, check=False)
        outputs = {path: (there / path).read_bytes() for path in portable.outputs if (there / path).exists()}
        shutil.rmtree(there)
        return self.altered(Ran(done.returncode, done.stdout, done.stderr, outputs))
