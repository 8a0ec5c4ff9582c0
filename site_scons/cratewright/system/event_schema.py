"""The JSON schema of build events, made from their classes."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from .events import EVENTS_VERSION, Event, event_kind


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
