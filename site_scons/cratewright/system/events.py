"""The events of a build, as values, and the file to which they are written as they happen.

The file holds one JSON object on each line; `cratewright schema --events` prints their schema.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import threading
import time
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from ..base.diagnostic import Diagnostic, RelatedPlace
from ..base.errors import OutputError
from ..base.host import BINARY, CLOEXEC, NONBLOCK, lock
from ..base.values import dataclass

__all__ = [
    "EVENTS_VERSION",
    "BuildEnded",
    "BuildStarted",
    "CrateDeclared",
    "CratesLinked",
    "Event",
    "EventFile",
    "Listener",
    "LtoEnded",
    "OutputMade",
    "StageEnded",
    "StageStarted",
    "ToolsFound",
    "UnitEnded",
    "UnitExplained",
    "UnitStarted",
    "UnitsFound",
    "event_kind",
    "event_row",
    "event_schema",
]

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


class EventFile:
    """Writes events to a file, each whole and unbuffered, so that a stopped build leaves all events before its end.

    Raises: OutputError if the file cannot be opened for writing, holds anything but events, or belongs to another
    build. A later failure only stops the writing, and is reported to `lost`.
    """

    def __init__(self, path: str, lost: Callable[[str], object] = lambda message: None) -> None:
        self._file: int | None = _opened(path)
        self._path = path
        self._lost = lost
        self._lock = threading.RLock()  # a signal handler may write while this does
        self._start = time.monotonic()
        self._owner = os.getpid()

    def __call__(self, event: Event) -> None:
        """Write an event."""
        # Forks inherit the open file, but must not write to it.
        if os.getpid() != self._owner:
            return
        row = event_row(event, time.monotonic() - self._start)
        line = (_encoded(row) + "\n").encode("utf-8", "backslashreplace")
        with self._lock:
            if self._file is None:
                return
            try:
                view = memoryview(line)
                while view:
                    view = view[os.write(self._file, view) :]
            except OSError as error:
                os.close(self._file)
                self._file = None
                reason = error.strerror or error
                self._lost(f"{self._path}: build events end here, the build goes on: {reason}")


def _opened(path: str) -> int:
    """Open an empty file for appending, or a pipe that has a reader."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | CLOEXEC | BINARY
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            # Without O_NONBLOCK, opening a pipe without a reader would block for ever.
            file = os.open(path, os.O_WRONLY | os.O_APPEND | NONBLOCK | CLOEXEC)
            os.set_blocking(file, True)
            return file
        file = os.open(path, flags, 0o666)
    except OSError as error:
        reason = "this pipe has no reader" if error.errno == errno.ENXIO else error.strerror or error
        hint = "let CRATE_EVENTS name a file that this build may write, in a directory that exists"
        raise _refused(path, "build events cannot be written there", reason, hint) from error
    try:
        _own(file, path)
    except BaseException:
        os.close(file)
        raise
    return file


def _own(file: int, path: str) -> None:
    """Lock a file of events for the lifetime of this process, and truncate it."""
    locked = True
    with suppress(OSError):  # a file system may have no locks
        locked = lock(file, forks=False)
    if not locked:
        hint = "give each build a file of its own"
        raise _refused(path, "another build writes its events there", "the file is locked", hint)
    begin = os.read(file, len(_BEGIN))
    if begin and begin != _BEGIN:
        hint = "name another file in CRATE_EVENTS, or remove this one"
        raise _refused(path, "build events would overwrite a file of another kind", f"begins with {begin!r}", hint)
    os.ftruncate(file, 0)


_BEGIN = b'{"event":"'


def _refused(path: str, message: str, reason: object, hint: str) -> OutputError:
    return OutputError(f"{path}: {message}", context=(("reason", reason),), hint=hint)


def event_schema() -> dict[str, object]:
    """Return the JSON schema of one line of the file."""
    definitions: dict[str, object] = {}
    kinds = [_object(kind, definitions, event_kind(kind)) for kind in get_args(Event)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"cratewright build events, version {EVENTS_VERSION}",
        "oneOf": kinds,
        "$defs": definitions,
    }


def _object(kind: type, definitions: dict[str, object], event: str = "") -> dict[str, object]:
    hints = get_type_hints(kind)
    rows: dict[str, object] = {"event": {"const": event}, "time": {"type": "number"}} if event else {}
    rows |= {field.name: _schema(hints[field.name], definitions) for field in dataclasses.fields(kind)}
    return {"type": "object", "properties": rows, "required": list(rows)}


_SCALARS: Mapping[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def _schema(hint: Any, definitions: dict[str, object]) -> dict[str, object]:
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0], definitions)}
    if get_origin(hint) in (Union, types.UnionType):
        return {"anyOf": [_schema(item, definitions) for item in get_args(hint)]}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [item.value for item in hint]}
    if hint.__name__ not in definitions:
        definitions[hint.__name__] = {}
        definitions[hint.__name__] = _object(hint, definitions)
    return {"$ref": f"#/$defs/{hint.__name__}"}
