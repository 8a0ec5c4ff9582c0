"""Programs that may run on another machine: the description of such a run, and who performs it.

Only a run that lists everything it reads and makes can be performed elsewhere. The answer may be that it has to run
locally after all.
"""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Callable, Mapping
from dataclasses import field

from ..base.values import dataclass

__all__ = ["Placed", "Portable", "Ran", "passed_directories", "run_elsewhere", "runs_elsewhere", "set_runner"]


@dataclass(frozen=True, slots=True)
class Placed:
    """A file that lies anywhere on this machine: its absolute path, the digest of its content, whether it is run."""

    file: str
    digest: str
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Portable:
    """A run of a program.

    Shape: `argv` is run in a directory that has `inputs` and nothing else: relative paths, with the digests of their
    contents, which lie below `root` here; `placed` are further ones that lie anywhere, `contents` nowhere.
    `directories` are there as well, empty or not. `system` are the absolute paths of files that the other machine must
    have with the same contents: the programs, what they load, headers. `outputs` are relative paths. `salt` keeps apart
    what equal words may come to.
    """

    root: str
    argv: tuple[str, ...]
    environ: tuple[tuple[str, str], ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    placed: Mapping[str, Placed] = field(default_factory=dict)
    contents: Mapping[str, bytes] = field(default_factory=dict)
    directories: frozenset[str] = frozenset()
    system: Mapping[str, str]
    outputs: tuple[str, ...]
    salt: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program said, and the contents of those of its outputs that it has made, by their paths."""

    status: int
    stdout: bytes
    stderr: bytes
    outputs: Mapping[str, bytes]


_Runner = Callable[[Portable], "Ran | None"]


def passed_directories(path: str) -> tuple[str, ...]:
    """Return the directories that a relative path goes up from again: each must be there for the path to lead anywhere.

    Shape: below the directory that the path starts from, which is not among them, nor is any above it.
    """
    names = path.split("/")
    ways = (posixpath.normpath("/".join(names[:at])) for at, name in enumerate(names) if name == ".." and at)
    return tuple(way for way in ways if way not in (".", "..") and not way.startswith("../"))


class _Place(threading.local):
    """Who runs programs elsewhere for this thread."""

    runner: _Runner | None = None


_place = _Place()


def set_runner(runner: _Runner | None) -> None:
    """Say who runs programs of the calling thread elsewhere; None, as at first, for nobody."""
    _place.runner = runner


def runs_elsewhere() -> bool:
    """Return whether it is worth finding out what a run reads."""
    return _place.runner is not None


def run_elsewhere(portable: Portable) -> Ran | None:
    """Run a program on another machine; None if it has to be run here.

    Raises: Interrupted if the build has been ended.
    """
    runner = _place.runner
    return runner(portable) if runner is not None else None
