"""Canonical bytes and digests of frozen values.

Two values have the same digest exactly if they are equal and of the same type.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, NewType

# Codecs and checks of results read annotations; to them it is a string.
if TYPE_CHECKING:
    Digest = NewType("Digest", str)
    """What a path held: the hex SHA-256 of a file's content, or a word in place of one, as `digest_file` gives it."""
else:
    Digest = str

DIRECTORY, UNREADABLE = WORDS = Digest("directory"), Digest("unreadable")
"""What `digest_file` gives in place of a digest, for paths at which there is something else than a file to read."""


def content_digest(data: bytes | memoryview) -> Digest:
    """Return the hex SHA-256 of raw bytes, which identifies contents throughout this package."""
    return Digest(hashlib.sha256(data).hexdigest())


def value_digest(value: object) -> str:
    """Return the hex SHA-256 of a value's canonical bytes.

    Shape: None, bool, int, str, bytes, enums, tuples, lists, string-keyed mappings and frozen dataclasses of these. A
    dataclass contributes its name and *every* field, so that no new field is forgotten.
    Raises: TypeError for anything else: a set or a float has no bytes that are the same everywhere.
    """
    out: list[bytes] = []
    _WRITERS[type(value)](value, out)
    return hashlib.sha256(b"".join(out)).hexdigest()


Writer = Callable[[Any, list[bytes]], None]
"""Appends the canonical bytes of a value of one type."""


class _Writers(dict[type, Writer]):
    """Writers by type; each type is inspected once, since builds write hundreds of thousands of values."""

    def __missing__(self, kind: type) -> Writer:
        self[kind] = write = _find_writer(kind)
        return write


def _find_writer(kind: type) -> Writer:
    for known, write in _KINDS.items():
        if issubclass(kind, known):
            return write
    if getattr(kind, "SHARED", False):
        return _write_shared
    if is_dataclass(kind):
        return _dataclass_writer(kind)
    raise TypeError(f"no canonical bytes for {kind.__name__}")


def _write_none(value: None, out: list[bytes]) -> None:
    out.append(b"n;")


def _write_enum(value: Enum, out: list[bytes]) -> None:
    out.append(b"e;")
    _WRITERS[type(value.value)](value.value, out)


def _write_bool(value: bool, out: list[bytes]) -> None:
    out.append(b"b1;" if value else b"b0;")


def _write_int(value: int, out: list[bytes]) -> None:
    out.append(b"i%d;" % value)


def _write_str(value: str, out: list[bytes]) -> None:
    data = value.encode("utf-8", "surrogateescape")
    out.append(b"s%d:%b" % (len(data), data))


def _write_bytes(value: bytes, out: list[bytes]) -> None:
    # Long contents enter by digest, which keeps the walk cheap for sources and objects.
    out.append(b"x" + hashlib.sha256(value).digest())


def _write_items(value: Sequence[object], out: list[bytes]) -> None:
    out.append(b"t%d:" % len(value))
    for item in value:
        _WRITERS[type(item)](item, out)


def _write_mapping(value: Mapping[str, object], out: list[bytes]) -> None:
    out.append(b"m%d:" % len(value))
    for key in sorted(value):
        _WRITERS[type(key)](key, out)
        _WRITERS[type(value[key])](value[key], out)


# Order matters: some types match several of these.
_KINDS: dict[type, Writer] = {
    type(None): _write_none,
    Enum: _write_enum,
    bool: _write_bool,
    int: _write_int,
    str: _write_str,
    bytes: _write_bytes,
    tuple: _write_items,
    list: _write_items,
    Mapping: _write_mapping,
}
_WRITERS = _Writers()


@cache
def _dataclass_writer(kind: type) -> Writer:
    names = [field.name for field in fields(kind)]
    head = b"d%d:%s;" % (len(names), kind.__qualname__.encode())
    labels = [b"s%d:%s" % (len(name.encode()), name.encode()) for name in names]

    def write(value: object, out: list[bytes]) -> None:
        out.append(head)
        for label, name in zip(labels, names, strict=True):
            item = getattr(value, name)
            if type(item) is str:  # most are
                data = item.encode("utf-8", "surrogateescape")
                out.append(b"%bs%d:%b" % (label, len(data), data))
            else:
                out.append(label)
                _WRITERS[type(item)](item, out)

    return write


def _write_shared(value: object, out: list[bytes]) -> None:
    out.append(_shared_bytes(value))


@cache
def _shared_bytes(value: object) -> bytes:
    """Return the bytes of a value shared by many others, which is walked once."""
    kind: type = type(value)
    parts: list[bytes] = []
    _dataclass_writer(kind)(value, parts)
    return b"".join(parts)
