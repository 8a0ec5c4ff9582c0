"""The Trace Event Format, which Perfetto and Chromium's tracing show: a track for each worker, a slice for each unit.

Source: Google, "Trace Event Format".
"""

from __future__ import annotations

import json
from typing import Any

from .recording import Recording

_MICROSECONDS = 1_000_000


def trace(build: Recording) -> str:
    """Return the build as complete events; stages are on tracks of their own, one for each crate."""
    rows: list[dict[str, Any]] = [_named("process_name", 1, 0, "workers"), _named("process_name", 2, 0, "stages")]
    for worker in sorted({unit.worker for unit in build.units}):
        rows.append(_named("thread_name", 1, worker, f"worker {worker}" if worker else "scons"))
    for unit in build.units:
        name = f"{unit.crate}: {unit.name}" if unit.crate else unit.name
        row = _slice(name, unit.step, 1, unit.worker, unit.start, unit.seconds)
        rows.append(row | {"args": {"outcome": unit.outcome, "why": list(unit.causes)}})
    crates = {str(stage["crate"]): number for number, stage in enumerate(build.stages, 1)}
    rows += [_named("thread_name", 2, number, crate) for crate, number in crates.items()]
    for stage in build.stages:
        seconds = float(stage["seconds"])
        start = max(0.0, float(stage["time"]) - seconds)
        row = _slice(str(stage["target"]), str(stage["stage"]), 2, crates[str(stage["crate"])], start, seconds)
        rows.append(row | {"args": {"failed": stage["failed"], "reason": stage.get("reason", "")}})
    return json.dumps({"traceEvents": rows, "displayTimeUnit": "ms"}) + "\n"


def _named(kind: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _slice(name: str, kind: str, process: int, thread: int, start: float, seconds: float) -> dict[str, Any]:
    times = {"ts": round(start * _MICROSECONDS), "dur": max(1, round(seconds * _MICROSECONDS))}
    return {"ph": "X", "name": name, "cat": kind, "pid": process, "tid": thread, **times}
