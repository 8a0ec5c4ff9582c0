"""The command `watch`: builds again whenever a file is saved, each time in a fork of this process."""

from __future__ import annotations

import argparse
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..base.errors import ConfigurationError
from ..base.host import can_fork, hold_signals, new_group
from ..system.changes import Changes
from ..system.child import begin_group, disown, end_group, own
from .build import WORKSPACE, is_scons_project, job_count, processors

if TYPE_CHECKING:
    from ..scons.forked import ForkedBuild, Outcome

_SHOWN = 8


def add_watch(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `watch` to a command line."""
    parser = commands.add_parser(
        "watch",
        help="build now and whenever a file is saved",
        description="Builds what the SConstruct or crates.toml declares. Arguments after -- are passed on to SCons.",
    )
    parser.add_argument("words", nargs="*", metavar="TARGET", help="targets (default: those that scons builds)")
    parser.add_argument(
        "-j", "--jobs", type=job_count, metavar="N", help="number of parallel jobs (default: number of processors)"
    )
    parser.add_argument(
        "--exec", metavar="CMD", help="command to start, or restart, after each build that made something"
    )
    parser.set_defaults(run=watch, passes=True)


def watch(arguments: argparse.Namespace) -> int:
    """Build whenever something changes, until Ctrl-C.

    Raises: ConfigurationError if there is nothing to build here, watchfiles is missing or nothing can be forked;
    OutputError if files cannot be watched.
    """
    if not can_fork():
        raise ConfigurationError(
            "cratewright watch forks each build from a warm process, and this system cannot fork",
            hint="run scons or cratewright build whenever something has changed",
        )
    root = os.path.realpath(os.getcwd())
    run = _build(arguments)
    watcher = _Watcher(root, run, arguments.exec or "")
    try:
        watcher.run()
    except KeyboardInterrupt:
        return 0
    finally:
        watcher.close()
    return 0


def _build(arguments: argparse.Namespace) -> Callable[[], int]:
    """Return a function that builds once, in a fork."""
    from ..scons.reporting.switches import PROGRESS  # noqa: PLC0415 - the other commands need no SCons
    from ..scons.standalone import StandaloneBuild, run_scons, scons_main  # noqa: PLC0415

    # Instead of SCons's own messages, show progress on a terminal.
    quiet = ["-Q", *([PROGRESS] if sys.stdout.isatty() and "-Q" not in arguments.passed else [])]
    words = [f"-j{arguments.jobs or processors()}", *arguments.passed]
    if is_scons_project():
        return lambda: scons_main([*quiet, *words, *arguments.words])
    workspace = os.path.abspath(WORKSPACE)
    wanted = StandaloneBuild(workspace=workspace, targets=tuple(arguments.words), start=os.getcwd())
    return lambda: run_scons(wanted, [*quiet, *words])


class _Watcher:
    """Builds again and again, and tracks what has changed since."""

    def __init__(self, root: str, run: Callable[[], int], command: str) -> None:
        self._root = root
        self._run = run
        self._command = command
        self._changes = Changes([root])
        self._changed: set[str] = set()
        self._known: Outcome | None = None
        self._written: dict[str, object] = {}
        self._own: set[str] = set()
        self._warmed: object = ()
        self._before: set[str] = set()
        self._building: ForkedBuild | None = None
        self._started: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Build for ever."""
        while True:
            before, self._changed = self._changed, set()
            for line in self._listed(sorted(before)):
                print(f"changed: {line}", flush=True)
            outcome = self._once()
            made = self._made(outcome)
            for line in self._listed(made):
                print(f"made: {line}", flush=True)
            first = self._known is None
            if self._known is None or outcome.made or outcome.read:
                self._known = outcome
            self._follow()
            print("failed; watching" if outcome.status else "watching", flush=True)
            if not outcome.status and (made or first):
                self._execute()
            self._warm()
            # Files that changed during two builds in a row are the build's own: they would make it run for ever.
            during = {path for path in self._changed if path not in self._known.read}
            self._own |= during & self._before
            self._before = during
            self._changed = {path for path in self._changed if self._matters(path)}
            while not self._changed:
                self._changed.update(self._changes.read())
                self._changed = {path for path in self._changed if self._matters(path)}

    def _once(self) -> Outcome:
        from ..scons.forked import ForkedBuild  # noqa: PLC0415 - only builds need SCons

        build = self._building = ForkedBuild(self._run)
        while True:
            ready = select.select([build.output, self._changes.output], [], [])[0]
            if self._changes.output in ready:
                self._changed.update(self._changes.read())
            if build.output in ready and build.read():
                break
        self._building = None
        return build.outcome()

    def _matters(self, path: str) -> bool:
        """Return whether a change needs a build: not if the file is hidden, or made by builds."""
        known = self._known
        if known is not None:
            if path in known.read:
                return True
            if path in known.made or any(
                path.startswith(f"{each}{os.sep}") for each, stamp in known.made.items() if stamp is None
            ):
                return False
        if path in self._own or os.path.isdir(path):
            return False
        return not any(part.startswith(".") for part in os.path.relpath(path, self._root).split(os.sep) if part != "..")

    def _made(self, outcome: Outcome) -> list[str]:
        """Return the outputs that the build changed."""
        found = {path: stamp for path, stamp in outcome.made.items() if stamp is not None}
        made = sorted(path for path, stamp in found.items() if self._written.get(path) != stamp)
        first, self._written = self._known is None, {**found} if outcome.made else self._written
        return made if not first else []

    def _follow(self) -> None:
        """Watch also directories outside the project from which files were read."""
        assert self._known is not None
        outside = {os.path.dirname(path) for path in self._known.read if not path.startswith(self._root + os.sep)}
        wanted = [self._root, *sorted(place for place in outside if os.path.isdir(place) and not _is_system(place))]
        if wanted != list(self._changes.directories):
            # Start the new one before the old one ends, so that no change is missed.
            old, self._changes = self._changes, Changes(wanted)
            while select.select([old.output], [], [], 0.05)[0]:
                self._changed.update(old.read())
            old.close()

    def _warm(self) -> None:
        from ..scons.forked import warm_backends  # noqa: PLC0415 - only builds need SCons

        assert self._known is not None
        if self._known.crates != self._warmed:
            self._warmed = self._known.crates
            warm_backends(
                self._known, self._root, {name: text for name, text in os.environ.items() if name[:6] == "CRATE_"}
            )

    def _listed(self, paths: list[str]) -> Iterable[str]:
        shown = [os.path.relpath(path, self._root) if path.startswith(self._root) else path for path in paths]
        yield from shown[:_SHOWN]
        if len(shown) > _SHOWN:
            yield f"and {len(shown) - _SHOWN} more"

    def _execute(self) -> None:
        if not self._command:
            return
        self._stop()
        with hold_signals():
            self._started = subprocess.Popen(
                self._command,
                shell=True,
                cwd=self._root,
                preexec_fn=begin_group,  # noqa: PLW1509 - this process has one thread
                **new_group(),
            )
            own(self._started.pid)

    def _stop(self) -> None:
        if self._started is not None:
            end_group(self._started.pid)
            disown(self._started.pid)
            self._started.wait()
            self._started = None

    def close(self) -> None:
        """End everything that was started."""
        if self._building is not None:
            self._building.interrupt()
        self._stop()
        self._changes.close()


def _is_system(place: str) -> bool:
    return place.startswith(("/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", sys.prefix, sys.base_prefix))
