"""Two modules as one value: a module without debug information, and the same with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TypeVar

from cratewright import FormatError, ModuleCodegen, ThinModule

AnyModule = TypeVar("AnyModule", ModuleCodegen, ThinModule)

_MAGIC = b"cratewright: one module without debug information and one with it\n"
_SIZE = 8


def is_pair(module: ModuleCodegen | ThinModule) -> bool:
    """Return whether a module is a pair."""
    return module.data.startswith(_MAGIC)


def attributes_within(data: bytes) -> list[tuple[str, str]]:
    """Return the attributes of a pair's second module."""
    return _parts(data)[2] if data.startswith(_MAGIC) else []


def half(module: AnyModule, *, debug: bool) -> AnyModule:
    """Return one module of a pair, or the module itself if it is not a pair."""
    if not is_pair(module):
        return module
    plain, full, attributes = _parts(module.data)
    if not debug:
        return replace(module, data=plain)
    return replace(module, data=full, attributes=tuple(attributes) or module.attributes)


def pair(plain: AnyModule, full: AnyModule) -> AnyModule:
    """Return two modules as a pair, with the symbols and attributes of the first."""
    if plain.data == full.data:
        return plain
    head = json.dumps([len(plain.data), full.attributes]).encode()
    return replace(plain, data=_MAGIC + len(head).to_bytes(_SIZE, "little") + head + plain.data + full.data)


def _parts(data: bytes) -> tuple[bytes, bytes, list[tuple[str, str]]]:
    start = len(_MAGIC) + _SIZE
    end = start + int.from_bytes(data[len(_MAGIC) : start], "little")
    try:
        size, attributes = json.loads(data[start:end])
        rows = [(str(key), str(value)) for key, value in attributes]
        return data[end : end + size], data[end + size :], rows
    except (TypeError, ValueError) as error:
        raise FormatError(
            "a module with and without debug information is damaged", hint="build its crate again"
        ) from error
