"""The events of one build, read from a file."""

from __future__ import annotations

import json
from dataclasses import field
from typing import Any

from ..base.diagnostic import Diagnostic, RelatedPlace, Severity
from ..base.errors import FormatError, VersionError
from ..base.values import dataclass
from ..system.events import EVENTS_VERSION
from .checked import checked_row

_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReportedUnit:
    """The outcome of one unit.

    Shape: `outcome` is `made`, `reused`, `failed`, or `unfinished` if the build ended first.
    Units: `start` and `seconds` in seconds, `start` since the build began.
    """

    step: str
    crate: str
    name: str
    worker: int
    start: float
    seconds: float
    outcome: str
    causes: tuple[str, ...] = ()


@dataclass(slots=True)
class ReportedMessage:
    """A diagnostic, once; `units` are those that reported it, as `crate: unit`."""

    diagnostic: Diagnostic
    units: list[str]


@dataclass(slots=True)
class Recording:
    """A build, as its events describe it.

    Shape: `status` is None for a build that did not finish.
    Units: `seconds` of wall time, up to the last event.
    """

    started: _Row = field(default_factory=dict)
    status: int | None = None
    seconds: float = 0.0
    crates: list[_Row] = field(default_factory=list)
    tools: list[_Row] = field(default_factory=list)
    units: list[ReportedUnit] = field(default_factory=list)
    stages: list[_Row] = field(default_factory=list)
    lto: list[_Row] = field(default_factory=list)
    outputs: list[_Row] = field(default_factory=list)
    linked: list[_Row] = field(default_factory=list)
    messages: list[ReportedMessage] = field(default_factory=list)


def read_recording(data: bytes, *, path: str) -> Recording:
    """Return the build that a file of events describes, without a last line that was cut short.

    Raises: FormatError for a file without build events; VersionError for a later version.
    """
    rows = _rows(data, path)
    found = Recording()
    if not rows or rows[0].get("event") != "build-started":
        raise FormatError(f"{path} holds no build events", hint="CRATE_EVENTS=FILE scons writes them")
    version = rows[0].get("version")
    if not isinstance(version, int) or version > EVENTS_VERSION:
        raise VersionError(
            f"{path} holds build events of version {version}",
            context=(("this cratewright reads", EVENTS_VERSION),),
            hint="use the cratewright that wrote them",
        )
    builds = sum(row.get("event") == "build-started" for row in rows)
    if builds > 1:
        raise FormatError(f"{path} holds the events of {builds} builds", hint="give each build a file of its own")
    try:
        _Reader(found).read([checked_row(row) for row in rows])
    except (KeyError, ValueError) as error:
        raise FormatError(f"{path}: an event lacks a field", context=(("missing", error),)) from error
    return found


def _rows(data: bytes, path: str) -> list[_Row]:
    lines = data.split(b"\n")
    rows: list[_Row] = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line, parse_constant=_no_number) if line.strip() else None
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                break
            raise FormatError(f"{path}:{number}: this is not a build event", context=(("reason", error),)) from error
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a JSON number")


class _Reader:
    """Builds a recording from events."""

    def __init__(self, found: Recording) -> None:
        self.found = found
        self.begun: dict[tuple[str, str, str], _Row] = {}
        self.causes: dict[tuple[str, str, str], tuple[str, ...]] = {}
        self.messages: dict[Diagnostic, ReportedMessage] = {}

    def read(self, rows: list[_Row]) -> None:
        found = self.found
        lists = {"crate-declared": found.crates, "tools-found": found.tools, "lto-ended": found.lto}
        lists |= {"output-made": found.outputs, "crates-linked": found.linked}
        ended: list[_Row] = []
        for row in rows:
            kind = row["event"]
            found.seconds = max(found.seconds, float(row["time"]))
            if kind == "build-started":
                found.started = row
            elif kind in lists:
                lists[kind].append(row)
            elif kind == "unit-started":
                self.begun[_key(row)] = row
            elif kind == "unit-explained":
                self.causes[_key(row)] = tuple(str(cause) for cause in row["causes"])
            elif kind == "unit-ended":
                self.begun.pop(_key(row), None)
                ended.append(row)
                self._add_diagnostics(row, f"{row['crate']}: {row['unit']}")
            elif kind == "stage-ended":
                found.stages.append(row)
                self._add_diagnostics(row, str(row["crate"]))
            elif kind == "build-ended":
                found.status = int(row["status"])
        found.units = [self._unit(row) for row in ended] + [self._unfinished(row) for row in self.begun.values()]
        found.units.sort(key=lambda unit: (unit.start, unit.worker, unit.name))
        found.messages = list(self.messages.values())

    def _unit(self, row: _Row) -> ReportedUnit:
        seconds = float(row["seconds"])
        start = max(0.0, float(row["time"]) - seconds)
        words = (str(row["step"]), str(row["crate"]), str(row["unit"]), int(row["worker"]))
        return ReportedUnit(*words, start, seconds, str(row["outcome"]), self.causes.get(_key(row), ()))

    def _unfinished(self, row: _Row) -> ReportedUnit:
        start = float(row["time"])
        words = (str(row["step"]), str(row["crate"]), str(row["unit"]), int(row["worker"]))
        return ReportedUnit(*words, start, max(0.0, self.found.seconds - start), "unfinished")

    def _add_diagnostics(self, row: _Row, who: str) -> None:
        for item in row.get("diagnostics", ()):
            diagnostic = _diagnostic(item)
            message = self.messages.setdefault(diagnostic, ReportedMessage(diagnostic, []))
            if who not in message.units:
                message.units.append(who)


def _diagnostic(row: _Row) -> Diagnostic:
    """Return a diagnostic without its crate and unit."""
    file, code, rendered = (str(row.get(name, "")) for name in ("file", "code", "rendered"))
    line, column, end_line, end_column = (
        int(row.get(name, 0)) for name in ("line", "column", "end_line", "end_column")
    )
    related = tuple(
        RelatedPlace(str(place["text"]), str(place["file"]), int(place["line"]), int(place["column"]))
        for place in row.get("related", ())
    )
    place = (file, line, column, end_line, end_column)
    return Diagnostic(Severity(row["severity"]), str(row["text"]), *place, code, related, rendered)


def _key(row: _Row) -> tuple[str, str, str]:
    return str(row["step"]), str(row["crate"]), str(row["unit"])
