"""Checks the rows of an event file, which others may have written."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from ..system.events import Event, event_kind

_MOST = 1e15
"""The bound of all numbers in a build."""
_NEEDED = frozenset({"step", "crate", "unit", "stage", "seconds", "failed", "outcome", "severity", "text", "status"})
"""Fields that an event must have; other missing ones are empty, or 0."""


def checked_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with missing fields filled in; one of an unknown kind as it is.

    Raises: ValueError naming a missing or invalid field.
    """
    kind = row["event"]
    if type(kind) is not str:
        raise ValueError("event")
    if not _fits(row.get("time"), float):
        raise ValueError(f"time of {kind}")
    return {**_checked(row, _kinds()[kind], kind), **row} if kind in _kinds() else dict(row)


def _checked(row: Mapping[str, Any], kind: type, where: str) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name, hint in _fields(kind).items():
        if name not in row and name not in _NEEDED:
            filled[name] = [] if get_origin(hint) is tuple else hint()
        elif name not in row or not _fits(row[name], hint):
            raise ValueError(f"{name} of {where}")
    return filled


def _fits(value: Any, hint: Any) -> bool:
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value) and abs(value) < _MOST
    if hint is int:
        return type(value) is int and abs(value) < _MOST
    if get_origin(hint) is tuple:
        return isinstance(value, list) and all(_fits(item, get_args(hint)[0]) for item in value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return value in [item.value for item in hint]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if isinstance(value, dict):
            _checked(value, hint, hint.__name__.lower())
        return isinstance(value, dict)
    return type(value) is hint


@cache
def _kinds() -> dict[str, type]:
    return {event_kind(kind): kind for kind in get_args(Event)}


@cache
def _fields(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
