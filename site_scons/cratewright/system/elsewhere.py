"""Programs that may run on another machine: the description of such a run, and its runner.

Only a run that lists everything it reads and writes can move elsewhere. The runner may still decline, and then it runs
locally.
"""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Callable, Mapping
from dataclasses import field

from ..base.values import dataclass


@dataclass(frozen=True, slots=True)
class Placed:
    """A file anywhere on this machine: its absolute path, its content's digest, and whether it is executable."""

    file: str
    digest: str
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Portable:
    """A run of a program.

    Shape: `argv` runs in a directory that holds only the inputs, each at a relative path. `inputs` maps paths to the
    digests of files below `root` here; `placed` are files from anywhere on this machine, `contents` exist only in
    memory. `directories` are created too, empty or not. `system` maps the absolute paths of files that the other
    machine must already have to their digests: programs, what they load, headers. `outputs` are relative paths.
    `tools` tells apart runs of equal command lines whose results differ, as with other versions of a program.
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
    tools: str


@dataclass(frozen=True, slots=True)
class Ran:
    """A program's status and output, and the contents of the outputs that it made, by path."""

    status: int
    stdout: bytes
    stderr: bytes
    outputs: Mapping[str, bytes]


_Runner = Callable[[Portable], "Ran | None"]


def passed_directories(path: str) -> tuple[str, ...]:
    """Return the directories that a relative path leaves by `..`: each must exist for the path to resolve.

    Shape: only those below the directory in which the path starts.
    """
    names = path.split("/")
    ways = (posixpath.normpath("/".join(names[:at])) for at, name in enumerate(names) if name == ".." and at)
    return tuple(way for way in ways if way not in (".", "..") and not way.startswith("../"))


class _Place(threading.local):
    """The runner of this thread."""

    runner: _Runner | None = None


_place = _Place()


def set_runner(runner: _Runner | None) -> None:
    """Set the runner of the calling thread's programs; None, the default, runs them all locally."""
    _place.runner = runner


def runs_elsewhere() -> bool:
    """Return whether this thread has a runner, so that finding a run's inputs is worthwhile."""
    return _place.runner is not None


def run_elsewhere(portable: Portable) -> Ran | None:
    """Run a program on another machine; return None if it must run here.

    Raises: Interrupted if the build has been ended.
    """
    runner = _place.runner
    return runner(portable) if runner is not None else None
