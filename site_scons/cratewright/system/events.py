"""The events of a build, as values and as lines of JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, get_args

from ..base.diagnostic import Diagnostic, RelatedPlace
from ..base.values import dataclass

EVENTS_VERSION = 1
"""Increases when a field is removed or changes its meaning, not when a kind or a field is added."""


@dataclass(frozen=True, slots=True)
class BuildStarted:
    """The build began: the first crate was declared.

    Units: `started` in seconds since 1970.
    """

    version: int
    cratewright: str
    started: float
    jobs: int


@dataclass(frozen=True, slots=True)
class CrateDeclared:
    """A crate was declared, with `dependencies` and `directory` as the project spells them."""

    crate: str
    directory: str
    backend: str
    target: str
    crate_types: tuple[str, ...]
    dependencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToolsFound:
    """A backend found its tools; `fingerprint` identifies the versions that its results depend on."""

    backend: str
    target: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage of a crate began, which makes `target`: codegen, archive, lto or link."""

    stage: str
    crate: str
    target: str


@dataclass(frozen=True, slots=True)
class StageEnded:
    """A stage ended; `reason` says in one line why it remade results.

    Units: `seconds` of wall time.
    """

    stage: str
    crate: str
    target: str
    seconds: float
    failed: bool
    reason: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitsFound:
    """The number of units about to be looked up or made; `step` is the backend's method."""

    step: str
    crate: str
    units: int


@dataclass(frozen=True, slots=True)
class UnitStarted:
    """A call of a backend began; `step` is its method. `worker` 0 is SCons's own process."""

    step: str
    crate: str
    unit: str
    worker: int


@dataclass(frozen=True, slots=True)
class UnitEnded:
    """A unit ended; `outcome` is `made`, `reused` or `failed`.

    Units: `seconds` of wall time; `memory` in bytes, as estimated before the call.
    """

    step: str
    crate: str
    unit: str
    worker: int
    seconds: float
    outcome: str
    memory: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitExplained:
    """A unit was not in the cache; `causes` tell people why."""

    step: str
    crate: str
    unit: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LtoEnded:
    """Link-time optimization of a crate ended; `optimized` and `reused` count modules."""

    crate: str
    target: str
    mode: str
    optimized: int
    reused: int
    bytes_before: int
    bytes_after: int
    seconds: float


@dataclass(frozen=True, slots=True)
class CratesLinked:
    """A crate type was linked with the crates it depends on.

    Shape: one of `linkages` for each of `crates`: `static`, `dynamic` or another dependency format.
    """

    crate: str
    crate_type: str
    crates: tuple[str, ...]
    linkages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutputMade:
    """A link made a file.

    Units: `size` in bytes.
    """

    crate: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class BuildEnded:
    """The build ended; `status` is SCons's exit status. A build that was killed has no such event.

    Shape: `elsewhere` counts the programs that ran on the machines of CRATE_REMOTE.

    Units: `seconds` of wall time.
    """

    status: int
    seconds: float
    made: int
    reused: int
    failed: int
    elsewhere: int = 0


Event = (
    BuildStarted
    | CrateDeclared
    | ToolsFound
    | StageStarted
    | StageEnded
    | UnitsFound
    | UnitStarted
    | UnitEnded
    | UnitExplained
    | LtoEnded
    | CratesLinked
    | OutputMade
    | BuildEnded
)
Listener = Callable[[Event], None]


def event_row(event: Event, at: float) -> dict[str, object]:
    """Return an event as a JSON object, with its kind and time.

    Units: `at` in seconds since the build began.
    """
    kind, names = _SHAPES[type(event)]
    row: dict[str, object] = {"event": kind, "time": round(at, 6)}
    for name in names:
        value = getattr(event, name)
        row[name] = round(value, 6) if type(value) is float else value
    return row


def event_kind(kind: type) -> str:
    """Return the name of a kind of event in JSON."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)[1:]


_SHAPES: Mapping[type, tuple[str, tuple[str, ...]]] = {
    kind: (event_kind(kind), tuple(field.name for field in dataclasses.fields(kind)))
    for kind in (*get_args(Event), Diagnostic, RelatedPlace)
}


def _nested(value: Any) -> dict[str, object]:
    return {name: getattr(value, name) for name in _SHAPES[type(value)][1]}


# One encoder for all lines, of which there are thousands.
_encoded = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False, default=_nested).encode


def event_line(event: Event, at: float) -> bytes:
    """Return an event as a line of JSON, as `event_row` has it."""
    return (_encoded(event_row(event, at)) + "\n").encode("utf-8", "backslashreplace")
