"""A build's events: to the terminal as they happen, to a file if requested, and to plugins."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ...base.errors import CratewrightError, error_diagnostics
from ...system.ending import call_at_end
from ...system.event_file import EventFile
from ...system.events import EVENTS_VERSION, BuildEnded, BuildStarted, Event, Listener, StageEnded, StageStarted
from ...version import __version__
from .console import Console, StageReport


class Reporting:
    """Receives all events of a build.

    Shape: `root` is the project's; `elsewhere` counts what ran on other machines; `listeners` receive each event in
    the thread in which it occurs, this one first. `remote` says whether any crate can use other machines, None if
    none are configured.
    """

    def __init__(self, root: str, elsewhere: Callable[[], int] = int) -> None:
        self.remote: bool | None = None
        self._root = root
        self._elsewhere = elsewhere
        self._console = Console(sys.stdout, sys.stderr)
        self._listeners: list[Listener] = [self._console]
        self._started: float | None = None
        self._open: set[str] = set()
        self._lock = threading.Lock()

    def begin(self, events: str, jobs: int, more: Callable[[], Iterable[Listener]]) -> None:
        """Open a file of events, if one is named and not open yet; relative to the root.

        Shape: `more` gives further listeners.
        Raises: OutputError if it cannot be written.
        """
        with self._lock:
            if self._started is not None:
                return
            self._started = time.monotonic()
            if events:
                self._listeners.append(EventFile(os.path.join(self._root, events), self._console.warn))
            self._listeners += more()
        self.hear(BuildStarted(EVENTS_VERSION, __version__, time.time(), jobs))
        import SCons.Script.Main  # noqa: PLC0415 - only there when SCons runs as a program

        # SCons loses the status of an SConstruct that could not be read; Exit() and --help make it 0.
        SCons.Script.Main.exit_status = SCons.Script.Main.exit_status or False
        atexit.register(self._end)
        call_at_end(lambda: self._end(is_ended=True))

    def hear(self, event: Event) -> None:
        """Pass an event on."""
        for listener in self._listeners:
            listener(event)

    @property
    def is_recorded(self) -> bool:
        """Whether anything but the terminal receives events."""
        return len(self._listeners) > 1

    @contextmanager
    def stage(self, stage: str, crate: str, target: str) -> Iterator[StageReport]:
        """Report a stage and, if it fails, its diagnostics; a summary of failures adds only those of its report."""
        start, report, failed = time.monotonic(), StageReport(), True
        self._open.add(target)
        self.hear(StageStarted(stage, crate, target))
        try:
            yield report
            failed = False
        except CratewrightError as error:
            if not error.summary:
                report.diagnostics = tuple(item.of(crate) for item in error_diagnostics(error))
            raise
        except BaseException:
            report.diagnostics = ()
            raise
        finally:
            self._open.discard(target)
            seconds = time.monotonic() - start
            self.hear(StageEnded(stage, crate, target, seconds, failed, report.reason, report.diagnostics))
            if not failed:
                self._console.print_counts(crate, report)

    def _end(self, *, is_ended: bool = False) -> None:
        import SCons.Script.Main  # noqa: PLC0415 - only there when SCons runs as a program

        main = SCons.Script.Main
        is_unread = main.exit_status is False and not SCons.Node.FS.Save_Strings
        status = main.exit_status or main.this_build_status or 2 * (is_ended or is_unread or bool(self._open))
        done = self._console.totals
        seconds = time.monotonic() - (self._started or 0.0)
        self.hear(BuildEnded(status, seconds, done["made"], done["reused"], done["failed"], self._elsewhere()))
        if self.remote is False and done["made"]:
            self._console.warn("CRATE_REMOTE had no effect: no backend of this build runs programs on other machines")


def error_summary(error: CratewrightError) -> str:
    """Return what SCons has to print of an error beside the target, apart from diagnostics."""
    if error.summary:
        return error.summary
    return "failed" if error_diagnostics(error)[0].file else str(error)
