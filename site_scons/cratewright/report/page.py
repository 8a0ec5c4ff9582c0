"""A self-contained page that shows a build to people.

`page.html` beside this module defines its layout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .recording import Recording, ReportedMessage

_Row = dict[str, Any]

_MOST = 1000
"""How many diagnostics are shown: nobody reads more, and a browser would take seconds to lay them out."""


def html(build: Recording) -> str:
    """Return the page."""
    data = {
        "started": build.started,
        "status": build.status,
        "seconds": build.seconds,
        "tools": build.tools,
        "crates": build.crates,
        "units": [
            [unit.step, unit.crate, unit.name, unit.worker, unit.start, unit.seconds, unit.outcome, unit.causes]
            for unit in build.units
        ],
        "stages": [{key: value for key, value in stage.items() if key != "diagnostics"} for stage in build.stages],
        "path": critical_path(build),
        "lto": build.lto,
        "outputs": build.outputs,
        "linked": build.linked,
        "messages": [_message(item) for item in build.messages[:_MOST]],
        "more": max(0, len(build.messages) - _MOST),
    }
    text = json.dumps(data, separators=(",", ":"))
    # The template has one placeholder: a build's texts are data there, never markup.
    safe = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    return template.replace("@BUILD@", safe)


def _message(item: ReportedMessage) -> _Row:
    diagnostic = item.diagnostic
    return {
        "severity": diagnostic.severity.value,
        "text": diagnostic.text,
        "place": diagnostic.place,
        "rendered": diagnostic.rendered,
        "units": item.units,
    }


def critical_path(build: Recording) -> list[_Row]:
    """Return the stages that decided how long the build took, in order: each waited for the one before it.

    Shape: a stage waits for earlier stages of its crate and of the crates below it.
    """
    needs = {_name(row): {_plain(word) for word in row["dependencies"]} for row in build.crates}
    left = [stage for stage in build.stages if not stage["failed"]]
    path: list[_Row] = []
    last = max(left, key=_end, default=None)
    while last is not None:
        path.append({key: last[key] for key in ("stage", "crate", "target", "seconds")} | {"start": _start(last)})
        begun = _start(last)
        crates = _below(str(last["crate"]), needs)
        before = [
            stage
            for stage in left
            if str(stage["crate"]) in crates and _end(stage) <= begun + 0.005 and stage is not last
        ]
        last = max((stage for stage in before if _end(stage) < _end(last)), key=_end, default=None)
    return path[::-1]


def _below(crate: str, needs: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = [crate]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += needs.get(name, ())
    return found


def _name(row: _Row) -> str:
    return str(row["crate"])


def _plain(word: object) -> str:
    return str(word).rpartition(":")[2]


def _end(stage: _Row) -> float:
    return float(stage["time"])


def _start(stage: _Row) -> float:
    return max(0.0, float(stage["time"]) - float(stage["seconds"]))
