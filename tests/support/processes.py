"""Processes left behind by a project's builds."""

from __future__ import annotations

from pathlib import Path

__all__ = ["left_processes"]


def left_processes(directory: Path) -> list[str]:
    """Return the command lines of live processes with `MARK=directory` in their environment."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            state = (each / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and f"MARK={directory}\0".encode() in (each / "environ").read_bytes():
                found.append((each / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found
