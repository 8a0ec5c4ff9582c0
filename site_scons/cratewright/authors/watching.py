"""Observes processes in a test: the files they read, those still running, and programs that fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_OPEN = re.compile(rb'open(?:at\((?:AT_FDCWD|\d+)(?:<([^>]*)>)?, |(\())"((?:[^"\\]|\\.)*)", ([A-Z_|]+)')
_OPENED = re.compile(rb"= \d+<([^>]*)>$")


def child_environment(surroundings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of another Python that finds what this one does."""
    path = os.pathsep.join(item for item in sys.path if item)
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **surroundings}


def can_trace(strace: str) -> bool:
    """Say whether strace may be used here."""
    return subprocess.run([strace, "-qq", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


def read_files(log: Path, root: Path) -> set[str]:
    """Return the files below a directory that were opened for reading, according to a trace."""
    found: set[str] = set()
    for line in log.read_bytes().splitlines():
        match = _OPEN.search(line)
        if match and not any(word in match[4] for word in (b"O_DIRECTORY", b"O_WRONLY", b"O_CREAT")):
            name = match[3]
            if match[2] and not name.startswith(b"/"):
                # `open` is relative to an unknown directory, but its result names the file.
                opened = _OPENED.search(line)
                name = opened[1] if opened else b"/"
            path = os.path.normpath(os.path.join(root, os.fsdecode(match[1] or b""), os.fsdecode(name)))
            if path.startswith(f"{root}{os.sep}") and not os.path.isdir(path):
                found.add(path)
    return found


def processes_of(leader: int) -> list[str]:
    """Return the programs that still run in a session."""
    left: list[str] = []
    for entry in os.listdir("/proc"):
        try:
            row = Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace") if entry.isdigit() else ""
        except OSError:
            continue
        name, _, rest = row.partition("(")[2].rpartition(")")
        words = rest.split()
        if len(words) > 3 and words[3] == str(leader) and words[0] not in "ZX":
            left.append(name)
    return left


_FAULTS = {
    "crash": "#!/bin/sh\nkill -SEGV $$\n",
    "hang": "#!/bin/sh\nsleep 60 & wait\n",
    "garbage": "#!/bin/sh\nprintf 'garbage \\377\\376'\nexit 0\n",
}


def write_broken_tool(path: Path, fault: str) -> None:
    """Write a program that fails in one way: `crash`, `hang`, `garbage`, or `missing`, which writes none."""
    if fault != "missing":
        path.write_text(_FAULTS[fault], encoding="utf-8")
        path.chmod(0o755)
