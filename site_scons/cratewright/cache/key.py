"""The key of a result: everything that decides it, field by field.

The same walk yields the key and what `explain` shows, so they cannot disagree.
Source: Cranelift's `compute_cache_key`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import NewType

from ..base.digest import content_digest, value_digest
from ..values.options import Options
from ..values.request import LinkModule, ThinBuffer

CacheKey = NewType("CacheKey", str)
"""What a result or a note is stored under: hex SHA-256. Stores themselves take any string."""

Fields = tuple[tuple[str, str], ...]
"""Names and values of everything in a key, in order; long values are replaced by their digests."""

_SHORT = 80
_SHORT_WORD = 400


def key_of(kind: str, code: str, value: object, fingerprint: str = "") -> CacheKey:
    """Return the key of the result of `kind` for a stencil or request, over all its fields.

    Shape: hex SHA-256. `code` is the digest of the code that computes the result, `fingerprint` that of the tools if
    the value has none.
    """
    return fields_digest(key_fields(kind, code, value, fingerprint, {}))


def key_fields(kind: str, code: str, value: object, fingerprint: str, known: dict[int, str]) -> Fields:
    """Return the fields that a key is computed from.

    Shape: every field of a dataclass, by name. `known` caches the digests of modules and contents by identity while
    they live, since many links share them.
    """
    found = [("kind", kind), ("code", code), *([("fingerprint", fingerprint)] if fingerprint else [])]
    # A method's arguments come as a tuple; fields of each are named all the same.
    for part in value if isinstance(value, tuple) else (value,):
        if not is_dataclass(part) or isinstance(part, type):
            found.append(("value", _text(part)))
            continue
        found.append(("type", type(part).__qualname__))
        for name in _names(type(part)):
            found.extend(_field(name, getattr(part, name), known))
    return tuple(found)


def fields_digest(found: Fields) -> CacheKey:
    """Return the key of some fields."""
    parts = [f"{len(name)}:{name}{len(text)}:{text}" for name, text in found]
    return CacheKey(hashlib.sha256("".join(parts).encode()).hexdigest())


@cache
def code_digest(*places: str) -> str:
    """Return the digest of some files and of all Python code below some directories.

    Unlike a version number, it changes from commit to commit, as results may.
    """
    parts: list[tuple[str, str]] = []
    for place in places:
        for name in code_files(place):
            with open(os.path.join(place, name) if name else place, "rb") as file:
                parts.append((name or ".", content_digest(file.read())))
    return value_digest(tuple(parts))


def code_files(place: str) -> list[str]:
    """Return the sorted paths of all Python code below a directory; for a file, one empty path."""
    return sorted(_code_below(place)) if os.path.isdir(place) else [""]


def _code_below(place: str) -> Iterator[str]:
    for directory, _, names in os.walk(place):
        below = os.path.relpath(directory, place).replace(os.sep, "/")
        yield from (name if below == "." else f"{below}/{name}" for name in names if name.endswith(".py"))


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _field(name: str, value: object, known: dict[int, str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Options):
        yield from _options(value)
    elif isinstance(value, tuple) and value and all(isinstance(item, LinkModule) for item in value):
        for item in value:
            yield f"module {item.crate}::{item.module.name}", _known(item.module, known)
    elif isinstance(value, bytes):
        yield name, _known(value, known)
    elif isinstance(value, tuple) and value and all(isinstance(item, ThinBuffer) for item in value):
        yield name, _digest(tuple((item.name, _known(item.data, known)) for item in value))
    else:
        yield name, _text(value)


def _known(value: object, known: dict[int, str]) -> str:
    """Return the digest of a value that many links may share."""
    digest = known.get(id(value))
    if digest is None:
        digest = known[id(value)] = _digest(value)
    return digest


@cache
def _options(options: Options) -> Fields:
    found: list[tuple[str, str]] = []
    for name, value in options.values:
        if name == "defines":
            found.append(("option defines", "one by one"))
            found.extend((f"define {macro}", _text(text)) for macro, text in options.defines)
        else:
            found.append((f"option {name}", _text(value)))
    return tuple(found)


def _text(value: object) -> str:
    """Return a short text that is unique among values of one type."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _SHORT_WORD else _digest(value)
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if value is None or isinstance(value, (bool, int)):
        return str(value)
    if isinstance(value, tuple) and len(value) <= 8 and all(isinstance(item, str) for item in value):
        text = repr(value)
        return text if len(text) <= _SHORT else _digest(value)
    return _digest(value)


def _digest(value: object) -> str:
    return "sha256:" + value_digest(value)
