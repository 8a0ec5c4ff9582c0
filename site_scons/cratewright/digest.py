"""Canonical bytes and digests of frozen values.

Knows nothing of what the values mean; two values have one digest exactly if they are equal and of one type.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache

__all__ = ["content_digest", "value_digest"]


def content_digest(data: bytes | memoryview) -> str:
    """Return the hex SHA-256 of raw bytes: the name of a content everywhere in this package."""
    return hashlib.sha256(data).hexdigest()


def value_digest(value: object) -> str:
    """Return the hex SHA-256 of a value's canonical bytes.

    Shape: None, bool, int, str, bytes, enums, tuples, lists, string-keyed mappings and frozen dataclasses of
    these. A dataclass contributes its name and *every* field, so that a new field can never be forgotten.
    Raises: TypeError for anything else, since a set or a float has no bytes that are the same everywhere.
    """
    out: list[bytes] = []
    _walk(value, out)
    return hashlib.sha256(b"".join(out)).hexdigest()


def _walk(value: object, out: list[bytes]) -> None:
    if value is None:
        out.append(b"n;")
    elif isinstance(value, Enum):
        out.append(b"e;")
        _walk(value.value, out)
    elif isinstance(value, bool):
        out.append(b"b1;" if value else b"b0;")
    elif isinstance(value, int):
        out.append(b"i%d;" % value)
    elif isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape")
        out.append(b"s%d:" % len(data))
        out.append(data)
    elif isinstance(value, bytes):
        # Long contents enter by their digest, which keeps the walk cheap for sources and objects.
        out.append(b"x" + hashlib.sha256(value).digest())
    elif isinstance(value, (tuple, list)):
        out.append(b"t%d:" % len(value))
        for item in value:
            _walk(item, out)
    elif isinstance(value, Mapping):
        out.append(b"m%d:" % len(value))
        for key in sorted(value):
            _walk(key, out)
            _walk(value[key], out)
    elif getattr(type(value), "SHARED", False):
        out.append(_shared_bytes(value))
    elif is_dataclass(value):
        _walk_dataclass(value, out)
    else:
        raise TypeError(f"no canonical bytes for {type(value).__name__}")


def _walk_dataclass(value: object, out: list[bytes]) -> None:
    kind: type = type(value)
    names = _field_names(kind)
    out.append(b"d%d:%s;" % (len(names), kind.__qualname__.encode()))
    for name in names:
        _walk(name, out)
        _walk(getattr(value, name), out)


@cache
def _shared_bytes(value: object) -> bytes:
    """Return the bytes of a value that is part of many others, walked once."""
    parts: list[bytes] = []
    _walk_dataclass(value, parts)
    return b"".join(parts)


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
