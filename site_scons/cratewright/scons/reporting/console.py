"""What a person sees of a build on the terminal: messages as they happen, progress, and totals."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from typing import TextIO
from unicodedata import east_asian_width

from ...base.diagnostic import Diagnostic, Severity
from ...base.patterns import pattern
from ...base.printable import printable
from ...base.values import dataclass
from ...system.events import BuildEnded, Event, StageEnded, UnitEnded, UnitsFound
from .switches import NO_PROGRESS, PROGRESS, destination

_EVERY = 5.0
"""Seconds between lines of progress without a terminal."""
_REDRAW = 0.05
_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "35", Severity.NOTE: "36"}
_WORD = pattern(r"(?m)^(\S[^\n]*?: )?((?:fatal )?(error|warning|note):)")


@dataclass(slots=True)
class StageReport:
    """What a stage reports to people when it is done.

    Shape: `counts` is one or more lines.
    """

    counts: str = ""
    reason: str = ""
    timings: list[str] = field(default_factory=list)
    diagnostics: tuple[Diagnostic, ...] = ()


class Console:
    """Prints each diagnostic at once and in one piece, and the progress of the build."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self.totals: Counter[str] = Counter()
        self._out = out
        self._err = err
        self._lock = threading.RLock()
        self._printed: set[str] = set()
        self._repeated: dict[str, Counter[str]] = {}
        self._found = 0
        self._shown = ""
        self._last = time.monotonic()
        self._slowest: tuple[float, str] = (0.0, "")
        self._terminal = out.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = wants_colour(err)

    def __call__(self, event: Event) -> None:
        """Show an event."""
        with self._lock:
            if isinstance(event, UnitsFound):
                self._found += event.units
            elif isinstance(event, UnitEnded):
                self._unit_ended(event)
            elif isinstance(event, StageEnded):
                # SCons prints messages without a file, since it names the target.
                self._print(item for item in event.diagnostics if item.file)
                self._print_repeated(event.crate)
            elif isinstance(event, BuildEnded):
                self._build_ended(event)

    def print_counts(self, crate: str, report: StageReport) -> None:
        """Print what a stage did, in lines that other output does not break."""
        rows = [*report.counts.splitlines(), f"because {report.reason}" if report.reason else "", *report.timings]
        text = "".join(f"crate {crate}: {row}\n" for row in rows if row)
        if text and not _option("silent"):
            with self._lock:
                self._write(text)

    def warn(self, message: str) -> None:
        """Report a problem that does not fail the build."""
        with self._lock:
            self._erase()
            self._err.write(f"cratewright: {message}\n")
            self._err.flush()

    def _unit_ended(self, event: UnitEnded) -> None:
        self.totals[event.outcome] += 1
        self._slowest = max(self._slowest, (event.seconds, f"{event.crate}: {event.unit}"))
        self._print(event.diagnostics)
        self._progress(event)

    def _print(self, diagnostics: Iterable[Diagnostic]) -> None:
        blocks = []
        for item in diagnostics:
            text = str(item)
            # The same diagnostic of another unit is only counted.
            if text in self._printed:
                self._repeated.setdefault(item.crate, Counter())[text] += 1
            else:
                self._printed.add(text)
                blocks.append(_coloured(text) if self._colour else text)
        if blocks:
            self._erase()
            self._err.write("".join(f"{block}\n" for block in blocks))
            self._err.flush()

    def _print_repeated(self, crate: str) -> None:
        for text, count in self._repeated.pop(crate, Counter[str]()).items():
            first = text.split("\n", 1)[0]
            self._erase()
            self._err.write(f"{first} ({count} more unit{'s' * (count != 1)})\n")

    def _progress(self, event: UnitEnded) -> None:
        now = time.monotonic()
        if now - self._last < (_REDRAW if self._terminal else _EVERY) or not _progress_wanted():
            return
        self._last = now
        done = self.totals.total()
        width = len(str(self._found))
        line = printable(f"[{done:>{width}}/{self._found}] {event.crate}: {event.unit}").replace("\n", " ")
        if not self._terminal:
            self._out.write(line + "\n")
            self._out.flush()
            return
        self._erase()
        self._shown = _cut(line, shutil.get_terminal_size().columns - 1)
        # The cursor goes back, so that whatever SCons prints next overwrites the line.
        self._out.write(f"{self._shown}\r")
        self._out.flush()

    def _build_ended(self, event: BuildEnded) -> None:
        done = event.made + event.reused + event.failed
        self._erase()
        if done and _progress_wanted():
            failed = f"{event.failed} failed, " if event.failed else ""
            seconds, unit = self._slowest
            slowest = f"; slowest: {unit}, {seconds:.2f} s" if event.made else ""
            there = f"{event.elsewhere} programs ran elsewhere, " if event.elsewhere else ""
            counts = f"{event.made} made, {event.reused} reused, {failed}{there}{event.seconds:.1f} s{slowest}"
            self._write(f"{done} step{'s' * (done != 1)}: {counts}\n")

    def _erase(self) -> None:
        if self._shown:
            self._out.write(" " * sum(map(_width, self._shown)) + "\r")
            self._out.flush()
            self._shown = ""

    def _write(self, text: str) -> None:
        # One write, so that lines of two threads do not mix.
        self._erase()
        self._out.write(text)
        self._out.flush()


def _width(letter: str) -> int:
    return 2 if east_asian_width(letter) in "WF" else 1


def _cut(line: str, columns: int) -> str:
    """Return as much of a line as fits on the terminal."""
    room = columns
    for index, letter in enumerate(line):
        room -= _width(letter)
        if room < 0:
            return line[:index]
    return line


def _coloured(text: str) -> str:
    """Return a tool's text with its important words in colour."""

    def painted(match: re.Match[str]) -> str:
        code = _COLOURS[Severity(match[3])]
        return f"{match[1] or ''}\x1b[1;{code}m{match[2]}\x1b[0m"

    return _WORD.sub(painted, text)


def wants_colour(stream: TextIO) -> bool:
    """Follow the conventions of https://no-color.org and https://bixense.com/clicolors."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb" and os.environ.get("CLICOLOR", "1") != "0"


def _progress_wanted() -> bool:
    # SCons's own -s and -Q as well.
    if _option("silent") or _option(destination(NO_PROGRESS)):
        return False
    return _option(destination(PROGRESS)) or not _option("no_progress")


def _option(name: str) -> bool:
    import SCons.Script  # noqa: PLC0415 - only there when SCons runs as a program

    try:
        return bool(SCons.Script.GetOption(name))
    except AttributeError:  # the option was not given
        return False
